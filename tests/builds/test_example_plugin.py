"""The package in examples/plugin, installed in an environment of its own and used as a user does."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import venv
from importlib.metadata import entry_points
from pathlib import Path

import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).resolve().parents[2]
MAIN = "from builder.cli import main; main()"
NOTES = {
    "a": "URL: https://a.example/tides\nFetched: 2024-05-01T12:00:00Z\n\nThe tide comes in twice a day.",
    "b": "URL: https://a.example/short\n\nTwo words",
    "c": "URL: https://a.example/loud\n\nTHE TIDE COMES IN TWICE A DAY",
}


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with the libraries of this one and the installed package."""
    folder = tmp_path_factory.mktemp("plugin")
    venv.EnvBuilder(with_pip=False, symlinks=True).create(folder / "env")
    found = folder / "env/bin/python"
    (site,) = (folder / "env/lib").glob("python*/site-packages")
    seen = [str(ROOT), *(path for path in sys.path if path.endswith(("site-packages", "dist-packages")))]
    (site / "libraries.pth").write_text("\n".join(seen) + "\n")
    shutil.copytree(ROOT / "examples/plugin", folder / "package")
    pip = [found, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index"]
    run(*pip, "--no-deps", "--no-build-isolation", folder / "package")
    return found


def run(*command: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    ran = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, cwd=cwd)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran


def test_the_package_is_not_installed_here() -> None:
    """The other tests see only the stages of builder."""
    assert "min_words" not in entry_points(group="builder.stages").names


def test_the_stages_and_the_source_work_in_a_build(python: Path, tmp_path: Path) -> None:
    """The recipe of the README. The manifest names the package and its version."""
    (tmp_path / "notes").mkdir()
    for name, text in NOTES.items():
        (tmp_path / f"notes/{name}.note").write_text(text)
    readme = (ROOT / "examples/plugin/README.md").read_text().split("```")
    (entries,) = (block for block in readme if block.startswith("\nsources:"))
    (tmp_path / "recipe.yaml").write_text(f"name: notes\ncorpus: corpus\n{entries}")
    run(python, "-c", MAIN, "build", "recipe.yaml", "--workers", "2", cwd=tmp_path)
    version = tmp_path / "corpus/1.0.0"
    (row,) = pq.read_table(version / "data").to_pylist()
    assert row["url"] == "https://a.example/tides"
    assert row["fetched_at"].isoformat() == "2024-05-01T12:00:00+00:00"
    ledger = pq.read_table(tmp_path / "corpus/.audit/1.0.0/ledger.parquet").to_pylist()
    assert [(one["stage"], one["reason"]) for one in ledger if one["outcome"] != "kept"] == [
        ("min_words", "few_words"),
        ("no_shouting", "shouting"),
    ]
    assert json.loads((version / "manifest.json").read_text())["tools"]["harbour-words"] == "1.0"


@pytest.mark.parametrize("stage", ["min_words", "no_shouting"])
def test_the_stages_keep_the_laws(python: Path, stage: str) -> None:
    """`builder plugin check` exits with 0."""
    assert "of harbour-words 1.0: 300 rows" in run(python, "-c", MAIN, "plugin", "check", stage).stdout
