"""The index has each row of each shard, also of rewritten shards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from planted import sentence, write_lines

from builder import BuildResult, Corpus, takedown, verify
from builder.domain.document_ids import DocumentIds
from builder.history.index import Segment
from builder.history.lineage import Lineage
from builder.history.shard_notes import NotedColumns, ShardNotes
from builder.protocols import Columns
from builder.release import plan

Make = Callable[..., BuildResult]


def page(number: int, seed: int, *, day: int = 1) -> dict[str, Any]:
    fetched_at = f"2024-01-{day:02}T00:00:00Z"
    return {"url": f"https://a.example/{number}", "text": sentence(seed), "fetched_at": fetched_at}


def check(corpus: Corpus, version: str) -> None:
    """Compare the ids and digests of a version's shards in the index with the shards."""
    lineage = Lineage.of(corpus, version)
    for split, number, shard in lineage._shards():
        table = pq.read_table(lineage.shard_path(split, number))
        notes = ShardNotes(NotedColumns.of(table.schema, Columns(text="text", url="url")))
        notes.take(table)
        assert lineage.ids(shard.sha256) == DocumentIds.of_texts(table["id"])
        assert lineage.digests(shard.sha256).tolist() == np.concatenate(notes.digests).tolist()


@pytest.fixture
def corpus(make: Make, tmp_path: Path) -> Corpus:
    """A corpus of twenty pages; then, three times, a takedown of a page and a new fetch of two pages."""
    write_lines(tmp_path / "feed/0.jsonl", [page(i, i) for i in range(20)])
    folder = make(workers=1).corpus
    for turn in range(1, 4):
        takedown(folder, urls=[f"https://a.example/{3 * turn}"], because="asked")
        again = [page(i, 100 * turn + i, day=turn + 1) for i in (1, 17)]
        write_lines(tmp_path / f"feed/{turn}.jsonl", again)
        make(workers=1)
    return Corpus(folder)


@pytest.mark.sampled(1)
@pytest.mark.parametrize("most", [0, 2])
def test_rewritten_shards_are_stored_as_edits(
    most: int, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """After any number of rewrites in a row the index has the right rows, and stores only new rows."""
    monkeypatch.setattr(plan, "MOST_DERIVED", most)
    corpus = request.getfixturevalue("corpus")
    assert len(corpus.versions()) == 7
    for version in corpus.versions():
        check(corpus, version)
    segments = [Segment.read(corpus.index_folder(version)) for version in corpus.versions()]
    derived = [shard for segment in segments for shard in segment.shards if shard.derived]
    assert bool(derived) == bool(most)
    assert {shard.listed_rows for shard in derived} <= {0, 1, 2}
    assert verify(corpus.path).clean


@pytest.mark.sampled(1)
def test_after_a_purge_no_shard_depends_on_another(corpus: Corpus) -> None:
    """A purge may change the shards that others were made from, so it stores all rows; builds continue."""
    takedown(corpus.path, urls=["https://a.example/5"], because="asked", purge=True)
    for version in corpus.versions():
        check(corpus, version)
    takedown(corpus.path, urls=["https://a.example/7"], because="asked")
    check(corpus, corpus.newest())
    assert verify(corpus.path).clean
