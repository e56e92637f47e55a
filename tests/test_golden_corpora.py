"""A corpus of each released format stays here as it was written, and is read by every later release."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from builder import Corpus, takedown, verify
from builder.cli import main

GOLDEN = Path(__file__).resolve().parent / "golden"
CORPORA = sorted(path for path in GOLDEN.glob("corpus-*") if path.is_dir())


@pytest.fixture(scope="module")
def making() -> ModuleType:
    """The script that makes them."""
    spec = importlib.util.spec_from_file_location("make_corpus", GOLDEN / "make_corpus.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(params=CORPORA, ids=lambda path: path.name)
def golden(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of one of them."""
    shutil.copytree(request.param, tmp_path / request.param.name, symlinks=True)
    return tmp_path / request.param.name


def expected(corpus: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((GOLDEN / f"{corpus.name}.json").read_text(encoding="utf-8"))
    return found


def test_there_is_one_of_the_first_format() -> None:
    """Format 1 is the first that was released."""
    assert CORPORA[0].name == "corpus-1"


def test_rows_changes_and_outcomes_are_read_as_ever(golden: Path, making: ModuleType) -> None:
    """Digests, rows, what `diff` finds and what `why` tells are what they were when it was made."""
    assert json.loads(json.dumps(making.read(golden))) == expected(golden)


def test_it_verifies(golden: Path) -> None:
    """No byte is called a fault by a later release, and no version's digest is another one."""
    result = verify(golden)
    assert list(result.faults) == []
    assert result.digests == expected(golden)["versions"]
    assert result.purged == {"1.0.0": 1}


@pytest.mark.parametrize(
    "command", [["versions"], ["verify"], ["diff", "1.0.0", "4.0.0"], ["why", "https://a.example/1"]]
)
def test_the_commands_open_it(golden: Path, command: list[str]) -> None:
    """Each ends with status 0 and one JSON document."""
    name, *more = command
    out = io.StringIO()
    with contextlib.redirect_stdout(out), pytest.raises(SystemExit) as end:
        main([name, str(golden), *more, "--json"])
    assert end.value.code == 0
    assert json.loads(out.getvalue())


def test_it_loads(golden: Path, tmp_path: Path) -> None:
    """`load_dataset` gives the rows of each version that has some, and of the newest good one."""
    import datasets

    datasets.disable_progress_bars()
    load: Callable[..., Any] = datasets.load_dataset
    told = expected(golden)
    for version, splits in told["rows"].items():
        found = load(str(golden), version, cache_dir=str(tmp_path / "cache"))
        assert {name: list(split["id"]) for name, split in found.items()} == {
            name: [row[0] for row in rows] for name, rows in splits.items()
        }
    newest = load(str(golden), cache_dir=str(tmp_path / "cache"))
    assert str(next(iter(newest.values())).info.version) == told["newest"]


def test_it_goes_on(golden: Path) -> None:
    """A version can follow: the index of the older format is understood."""
    result = takedown(golden, urls=["https://a.example/7"], because="a test", purge=True)
    assert len(result.documents) == 1
    assert result.purged
    assert Corpus(golden).newest() == result.version
    assert verify(golden).clean
