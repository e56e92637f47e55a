"""The source of Parquet files."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from builder.engines.guard import NullGuard
from builder.io import parquet
from builder.io.parquet import ParquetSource

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from builder.protocols import Guard, Reading, Task

TABLE = pa.table(
    {
        "text": [f"text {i} {random.Random(i).random()}" for i in range(1000)],
        "n": pa.array(range(1000), pa.int32()),
        "tags": [["a", None]] * 500 + [None] * 500,
    }
)


def read(source: ParquetSource, *, guard: Guard | None = None, batch_rows: int = 64) -> list[Reading]:
    """Return all readings, and check that the ordinals of a task are consecutive."""
    found = []
    for task in source.tasks():
        n_records = 0
        for reading in source.read(task, guard=guard or NullGuard(), batch_rows=batch_rows):
            rows = records(reading)
            ordinals = sorted(row["ordinal"] for row in rows)
            assert ordinals == list(range(n_records, n_records + reading.n_records))
            n_records += reading.n_records
            found.append(reading)
    ids = [row["id"] for one in found for row in records(one)]
    assert len(set(ids)) == len(ids)
    return found


def records(reading: Reading) -> list[dict[str, Any]]:
    both = (reading.batch, reading.rejected)
    return [row for part in both for row in part.column("_record").to_pylist()]


def table(found: list[Reading]) -> pa.Table:
    batches = [one.batch.drop_columns(["_record"]) for one in found if one.batch.num_rows]
    return pa.Table.from_batches(batches)


def failures(found: list[Reading]) -> list[tuple[str, int, str]]:
    rows = [row for one in found for row in one.rejected.to_pylist()]
    return [(row["reason"], row["_record"]["offset"], row["message"]) for row in rows]


@pytest.mark.parametrize("batch_rows", [3, 100, 5000])
def test_rows_have_the_columns_and_types_of_the_file(tmp_path: Path, batch_rows: int) -> None:
    """Rows are numbered through the file."""
    pq.write_table(TABLE, tmp_path / "a.parquet", row_group_size=300)
    found = read(ParquetSource(path=str(tmp_path)), batch_rows=batch_rows)
    assert table(found).equals(TABLE)
    rows = [row for one in found for row in records(one)]
    assert [row["offset"] for row in rows] == list(range(1000))
    assert rows[-1]["id"] == "parquet/a.parquet@999"
    assert max(one.batch.num_rows for one in found) <= batch_rows


@pytest.mark.parametrize("size", [500, 3000, 10_000])
def test_each_row_group_belongs_to_one_task(
    tmp_path: Path, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For every split of the file; the size alone decides the split."""
    pq.write_table(TABLE, tmp_path / "a.parquet", row_group_size=100)
    monkeypatch.setattr(parquet, "TASK_BYTES", size)
    source = ParquetSource(path=str(tmp_path))
    tasks = source.tasks()
    assert len(tasks) == -(-(tmp_path / "a.parquet").stat().st_size // size)
    assert sum(task.size_bytes for task in tasks) == (tmp_path / "a.parquet").stat().st_size
    assert table(read(source)).equals(TABLE)


def broken_at(path: Path, group: int) -> None:
    """Damage the last page of a row group, so that its checksum fails."""
    pq.write_table(TABLE, path, row_group_size=100, write_page_checksum=True, compression="none")
    chunk = pq.ParquetFile(path).metadata.row_group(group).column(2)
    data = bytearray(path.read_bytes())
    data[(chunk.dictionary_page_offset or chunk.data_page_offset) + chunk.total_compressed_size - 3] ^= 0xFF
    path.write_bytes(data)


def test_a_damaged_row_group_is_one_failed_record(tmp_path: Path) -> None:
    """The message gives its number and its rows; the groups before and after are read."""
    broken_at(tmp_path / "a.parquet", 4)
    found = read(ParquetSource(path=str(tmp_path)))
    assert table(found).equals(pa.concat_tables([TABLE.slice(0, 400), TABLE.slice(500)]))
    ((reason, row, message),) = failures(found)
    assert (reason, row) == ("parquet_corrupt", 400)
    assert message.startswith("row group 4, rows 400 to 499")


@pytest.mark.parametrize("data", [b"", b"PAR1", b"not a table" * 100, b"PAR1" + b"\xff" * 200 + b"PAR1"])
def test_a_file_that_is_not_parquet_is_one_failed_record(
    tmp_path: Path, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For every number of tasks; the next file is read."""
    monkeypatch.setattr(parquet, "TASK_BYTES", 50)
    (tmp_path / "a.parquet").write_bytes(data)
    pq.write_table(TABLE, tmp_path / "b.parquet")
    found = read(ParquetSource(path=str(tmp_path)))
    assert [reason for reason, _, _ in failures(found)] == ["not_parquet"]
    assert table(found).equals(TABLE)


def test_random_damage_never_raises_an_exception(tmp_path: Path) -> None:
    """For any changed byte: rows, and a failed record for the missing rows."""
    pq.write_table(TABLE.slice(0, 100), tmp_path / "good", row_group_size=20)
    data = (tmp_path / "good").read_bytes()
    rng = random.Random(3)
    for _ in range(100):
        bad = bytearray(data)
        for _ in range(3):
            bad[rng.randrange(len(bad))] = rng.randrange(256)
        (tmp_path / "a.parquet").write_bytes(bad)
        found = read(ParquetSource(path=str(tmp_path / "a.parquet")))
        assert sum(one.n_records for one in found) > 0


def test_names_with_an_underscore_are_renamed_or_refused(tmp_path: Path) -> None:
    """pandas and MongoDB write such names; duplicate names fail the file."""
    pq.write_table(pa.table({"__index_level_0__": [1], "_id": [2], "b_": [3]}), tmp_path / "a.parquet")
    source = ParquetSource(path=str(tmp_path / "a.parquet"), rename={"_id": "key"})
    assert table(read(source)).column_names == ["index_level_0__", "key", "b_"]
    pq.write_table(pa.table({"_id": [1], "id": [2]}), tmp_path / "b.parquet")
    assert [f[0] for f in failures(read(ParquetSource(path=str(tmp_path / "b.parquet"))))] == [
        "parquet_columns"
    ]
    pq.write_table(pa.table([[1], [2]], names=["a", "a"]), tmp_path / "c.parquet")
    assert [f[0] for f in failures(read(ParquetSource(path=str(tmp_path / "c.parquet"))))] == [
        "parquet_columns"
    ]


def test_dictionaries_are_decoded(tmp_path: Path) -> None:
    """Stages receive plain strings."""
    pq.write_table(pa.table({"a": pa.array(["x", None, "x"]).dictionary_encode()}), tmp_path / "a.parquet")
    found = table(read(ParquetSource(path=str(tmp_path))))
    assert (found.schema.field("a").type, found.column("a").to_pylist()) == (pa.string(), ["x", None, "x"])


def test_a_row_over_the_limit_fails_and_the_others_are_read(tmp_path: Path) -> None:
    """The limit applies to each row, not to the batch."""
    pq.write_table(pa.table({"a": ["x" * 100, "y" * 10_001, None, "z" * 9_999]}), tmp_path / "a.parquet")
    found = read(ParquetSource(path=str(tmp_path), max_record_bytes=10_000))
    assert [len(a or "") for a in table(found).column("a").to_pylist()] == [100, 0, 9_999]
    assert [f[:2] for f in failures(found)] == [("record_too_big", 1)]


class Refusing(NullGuard):
    """A guard with one unit that stopped a worker before."""

    def __init__(self, unit: int) -> None:
        super().__init__()
        self.unit = unit

    def enter(self, stage: str, unit: int, *, limit_s: float = 60.0) -> str | None:
        return "crash" if unit == self.unit else None


@pytest.mark.parametrize("unit", range(8))
def test_a_unit_that_crashed_a_worker_is_skipped_and_earlier_records_do_not_change(
    tmp_path: Path, unit: int
) -> None:
    """Finished parts are not read again, so a second call must give the same records up to there."""
    pq.write_table(TABLE, tmp_path / "a.parquet", row_group_size=300)
    source = ParquetSource(path=str(tmp_path))
    found = read(source, guard=Refusing(unit), batch_rows=100)
    assert len(failures(found)) == 1
    reason, row, _ = failures(found)[0]
    assert (reason, row) == ("crash", 0 if unit == 0 else (unit - 1) * 100)
    if unit:
        kept = pa.concat_tables([TABLE.slice(0, row), TABLE.slice((row // 300 + 1) * 300)])
        assert table(found).equals(kept)


@pytest.mark.corpora
@pytest.mark.parametrize("folder", ["parquet-testing", "arrow-testing-fuzz"])
def test_every_record_of_a_hostile_file_is_counted(corpora: Path, folder: str) -> None:
    """Under the real guard, each file gives rows or failed records; no exception, no lost process."""
    from builder.engines.local import LocalEngine

    source = ParquetSource(path=str(corpora / folder / "**"))
    with LocalEngine(workers=1, memory_bytes=1 << 30) as engine:
        counts = list(engine.map(Count(source), source.tasks(), untrusted=True))
    files = {found.name for found in source.inputs()}
    assert {name for name, _, _ in counts} == files
    assert all(n_rows + n_failed for _, n_rows, n_failed in counts)


class Count:
    """Count rows and failures of a task, in a worker."""

    def __init__(self, source: ParquetSource) -> None:
        self.source = source

    def __call__(self, task: Task, guard: Guard) -> tuple[str, int, int]:
        found: Iterator[Any] = self.source.read(task, guard=guard, batch_rows=100)
        sizes = [(one.batch.num_rows, one.rejected.num_rows) for one in found]
        return task.name, sum(n for n, _ in sizes), sum(n for _, n in sizes)
