"""No tool is blind to a part of the tree.

Tools pass over folders by name (``build``, ``dist``, ``venv`` are usual) and do not say so. These tests
compare what each tool sees with what is on the disk.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from collected import COLLECTED

ROOT = Path(__file__).resolve().parent.parent


def _tracked(*folders: str, ending: str) -> set[Path]:
    """Files on the disk, without those that a cache holds."""
    found = (path for folder in folders for path in (ROOT / folder).rglob(f"*{ending}"))
    return {path for path in found if "__pycache__" not in path.parts}


def test_every_test_file_is_collected(request: pytest.FixtureRequest) -> None:
    """A test that pytest does not collect passes for ever."""
    is_whole = list(request.config.args) == list(request.config.getini("testpaths"))
    if not is_whole or request.config.getoption("ignore"):
        pytest.skip("only a part of the tests was asked for")
    collected = request.config.stash[COLLECTED]
    tests = {path for path in _tracked("tests", ending=".py") if path.name.startswith("test_")}
    doctests = {path for path in _tracked("builder", ending=".py") if "\n    >>> " in path.read_text()}
    assert len(tests) > 100
    assert len(doctests) > 5
    assert sorted((tests | doctests) - collected) == []


def test_every_module_is_linted() -> None:
    """Ruff sees each Python file of the tree."""
    folders = ("builder", "tests", "benchmarks", "docs", "examples")
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--show-files", *folders],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    seen = set(map(Path, done.stdout.split()))
    assert sorted(_tracked(*folders, ending=".py") - seen) == []


def test_every_module_is_checked_for_layers_and_types() -> None:
    """Each folder with a module is a package: import-linter and mypy follow packages and nothing else."""
    folders = {path.parent for path in _tracked("builder", ending=".py")}
    assert sorted(folder for folder in folders if not (folder / "__init__.py").is_file()) == []


def test_every_module_is_measured() -> None:
    """Coverage counts all lines of all modules, including modules that no test imports."""
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["coverage"]
    assert tools["run"]["source"] == ["builder"]
    assert not {"omit", "include", "source_pkgs"} & {*tools["run"], *tools["report"]}
    assert tools["report"]["exclude_also"] == ["if TYPE_CHECKING:"]
    named = [path for path in _tracked("builder", ending=".py") if "pragma: no cover" in path.read_text()]
    assert named == []


@pytest.mark.parametrize("target", ["wheel", "sdist"])
def test_every_module_is_distributed(target: str, tmp_path: Path) -> None:
    """The wheel and the source distribution hold each file of the package, and the schemas."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    (archive,) = tmp_path.iterdir()
    names = _names(archive)
    package = {path.relative_to(ROOT).as_posix() for path in _tracked("builder", ending="") if path.is_file()}
    schemas = {path.name for path in (ROOT / "schemas").iterdir()}
    assert sorted(package - names) == []
    assert sorted(schemas - {name.rpartition("/")[2] for name in names}) == []


def _names(archive: Path) -> set[str]:
    """Paths in a distribution, relative to the project."""
    if archive.suffix == ".whl":
        return set(zipfile.ZipFile(archive).namelist())
    listed = subprocess.run(["tar", "tzf", str(archive)], capture_output=True, text=True, check=True)
    return {name.partition("/")[2] for name in listed.stdout.split()}
