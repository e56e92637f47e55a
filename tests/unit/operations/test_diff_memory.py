"""The memory of a comparison does not grow with the size of the versions."""

from __future__ import annotations

import contextlib
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from builder.comparison import buckets
from builder.comparison.compare import compare
from builder.comparison.row_changes import RowChange, walk_rows
from builder.comparison.sides import Side, SideShard
from builder.domain.ledger import LEDGER_SCHEMA

SCHEMA = pa.schema([("id", pa.string()), ("url", pa.string()), ("text", pa.string())])
SHARD_ROWS = 1_000


def write_side(folder: Path, n_rows: int, *, tail: str) -> Side:
    """Write rows; on the side with a tail every third row has another text, and every tenth another id."""
    folder.mkdir(parents=True)
    shards = []
    for first in range(0, n_rows, SHARD_ROWS):
        numbers = range(first, first + SHARD_ROWS)
        columns = {
            "id": [f"{i + (10**6 if tail and i % 10 == 0 else 0):032x}" for i in numbers],
            "url": [f"https://example.org/{i}" for i in numbers],
            "text": [f"text {i} " * 20 + (tail if i % 3 == 0 else "") for i in numbers],
        }
        path = folder / f"{first}.parquet"
        pq.write_table(pa.table(columns, schema=SCHEMA), path)
        shards.append(SideShard(split="train", path=path, sha256=str(path), rows=SHARD_ROWS))
    return Side(columns=SCHEMA, shards=shards)


def write_ledger(path: Path, n_rows: int, *, outcome: str, by_document: bool) -> Path:
    blank = dict.fromkeys(LEDGER_SCHEMA.names) | {"source": "jsonl", "path": "a", "ordinal": 0, "offset": 0}
    rows = [
        blank
        | {"record_id": f"jsonl/a@{i}", "outcome": outcome, "stage": "s", "reason": "r"}
        | ({"document_id": f"{i:032x}"} if by_document else {})
        for i in range(n_rows)
    ]
    pq.write_table(pa.Table.from_pylist(rows, schema=LEDGER_SCHEMA), path, row_group_size=SHARD_ROWS)
    return path


@contextlib.contextmanager
def counting_pool() -> Iterator[pa.MemoryPool]:
    """Use an Arrow memory pool that counts from now on."""
    before = pa.default_memory_pool()
    pool = pa.proxy_memory_pool(before)
    pa.set_memory_pool(pool)
    yield pool
    pa.set_memory_pool(before)


def peak_bytes(folder: Path, n_rows: int) -> int:
    """Compare two sides of ``n_rows`` rows; return the peak memory of Python, NumPy and Arrow in bytes."""
    sides = [write_side(folder / name, n_rows, tail=tail) for name, tail in (("old", ""), ("new", "tail"))]
    older = write_ledger(folder / "older.parquet", n_rows, outcome="kept", by_document=True)
    newer = write_ledger(folder / "newer.parquet", n_rows, outcome="rejected", by_document=False)
    scratch = folder / "scratch"
    scratch.mkdir()
    told: list[int] = []

    def report(row: RowChange) -> None:
        told.append(len(row.columns)) if len(told) < 10 else None

    tracemalloc.start()
    with counting_pool() as pool:
        found = compare(
            *sides, scratch=scratch, ledgers=[newer], older_ledgers=[older], rows_at_once=2 * SHARD_ROWS
        )
        columns = walk_rows(
            found, scratch=scratch, url_columns=("url", "url"), limit=None, report=report, group_bytes=300_000
        )
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    changes = found.splits["train"]
    assert (changes.removed, changes.added) == (n_rows // 10, n_rows // 10)
    assert columns["text"] == changes.changed > n_rows // 4
    assert list(found.removed) == [("rejected", "s", "r")]
    return peak + pool.max_memory()


def test_memory_does_not_grow_with_the_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Six times the rows need at most a quarter more memory, with all rows and all reasons."""
    monkeypatch.setattr(buckets, "BUFFERED_RECORDS", 1_000)
    peak_bytes(tmp_path / "first", 2 * SHARD_ROWS)  # what is loaded only once
    small = peak_bytes(tmp_path / "small", 4 * SHARD_ROWS)
    large = peak_bytes(tmp_path / "large", 24 * SHARD_ROWS)
    assert large < 1.25 * small, (small, large)
