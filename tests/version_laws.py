"""The laws of versions, as functions of a few records, and strategies for these."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import reference
from hypothesis import strategies as st
from ledger_replay import assert_counts_add_up
from planted import ledger_of, sentence, write_lines

from builder import BuildResult, Corpus, Recipe, build, takedown

APPENDING = [{"repair_text": {}}, {"dedup_url": {"keep": "first"}}, {"dedup_exact": {}}, {"dedup_near": {}}]
CRAWLING = [{"repair_text": {}}, {"dedup_url": {}}, {"dedup_exact": {}}, {"dedup_near": {}}]
SPLITS = {"train": 0.5, "validation": 0.2, "test": 0.3}
LEAST_SHARE = 0.2

texts = st.one_of(
    st.integers(0, 9).map(sentence),
    st.integers(0, 9).map(lambda seed: sentence(seed) + " and a tail"),
    st.sampled_from(["", "one two", "One  two!", "...", "短い文", "x" * 300]),
)
urls = st.one_of(st.none(), st.integers(0, 12).map(lambda n: f"https://example.org/{n}?utm_source=a"))
days = st.one_of(st.none(), st.integers(1, 28).map(lambda day: f"2024-01-{day:02}T00:00:00Z"))
pages = st.fixed_dictionaries({"text": texts, "url": urls, "fetched_at": days})
broken = st.sampled_from(['{"text": 1}', "{"])
records = st.one_of(pages, pages, pages, pages, pages, broken)
corpora = st.lists(records, min_size=2, max_size=14)
visits = st.fixed_dictionaries(
    {
        "text": texts,
        "url": st.integers(0, 3).map(lambda n: f"https://example.org/{n}"),
        "day": st.integers(1, 28),
    }
)
crawls = st.lists(
    st.lists(st.one_of(visits, visits, records), min_size=2, max_size=12), min_size=2, max_size=4
)
"""Several crawls: each one visits some of the same few pages in its own month, and any other pages."""
seen: Counter[str] = Counter()
"""The number of corpora, and the number of those that had the case that a law is about."""


def make(folder: Path, *, corpus: str, stages: list[Any] = APPENDING, **options: Any) -> BuildResult:
    document = {
        "name": "laws",
        "sources": [{"jsonl": {"path": "in"}}],
        "stages": stages,
        "splits": SPLITS,
        "corpus": corpus,
    }
    return build(Recipe.from_dict(document, folder=folder), workers=1, **options)


def digests(corpus: Path) -> dict[str, Any]:
    splits = json.loads((corpus / "latest" / "manifest.json").read_bytes())["splits"]
    return {name: (one["content_digest"], one["order_digest"]) for name, one in splits.items()}


def rows_of(corpus: Path, version: str) -> dict[str, list[dict[str, Any]]]:
    files = Corpus(corpus).data_files(version)
    return {
        name: [row for f in paths for row in pq.read_table(f).to_pylist()] for name, paths in files.items()
    }


def outcome(row: dict[str, Any]) -> dict[str, Any]:
    """Return a ledger row without its shard: shards are cut differently if a version adds to its parent."""
    return {name: value for name, value in row.items() if name != "shard"}


def note(**facts: bool) -> None:
    seen["corpora"] += 1
    seen.update(name for name, is_so in facts.items() if is_so)


def check_appending(first: list[Any], more: list[Any]) -> None:
    """Check that building A and then adding B gives the rows, order and ledger of building A + B at once."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_lines(folder / "in" / "0.jsonl", [{"text": sentence(99)}, *first])
        kept = {row["kept_id"] for row in ledger_of(make(folder, corpus="grown"))}
        write_lines(folder / "in" / "1.jsonl", [{"text": sentence(98)}, *more])
        grown, whole = make(folder, corpus="grown"), make(folder, corpus="whole")
        assert digests(grown.corpus) == digests(whole.corpus)
        behind = [row for row in ledger_of(whole) if row["path"] == "1.jsonl"]
        assert [outcome(row) for row in ledger_of(grown)] == [outcome(row) for row in behind]
    across = any(row["outcome"] == "merged" and row["kept_id"] in kept for row in behind)
    note(across=across, splits=len(digests_names(behind)) > 1)


def digests_names(rows: list[dict[str, Any]]) -> set[str]:
    return {row["split"] for row in rows if row["split"]}


def check_taking_down(first: list[Any], more: list[Any], which: int) -> None:
    """Check that a takedown between A and B gives the same as this takedown after A and B."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_lines(folder / "in" / "0.jsonl", [{"text": sentence(99)}, *first])
        for corpus in ("between", "after"):
            make(folder, corpus=corpus)
        there = sorted({row["url"] for row in first if isinstance(row, dict) and row["url"]})
        asked = there[which % len(there)] if there else "https://example.org/nothing"
        removed = len(takedown(folder / "between", urls=[asked], because="asked").documents)
        write_lines(folder / "in" / "1.jsonl", [{"text": sentence(98)}, *more])
        barred = make(folder, corpus="between")
        make(folder, corpus="after")
        takedown(folder / "after", urls=[asked], because="asked")
        assert digests(folder / "between") == digests(folder / "after")
        assert_counts_add_up(folder / "between")
        assert_counts_add_up(folder / "after")
    reasons = Counter(row["reason"] for row in ledger_of_lines(barred))
    note(takedown=removed > 0, tombstone=reasons["tombstone"] > 0)


def ledger_of_lines(result: BuildResult) -> list[dict[str, Any]]:
    return [{"reason": reason} for (_, _, reason), n in result.reasons for _ in range(n)]


def check_crawling(several: list[list[Any]]) -> None:
    """Check that each removed or changed row of the parent has a ledger row, and all others are unchanged.

    Also, no two published documents are near-duplicates.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        before: dict[str, list[dict[str, Any]]] = {}
        replaced = False
        for number, crawl in enumerate(several):
            rows = [{"text": sentence(99 - number)}, *(_dated(row, month=number + 1) for row in crawl)]
            write_lines(folder / "in" / f"{number}.jsonl", rows)
            result = make(folder, corpus="out", stages=CRAWLING)
            after = rows_of(result.corpus, result.version)
            replaced |= any(_changes(before, after, ledger_of(result)))
            assert_apart([row for found in after.values() for row in found])
            before = after
        assert_counts_add_up(result.corpus)
    note(recrawl=replaced)


def _dated(row: Any, *, month: int) -> Any:
    """Set the day of a visit; other records have their own day, or none."""
    if not isinstance(row, dict) or "day" not in row:
        return row
    day = row["day"]
    rest = {name: value for name, value in row.items() if name != "day"}
    return rest | {"fetched_at": f"2024-{month:02}-{day:02}T00:00:00Z"}


def _changes(
    before: dict[str, list[dict[str, Any]]],
    after: dict[str, list[dict[str, Any]]],
    ledger: list[dict[str, Any]],
) -> Iterator[bool]:
    now = {row["id"]: (split, row) for split, rows in after.items() for row in rows}
    stated = Counter(row["kept_id"] for row in ledger) + Counter(row["document_id"] for row in ledger)
    for split, rows in before.items():
        stays = [row["id"] for row in rows if row["id"] in now]
        assert [row["id"] for row in after.get(split, []) if row["id"] in set(stays)] == stays
        for row in rows:
            is_same = now.get(row["id"]) == (split, row)
            assert is_same or stated[row["id"]], row
            own = {r["merged_into"] for r in ledger if r["document_id"] == row["id"]}
            assert row["id"] in now or row["id"] not in own, row
            yield not is_same and row["id"] in now


def assert_apart(rows: list[dict[str, Any]]) -> None:
    sets = [reference.shingles(row["text"]) for row in rows]
    for i, one in enumerate(sets):
        for other in sets[:i]:
            assert not one or reference.jaccard(one, other) < 0.8
