"""Cards count over all versions that a version builds on, and describe every column."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ledger_replay import assert_counts_add_up
from planted import pages, sentence, write_lines

from builder import BuildResult, takedown
from builder.release import lineage_counts

Make = Callable[..., BuildResult]

TWO_SOURCES = {
    "sources": [
        {"jsonl": {"path": "feed/*.jsonl"}},
        {"csv": {"path": "tables/*.csv", "name": "tables"}},
    ]
}


def part(result: BuildResult, name: str) -> str:
    """Return one generated part of the card of a version; empty without it."""
    card = (result.corpus / result.version / "README.md").read_text()
    found = re.search(rf"builder:begin {name} -->\n(.*)<!-- builder:end {name} -->", card, re.DOTALL)
    return found[1] if found else ""


def rows_of(text: str, header: str) -> dict[str, list[str]]:
    """Return the rows of the Markdown table with this header, by their first cell."""
    table = text[text.index(header) :].split("\n\n")[0].splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table]
    return {one[0].strip("`"): one[1:] for one in cells}


def counts_of(result: BuildResult) -> dict[str, Any]:
    counts: dict[str, Any] = json.loads((result.corpus / result.version / "manifest.json").read_bytes())[
        "counts"
    ]
    return counts


def test_the_funnel_covers_all_versions_and_the_addition_has_its_own_section(
    make: Make, tmp_path: Path
) -> None:
    """Each record counts once, with its newest outcome, next to the inputs of all versions."""
    write_lines(tmp_path / "feed/a.jsonl", [*pages(9), "{", {"text": sentence(3)}, {"text": sentence(3)}])
    first = make()
    write_lines(tmp_path / "feed/b.jsonl", [{"text": sentence(70)}, {"text": sentence(3)}, "{"])
    second = make()
    assert part(first, "added") == ""
    lineage = counts_of(second)["lineage"]
    assert lineage["records"] == counts_of(first)["records"] + 3
    assert f"{lineage['records']} records were read from 2 inputs" in part(second, "made")
    assert f"{lineage['kept']:,} are kept" in part(second, "made")
    assert "3 records were read from 1 new input: 1 kept, 0 rejected, 1 merged, 1 failed." in part(
        second, "added"
    )
    assert f"{lineage['merged']} records are merged" in part(second, "duplicates")
    assert_counts_add_up(second.corpus)


def test_sources_are_next_to_each_other_with_their_own_counts(make: Make, tmp_path: Path) -> None:
    """A record comes from one source: the table of sources is not part of the funnel."""
    write_lines(tmp_path / "feed/a.jsonl", [{"text": sentence(1)}, {"text": sentence(2)}, "{"])
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables/a.csv").write_text(f"text\n{sentence(1)}\n{sentence(5)}\n")
    made = part(make(recipe=TWO_SOURCES), "made")
    assert rows_of(made, "| source | records in") == {
        "jsonl": ["3", "2", "0", "0", "1"],
        "tables": ["2", "1", "0", "1", "0"],
    }
    assert rows_of(made, "| stage | records in")["the sources"] == ["5", "0", "0", "1", "4"]


def test_counts_add_up_after_a_recrawl_a_takedown_and_a_prune(make: Make, tmp_path: Path) -> None:
    """A record whose outcome changes moves from one count to the other, in every version."""
    day = "2024-01-0{}T00:00:00Z"

    def page(number: int, seed: int, n: int) -> dict[str, Any]:
        url = f"https://a.example/{number}"
        return {"url": url, "text": sentence(seed), "fetched_at": day.format(n)}

    write_lines(tmp_path / "feed/a.jsonl", [page(1, 1, 1), page(2, 2, 1), page(3, 1, 1), page(4, 4, 1)])
    write_lines(tmp_path / "feed/b.jsonl", [page(5, 5, 1), page(6, 4, 1)])
    make()
    write_lines(tmp_path / "feed/c.jsonl", [page(2, 20, 2), page(7, 7, 2)])
    make()
    takedown(tmp_path / "corpus", urls="https://a.example/1", because="asked")
    (tmp_path / "feed/a.jsonl").unlink()
    pruned = make(prune=True)
    assert counts_of(pruned)["lineage"]["versions"] == 4
    corpus = tmp_path / "corpus"
    for version in ("1.0.0", "2.0.0", "3.0.0"):
        assert (corpus / version).exists()
    assert_counts_add_up(corpus)


def test_a_full_rebuild_starts_the_counts_again(make: Make, tmp_path: Path) -> None:
    """It builds on no other version, so its own counts are all."""
    write_lines(tmp_path / "feed/a.jsonl", pages(9))
    make()
    write_lines(tmp_path / "feed/b.jsonl", [{"text": sentence(70)}])
    full = make(full=True)
    assert "lineage" not in counts_of(full)
    assert part(full, "added") == ""


def test_older_manifests_are_counted_from_their_ledgers(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version of an older builder has no counts by source, so the ledgers are read once."""
    write_lines(tmp_path / "feed/a.jsonl", [*pages(9), {"text": sentence(3)}])
    make()
    takedown(tmp_path / "corpus", urls="https://example.org/page/1", because="asked")
    write_lines(tmp_path / "feed/b.jsonl", [{"text": sentence(70)}])
    with monkeypatch.context() as patch:
        patch.setattr(lineage_counts, "counts_up_to", lambda _: None)
        make()
    assert_counts_add_up(tmp_path / "corpus")


def test_every_published_column_has_a_description(make: Make, tmp_path: Path) -> None:
    """From the stage that writes it, else from the contract, else from where the value comes from."""
    write_lines(tmp_path / "feed/a.jsonl", [{"text": sentence(i), "site": "a"} for i in range(9)])
    stages = [
        {"clean_text": {}},
        {"language": {}},
        {"signals": {"columns": ["words"]}},
        {"filter": {"words": {"min": 1}, "mode": "tag"}},
        {"dedup_exact": {"mode": "tag"}},
        "dedup_near",
    ]
    result = make(stages=stages, recipe={"publish": ["site"]})
    described = rows_of(part(result, "contents"), "| column | type")
    assert all(cells[-1] for cells in described.values()), described
    assert "detected" in described["language"][-1]
    assert {"site", "words", "filter_reason", "dedup_exact_cluster", "removed_share"} < described.keys()


def test_a_property_without_description_is_described_by_its_contract(make: Make, tmp_path: Path) -> None:
    """A contract of your own need not describe its properties."""
    contract = {"type": "object", "properties": {"body": {"type": "string"}, "n": {"type": "integer"}}}
    (tmp_path / "c.schema.json").write_text(json.dumps(contract))
    write_lines(tmp_path / "feed/a.jsonl", [{"body": sentence(1), "n": 1, "more": 2}])
    result = make(stages=["dedup_exact"], recipe={"contract": "c.schema.json", "columns": {"text": "body"}})
    described = rows_of(part(result, "contents"), "| column | type")
    assert all(cells[-1] for cells in described.values()), described


def test_the_card_names_neither_the_place_of_the_corpus_nor_a_day_that_nobody_gave(
    make: Make, tmp_path: Path
) -> None:
    """The corpus can be anywhere; the day of the newest page is not the day of the version."""
    write_lines(tmp_path / "feed/a.jsonl", [{"text": sentence(1), "fetched_at": "2024-02-03T00:00:00Z"}])
    result = make(corpus="some/where")
    assert "pages fetched until 2024-02-03" in part(result, "what")
    assert 'load_dataset("path/to/corpus/1.0.0")' in part(result, "load")


def test_a_filter_that_tags_works_before_a_deduplication(make: Make, tmp_path: Path) -> None:
    """Only corpus stages have a column of clusters; a filter's `mode: tag` has its own column."""
    write_lines(tmp_path / "feed/a.jsonl", pages(5))
    result = make(stages=[{"filter": {"words": {"min": 10_000}, "mode": "tag"}}, "dedup_near"])
    assert result.outcomes["kept"] > 0
    assert result.tagged == {}
    assert "`filter` runs in `mode: tag`" in part(result, "made")
