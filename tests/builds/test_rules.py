"""What a build announces when builder, the recipe or a library has changed since the newest version."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from planted import ledger_of, outcomes, pages, sentence, write_lines

from builder import BuildResult, Corpus, Recipe, build, takedown, verify
from builder.domain import url as urls
from builder.errors import CorpusError, RecipeError
from builder.inputs import selection
from builder.recipe import identity
from builder.stages.dedup_near import DedupNear
from builder.stages.repair_text import RepairText

Make = Callable[..., BuildResult]

GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "corpus-1"


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    write_lines(tmp_path / "feed/a.jsonl", pages(20))
    return tmp_path / "feed"


def announced(make: Make, **options: Any) -> tuple[BuildResult, list[str]]:
    said: list[str] = []
    return make(notice=said.append, **options), said


def recipe_of(result: BuildResult) -> dict[str, Any]:
    entry: dict[str, Any] = json.loads((result.corpus / result.version / "manifest.json").read_bytes())[
        "recipe"
    ]
    return entry


def install(monkeypatch: pytest.MonkeyPatch, **versions: str) -> None:
    """Pretend that libraries have these versions."""
    real = identity.version
    monkeypatch.setattr(identity, "version", lambda name: versions.get(name) or real(name))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            lambda patch: patch.setattr(RepairText, "rules", 2),
            "repair_text works by rules number 2, and worked by number 1",
        ),
        (
            lambda patch: patch.setitem(DedupNear.__init__.__kwdefaults__, "threshold", 0.7),
            "the default of dedup_near.threshold is 0.7, and was 0.8",
        ),
        (
            lambda patch: install(patch, ftfy="99.0"),
            "ftfy is 99.0, and the rows were made with",
        ),
    ],
    ids=["rules", "default", "library"],
)
def test_a_change_of_builder_is_a_full_rebuild_with_its_reason(
    make: Make, feed: Path, monkeypatch: pytest.MonkeyPatch, change: Any, reason: str
) -> None:
    """An addition would mix rows of two kinds without a word."""
    make()
    write_lines(feed / "b.jsonl", [{"text": sentence(900)}])
    change(monkeypatch)
    result, (said,) = announced(make)
    assert said.startswith("full rebuild: ")
    assert reason in said
    assert said.endswith("The version after 1.0.0 is at most 2.0.0.")
    assert ledger_of(result)[0]["record_id"] == "jsonl/a.jsonl@0", "all inputs were read again"
    assert announced(make) == (announced(make)[0], []), "the new version has the new facts"


def test_an_accepted_library_adds_rows_and_is_listed(
    make: Make, feed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The manifest says which versions made the rows; other changes are never accepted with it."""
    first = make()
    (before,) = recipe_of(first)["libraries"]["ftfy"]
    write_lines(feed / "b.jsonl", [{"text": sentence(900)}])
    install(monkeypatch, ftfy="99.0")
    second, said = announced(make, accept_libraries=True)
    assert said == [
        f"ftfy is 99.0, and the rows were made with {before}; the manifest lists both",
        "building on 1.0.0: 1 of 2 inputs are new",
    ]
    assert second.version == "1.1.0"
    assert len(ledger_of(second)) == 1
    assert recipe_of(second)["libraries"]["ftfy"] == [before, "99.0"]
    assert recipe_of(second)["libraries"]["jsonschema-rs"] == recipe_of(first)["libraries"]["jsonschema-rs"]
    assert announced(make) == (announced(make)[0], []), "99.0 is known now"
    write_lines(feed / "c.jsonl", [{"text": sentence(901)}])
    third = make()
    assert recipe_of(third)["libraries"]["ftfy"] == [before, "99.0"]
    taken = takedown(third.corpus, urls=["https://example.org/1"], because="a test")
    assert (
        recipe_of(third)["libraries"]
        == json.loads((third.corpus / taken.version / "manifest.json").read_bytes())["recipe"]["libraries"]
    )
    rebuilt, (notice,) = announced(make, full=True)
    assert notice.startswith("full rebuild: --full was given.")
    assert recipe_of(rebuilt)["libraries"]["ftfy"] == ["99.0"]
    assert verify(third.corpus).clean


def test_without_the_option_the_notice_names_it(
    make: Make, feed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Next to another reason it would not help, so it is not named."""
    make()
    install(monkeypatch, ftfy="99.0")
    monkeypatch.setattr(RepairText, "rules", 2)
    _, (both,) = announced(make, accept_libraries=True)
    assert "repair_text works by rules number 2" in both
    assert "--accept-libraries" not in both
    monkeypatch.setattr(identity, "version", lambda name: "100.0" if name == "ftfy" else "99.0")
    _, (said,) = announced(make)
    assert "(use --accept-libraries to keep its rows)" in said


def test_a_change_of_the_card_makes_no_rows(make: Make, feed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So the manifest goes on listing only the library that made them, and the next addition is announced."""
    (before,) = recipe_of(make())["libraries"]["ftfy"]
    install(monkeypatch, ftfy="99.0")
    title = {"title": "Another"}
    card, said = announced(make, recipe=title, accept_libraries=True)
    assert (card.version, said) == ("1.0.1", [])
    assert recipe_of(card)["libraries"]["ftfy"] == [before]
    _, (notice,) = announced(make, recipe=title)
    assert notice.startswith("full rebuild: ftfy is 99.0")


# -- versions of older releases --------------------------------------------------------------------


@pytest.fixture
def older(tmp_path: Path) -> Callable[..., tuple[BuildResult, list[str]]]:
    """Return a function that adds one new input to the golden corpus, with its own recipe."""
    corpus = tmp_path / "corpus"
    shutil.copytree(GOLDEN, corpus, symlinks=True)
    document = Corpus(corpus).manifest("4.0.0").recipe["document"]
    write_lines(tmp_path / "feed" / "new.jsonl", [{"text": sentence(5_000)}])

    def run(**changes: Any) -> tuple[BuildResult, list[str]]:
        said: list[str] = []
        recipe = Recipe.from_dict({**document, "corpus": "corpus", **changes}, folder=tmp_path)
        return build(recipe, workers=1, notice=said.append), said

    return run


def test_an_addition_to_a_version_of_an_older_release_is_not_a_rebuild(older: Any) -> None:
    """Its manifest has only the recipe as written. The new manifest has all facts."""
    result, said = older(stages=[{stage: AS_BEFORE.get(stage, {})} for stage in STAGES])
    assert not any("full rebuild" in text for text in said)
    assert "building on 4.0.0: 1 of 1 inputs are new" in said
    assert recipe_of(result)["effective"]["stages"][0]["rules"] == 1
    made_with = Corpus(result.corpus).manifest("4.0.0").tools["ftfy"]
    assert recipe_of(result)["libraries"]["ftfy"][0] == made_with
    assert verify(result.corpus).clean
    assert result.version == "4.2.0"


def test_a_default_that_changed_since_an_older_release_is_announced(
    older: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old default, written out, keeps the rows. A rebuild stops here because inputs are missing."""
    monkeypatch.setitem(DedupNear.__init__.__kwdefaults__, "threshold", 0.7)
    with pytest.raises(RecipeError, match="the newest version contains the input"):
        older()
    kept = [{s: {"threshold": 0.8} if s == "dedup_near" else AS_BEFORE.get(s, {})} for s in STAGES]
    result, said = older(stages=kept)
    assert not any("full rebuild" in text for text in said)
    assert result.version == "4.2.0"


STAGES = ["validate", "extract_text", "repair_text", "dedup_url", "dedup_exact", "dedup_near"]
AS_BEFORE = {"extract_text": {"method": "resiliparse"}}
"""Options that keep what a default was when the golden corpus was built."""


# -- rules of canonical URLs -----------------------------------------------------------------------


def test_a_corpus_keeps_its_rules_of_canonical_urls_until_full(
    make: Make, feed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number alone announces no rebuild, so document ids stay; --full takes the newest rules."""
    stages = ["validate", "repair_text", "dedup_url"]  # without native parsers: in this process
    assert recipe_of(make(stages=stages))["url_rules"] == 2
    used: set[int] = set()
    real = urls.canonical_url

    def canonical(url: str, rules: int = 3) -> str | None:
        used.add(rules)
        return real(url, 2)

    for module in ("builder.pipeline.candidate_ids", "builder.stages.dedup_url"):
        monkeypatch.setattr(f"{module}.canonical_url", canonical)
    for name, value in (("URL_RULES", 3), ("KNOWN_URL_RULES", (1, 2, 3))):
        monkeypatch.setattr(selection, name, value)
    write_lines(feed / "b.jsonl", [{"text": sentence(900), "url": "https://example.org/900"}])
    second, said = announced(make, stages=stages)
    assert said == ["building on 1.0.0: 1 of 2 inputs are new"]
    assert (recipe_of(second)["url_rules"], used) == (2, {2})
    monkeypatch.setattr(RepairText, "rules", 2)
    third, _ = announced(make, stages=stages)
    assert (recipe_of(third)["url_rules"], used) == (2, {2})
    used.clear()
    fourth, _ = announced(make, stages=stages, full=True)
    assert (recipe_of(fourth)["url_rules"], used) == (3, {3})


def test_unknown_rules_of_canonical_urls_are_refused(
    make: Make, feed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An addition with other rules would give one page two ids."""
    make()
    monkeypatch.setattr(selection, "KNOWN_URL_RULES", (1,))
    write_lines(feed / "b.jsonl", [{"text": sentence(900)}])
    with pytest.raises(CorpusError, match=r"number 2, which this release does not know.*--full"):
        make()


# -- names and where -------------------------------------------------------------------------------


def test_stages_of_one_kind_have_ledgers_of_their_own(make: Make, tmp_path: Path) -> None:
    """Each has its name in ledger, index and card, and a later version compares with both."""
    near = [sentence(i, 40) for i in range(3)]
    rows = [{"text": text} for text in near]
    rows += [{"text": f"{near[0]} and two more"}, {"text": f"{near[1]} " + sentence(77, 8)}]
    write_lines(tmp_path / "feed/a.jsonl", rows)
    stages = [{"dedup_near": {"name": "strict", "threshold": 0.85}}, {"dedup_near": {"threshold": 0.6}}]
    result = make(stages=stages)
    assert outcomes(result) == {"kept": 3, "merged": 2}
    assert {row["stage"] for row in ledger_of(result)} == {None, "strict", "dedup_near"}
    index = result.corpus / ".index" / result.version
    assert {path.name for path in index.glob("*.arrow")} >= {"strict.arrow", "dedup_near.arrow"}
    card = (result.corpus / result.version / "README.md").read_text()
    assert "kind: dedup_near, threshold: 0.85" in card
    write_lines(
        tmp_path / "feed/b.jsonl",
        [{"text": f"{near[2]} and two more"}, {"text": f"{near[2]} " + sentence(78, 8)}],
    )
    added = make(stages=stages)
    assert [row["stage"] for row in ledger_of(added)] == ["strict", "dedup_near"]
    assert verify(result.corpus).clean


def test_where_restricts_stages_to_sources_and_languages(make: Make, tmp_path: Path) -> None:
    """Additions give what a full build gives, because the rows outside are remembered as such."""
    text = sentence(3)
    rows = [{"text": text, "language": tag} for tag in ("en", "en-GB", "de", "de")]
    stages: list[Any] = [
        {"repair_text": {"name": "english", "uncurl_quotes": True, "where": {"language": ["en"]}}},
        {"dedup_exact": {"where": {"language": ["en"], "sources": ["jsonl"]}}},
    ]
    curly = [{"text": f"“{sentence(9)}”", "language": tag} for tag in ("en", "de")]
    write_lines(tmp_path / "feed/a.jsonl", [*rows, *curly])
    result = make(stages=stages, splits={"train": 1.0})
    assert outcomes(result) == {"kept": 5, "merged": 1}
    texts = [row["text"][0] for row in rows_of(result)]
    assert (texts.count('"'), texts.count("“")) == (1, 1)
    write_lines(tmp_path / "feed/b.jsonl", rows)
    added = make(stages=stages, splits={"train": 1.0})
    assert outcomes(added) == {"kept": 2, "merged": 2}
    whole = make(stages=stages, splits={"train": 1.0}, corpus="whole")
    assert outcomes(whole) == {"kept": 7, "merged": 3}
    assert rows_of(whole) == rows_of(added)


def rows_of(result: BuildResult) -> list[dict[str, Any]]:
    return [
        row
        for paths in Corpus(result.corpus).data_files(result.version).values()
        for path in paths
        for row in pq.read_table(path).to_pylist()
    ]
