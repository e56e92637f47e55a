"""Laws of complete builds, on generated corpora of a few records."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st
from planted import ledger_of, sentence, write_lines

from builder import BuildResult, Corpus, Recipe, build

STAGES = [{"repair_text": {}}, {"dedup_url": {"keep": "first"}}, {"dedup_exact": {}}, {"dedup_near": {}}]
SPLITS = {"train": 0.5, "validation": 0.2, "test": 0.3}

texts = st.one_of(
    st.integers(0, 8).map(sentence),
    st.integers(0, 8).map(lambda seed: sentence(seed) + " and a tail"),
    st.sampled_from(["", "one two", "One  two!", "...", "短い文", "x" * 300]),
    st.text(max_size=30),
)
urls = st.one_of(
    st.none(), st.integers(0, 6).map(lambda n: f"https://example.org/{n}?utm_source=a"), st.just("not a url")
)
pages = st.fixed_dictionaries({"text": texts}, optional={"url": urls, "title": st.text(max_size=5)})
broken = st.sampled_from(
    ['{"text": 1}', "{", '{"text": NaN}', '"words"', '{"text": "a", "text": "b"}', "[" * 2000]
)
records = st.one_of(pages, pages, pages, broken)
corpora = st.lists(records, min_size=1, max_size=25).map(lambda rows: [{"text": sentence(99)}, *rows])


def run(folder: Path, files: list[list[Any]], *, corpus: str = "corpus", **options: Any) -> BuildResult:
    for i, rows in enumerate(files):
        write_lines(folder / corpus / "in" / f"{i:02}.jsonl", rows)
    document = {
        "name": "laws",
        "sources": [{"jsonl": {"path": f"{corpus}/in"}}],
        "stages": STAGES,
        "splits": SPLITS,
        "corpus": f"{corpus}/out",
    }
    return build(Recipe.from_dict(document, folder=folder), workers=1, **options)


def rows_of(result: BuildResult) -> dict[str, list[dict[str, Any]]]:
    files = Corpus(result.corpus).data_files(result.version)
    return {
        name: [row for f in paths for row in pq.read_table(f).to_pylist()] for name, paths in files.items()
    }


def splits_of(result: BuildResult) -> dict[str, Any]:
    return json.loads((result.corpus / result.version / "manifest.json").read_bytes())["splits"]


@settings(max_examples=25)
@given(corpora)
def test_every_record_has_one_row_in_the_ledger(rows: list[Any]) -> None:
    """The kept rows of the ledger are the rows of the shards."""
    with tempfile.TemporaryDirectory() as folder:
        result = run(Path(folder), [rows])
        ledger = ledger_of(result)
        published = rows_of(result)
    assert len({row["record_id"] for row in ledger}) == len(ledger) == len(rows)
    assert Counter(row["outcome"] for row in ledger) == {k: n for k, n in result.outcomes.items() if n}
    kept = {row["document_id"]: row["split"] for row in ledger if row["outcome"] == "kept"}
    assert kept == {row["id"]: split for split, found in published.items() for row in found}
    assert all(row["kept_id"] in kept for row in ledger if row["outcome"] == "merged" and row["kept_id"])
    assert all(row["stage"] and row["reason"] for row in ledger if row["outcome"] != "kept")


@settings(max_examples=15)
@given(corpora, st.integers(1, 9))
def test_the_batch_size_does_not_change_the_version(rows: list[Any], batch_rows: int) -> None:
    """Users choose the batch size for memory, not for content."""
    with tempfile.TemporaryDirectory() as folder:
        one = run(Path(folder), [rows])
        other = run(Path(folder), [rows], corpus="other", batch_rows=batch_rows)
        assert splits_of(one) == splits_of(other)


@settings(max_examples=15)
@given(corpora, st.integers(0, 25))
def test_splitting_a_file_does_not_change_the_version(rows: list[Any], at: int) -> None:
    """Rows and shards depend only on the records and their order."""
    with tempfile.TemporaryDirectory() as folder:
        one = run(Path(folder), [rows])
        two = run(Path(folder), [rows[:at], rows[at:]], corpus="two")
        assert splits_of(one) == splits_of(two)


@settings(max_examples=15)
@given(corpora, corpora)
def test_added_pages_do_not_change_or_move_old_rows(first: list[Any], more: list[Any]) -> None:
    """Each old row stays equal, in its split and in its order."""
    with tempfile.TemporaryDirectory() as folder:
        old = rows_of(run(Path(folder), [first]))
        new = rows_of(run(Path(folder), [first, more], corpus="more"))
    for split, rows in old.items():
        ids = {row["id"] for row in rows}
        assert [row for row in new[split] if row["id"] in ids] == rows


@settings(max_examples=15)
@given(corpora)
def test_a_build_of_published_rows_keeps_all_of_them(rows: list[Any]) -> None:
    """Deduplication of a deduplicated corpus rejects nothing."""
    with tempfile.TemporaryDirectory() as folder:
        published = [row for found in rows_of(run(Path(folder), [rows])).values() for row in found]
        again = [{"url": row["url"], "text": row["text"]} for row in published]
        result = run(Path(folder), [again], corpus="again")
    assert result.outcomes["kept"] == result.n_records == len(again)
