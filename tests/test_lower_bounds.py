"""The lower bounds of pyproject.toml are those that `make lowest` installs."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_BOUND = re.compile(r"(?P<name>[\w.-]+)(?:\[\w+\])?>=(?P<version>[\d.]+)(?:,<\d+)?(?:; .+)?")


def test_each_lower_bound_is_installed_by_make_lowest() -> None:
    """A bound that no test runs with is a guess; upper bounds, extras and markers do not matter here."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    requirements = project["dependencies"] + project["optional-dependencies"]["dev"]
    expected = set()
    for requirement in requirements:
        bound = _BOUND.fullmatch(requirement)
        assert bound, f"{requirement!r} has no lower bound of the form name>=version"
        expected.add(f"{bound['name']}=={bound['version']}")
    lines = (ROOT / "constraints-lowest.txt").read_text(encoding="utf-8").splitlines()
    assert {line for line in lines if line and not line.startswith("#")} == expected
