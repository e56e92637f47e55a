"""The examples of `publish` and `fetch` in their docstrings run as a user's program, against the stand-in."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from hub.process import StandIn

PROGRAM = """
import doctest
from builder import build, fetch, publish
from builder.operations.init import init

init("my-corpus")
build("my-corpus/recipe.yaml", workers=1)
for function in (publish, fetch):
    names = {"publish": publish, "fetch": fetch}
    (test,) = doctest.DocTestFinder().find(function, globs=names)
    assert test.examples
    assert not doctest.DocTestRunner().run(test).failed
"""


def test_the_examples_of_publish_and_fetch_run(hub: StandIn, home: Path, tmp_path: Path) -> None:
    """What is published by one is fetched by the other."""
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=tmp_path,
        env=hub.environment(home),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert (tmp_path / "fetched/1.0.0").is_dir()
