"""Every release reads the corpora of all earlier formats; one corpus of each format is kept here."""

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

from builder import Corpus, Recipe, build, takedown, verify
from builder.cli import main

GOLDEN = Path(__file__).resolve().parent / "golden"
CORPORA = sorted(path for path in GOLDEN.glob("corpus-*") if path.is_dir())


@pytest.fixture(scope="module")
def making() -> ModuleType:
    """The script that creates the golden corpora."""
    spec = importlib.util.spec_from_file_location("make_corpus", GOLDEN / "make_corpus.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(params=CORPORA, ids=lambda path: path.name)
def golden(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of a golden corpus."""
    shutil.copytree(request.param, tmp_path / request.param.name, symlinks=True)
    return tmp_path / request.param.name


def expected(corpus: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((GOLDEN / f"{corpus.name}.json").read_text(encoding="utf-8"))
    return found


def test_the_first_format_has_a_golden_corpus() -> None:
    """Format 1 is the first that was released."""
    assert CORPORA[0].name == "corpus-1"


def test_rows_changes_and_outcomes_are_read_unchanged(golden: Path, making: ModuleType) -> None:
    """Digests, rows and the results of `diff` and `why` are those of the release that wrote the corpus."""
    assert json.loads(json.dumps(making.read(golden))) == expected(golden)


def test_a_golden_corpus_verifies(golden: Path) -> None:
    """A later release reports no fault and computes the same digests."""
    result = verify(golden)
    assert list(result.faults) == []
    assert result.digests == expected(golden)["versions"]
    assert result.purged == {"1.0.0": 1}


@pytest.mark.parametrize(
    "command", [["versions"], ["verify"], ["diff", "1.0.0", "4.0.0"], ["why", "https://a.example/1"]]
)
def test_commands_open_a_golden_corpus(golden: Path, command: list[str]) -> None:
    """Each command ends with status 0 and prints one JSON document."""
    name, *more = command
    out = io.StringIO()
    with contextlib.redirect_stdout(out), pytest.raises(SystemExit) as end:
        main([name, str(golden), *more, "--json"])
    assert end.value.code == 0
    assert json.loads(out.getvalue())


def test_load_dataset_reads_a_golden_corpus(golden: Path, tmp_path: Path) -> None:
    """It returns the rows of each version that has rows, and of the newest valid version."""
    import datasets

    datasets.disable_progress_bars()
    load: Callable[..., Any] = datasets.load_dataset
    wanted = expected(golden)
    for version, splits in wanted["rows"].items():
        found = load(str(golden), version, cache_dir=str(tmp_path / "cache"))
        assert {name: list(split["id"]) for name, split in found.items()} == {
            name: [row[0] for row in rows] for name, rows in splits.items()
        }
    newest = load(str(golden), cache_dir=str(tmp_path / "cache"))
    assert str(next(iter(newest.values())).info.version) == wanted["newest"]


TEXTS = ("Tides turn twice a day.", "A lamp burns all night.", "Seven boats left the harbour.")
ROUTES = [{"url": f"https://app.example/#/{i}", "text": TEXTS[i]} for i in range(3)]


def test_a_corpus_keeps_its_rules_of_canonical_urls_until_a_full_build(golden: Path) -> None:
    """By rules number 1 all routes are one page; the new rules announce no rebuild of their own."""
    feed = golden.parent / "feed"
    feed.mkdir()
    (feed / "routes.jsonl").write_text("".join(json.dumps(page) + "\n" for page in ROUTES), encoding="utf-8")
    document = Corpus(golden).manifest(Corpus(golden).newest()).recipe["document"] | {"corpus": golden.name}
    old = {"extract_text": {"method": "resiliparse"}}
    stages = [old if "extract_text" in one else one for one in document["stages"]]
    recipe = Recipe.from_dict(
        document | {"stages": stages}, folder=golden.parent
    )  # the extractor of that time
    notices: list[str] = []
    result = build(recipe, notice=notices.append)
    assert not any("rebuild" in text for text in notices)
    assert Corpus(golden).manifest(result.version).url_rules == 1
    assert (result.outcomes["kept"], result.outcomes["merged"]) == (1, 2)
    result = build(recipe, full=True, prune=True)
    assert Corpus(golden).manifest(result.version).url_rules == 2
    assert (result.outcomes["kept"], result.outcomes["merged"]) == (3, 0)


def test_a_new_version_can_build_on_a_golden_corpus(golden: Path) -> None:
    """The index of the older format can be read."""
    result = takedown(golden, urls=["https://a.example/7"], because="a test", purge=True)
    assert len(result.documents) == 1
    assert result.purged
    assert Corpus(golden).newest() == result.version
    assert verify(golden).clean
