"""Limits of readers that depend only on the bytes: each is tested at the limit and one above."""

from __future__ import annotations

import gzip
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from builder.engines.guard import NullGuard
from builder.io import parquet
from builder.io.csv import CsvSource
from builder.io.dataset import DatasetSource
from builder.io.html import HtmlSource
from builder.io.jsonl import JsonlSource
from builder.io.parquet import ParquetSource
from builder.io.reading import csv_rows, lines
from builder.io.streams import limits
from builder.io.warc import WarcSource
from builder.stages.repair.work import MAX_STEPS

if TYPE_CHECKING:
    from builder.protocols import Source

ROOT = Path(__file__).resolve().parents[3]
BIG = "x" * (1 << 20)


def read(source: Source) -> tuple[int, Counter[str], list[str]]:
    """Return the number of rows, the reasons of failed records, and all record ids, which are unique."""
    n_rows, reasons, ids = 0, Counter[str](), []
    for task in source.tasks():
        for reading in source.read(task, guard=NullGuard(), batch_rows=8192):
            assert reading.n_records == reading.batch.num_rows + reading.rejected.num_rows
            n_rows += reading.batch.num_rows
            reasons.update(reading.rejected.column("reason").to_pylist())
            for batch in (reading.batch, reading.rejected):
                ids += [record["id"] for record in batch.column("_record").to_pylist()]
    assert len(set(ids)) == len(ids)
    return n_rows, reasons, ids


def csv(tmp_path: Path, data: bytes, **options: Any) -> tuple[int, Counter[str], list[str]]:
    (tmp_path / "a.csv").write_bytes(data)
    return read(CsvSource(path=str(tmp_path / "a.csv"), **options))


# -- tables ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n_columns", "expected"), [(16_384, (1, {})), (16_385, (0, {"too_many_columns": 1}))]
)
def test_a_table_has_at_most_16384_columns(
    tmp_path: Path, n_columns: int, expected: tuple[int, dict[str, int]]
) -> None:
    """CSV, Parquet and datasets: a file with more is one failed record, and is not read."""
    names = [f"c{n}" for n in range(n_columns)]
    row = ",".join(names).encode()
    assert csv(tmp_path, row + b"\n" + row + b"\n")[:2] == expected
    table = pa.Table.from_arrays([pa.array(["x"])] * n_columns, names=names)
    pq.write_table(table, tmp_path / "a.parquet")
    assert read(ParquetSource(path=str(tmp_path / "a.parquet")))[:2] == expected


def test_a_dataset_with_too_many_columns_is_one_failed_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit is lowered, because the library takes minutes for 16,384 columns."""
    datasets.Dataset.from_dict({"a": ["x"], "b": ["y"]}).save_to_disk(tmp_path / "saved")
    monkeypatch.setattr("builder.io.reading.columns.MAX_TABLE_COLUMNS", 1)
    assert read(DatasetSource(path=str(tmp_path / "saved")))[:2] == (0, {"too_many_columns": 1})


def test_columns_inside_of_columns_count(tmp_path: Path) -> None:
    """A Parquet file stores each member of a struct as a column."""
    struct = pa.StructArray.from_arrays([pa.array(["x"])] * 16_385, names=[f"c{n}" for n in range(16_385)])
    pq.write_table(pa.table({"s": struct}), tmp_path / "a.parquet")
    assert read(ParquetSource(path=str(tmp_path / "a.parquet")))[:2] == (0, {"too_many_columns": 1})


# -- rows of CSV -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n_lines", "expected"), [(1 << 18, (2, {})), ((1 << 18) + 1, (1, {"csv_lines": 1, "csv_quotes": 1}))]
)
def test_a_row_has_at_most_262144_lines(
    tmp_path: Path, n_lines: int, expected: tuple[int, dict[str, int]]
) -> None:
    """At the limit the row is one value. Above it, its first line fails; the last one has a lone quote."""
    data = b"a\nfirst\n" + b'"' + b"\n" * (n_lines - 1) + b'"\n'
    assert csv(tmp_path, data)[:2] == expected


def test_a_stray_quote_costs_one_line(tmp_path: Path) -> None:
    """A file of short lines with one quote took 16 million objects, and ended the build."""
    n_rows, reasons, ids = csv(tmp_path, b'a\n"x\n' + b"1234\n" * 300_000)
    assert (n_rows, reasons) == (300_000, {"csv_lines": 1})
    assert "csv/a.csv@2" in ids


@pytest.mark.parametrize(("n_values", "parsed"), [(1 << 20, True), ((1 << 20) + 1, False)])
def test_a_row_with_too_many_values_is_not_parsed(
    tmp_path: Path, n_values: int, parsed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each value takes far more memory than its comma. Commas inside of quotes are not values."""
    broken: list[str] = []
    monkeypatch.setattr("builder.io.csv._broken", spy(broken, csv_rows))
    data = b"a,b\n" + b"x," * (n_values - 1) + b"x\n" + b'1,"' + b"ab," * (1 << 20) + b'"\n'
    n_rows, reasons, _ = csv(tmp_path, data)
    assert (n_rows, reasons) == (1, {"csv_width": 1})
    assert bool(broken) == parsed


def spy(seen: list[str], module: Any) -> Any:
    """Return a stand-in that notes the rows that were parsed before they failed."""

    def broken(row: Any, reason: str, message: str) -> Any:
        seen.append(reason)
        return module.BrokenRow(offset=row.offset, reason=reason, message=message, raw=b"")

    return broken


def test_lines_are_parsed_again_only_up_to_a_number_of_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each line opens a quote that the next one does not close: every row would reach to the end."""
    data = b"a,b\n" + b'x","y""\n' * 1_000
    monkeypatch.setattr(csv_rows, "MAX_STEPS_AGAIN", 999 * (8 + 32))
    n_rows, reasons, _ = csv(tmp_path, data)
    assert (n_rows, reasons) == (0, {"csv_quotes": 2})
    monkeypatch.setattr(csv_rows, "MAX_STEPS_AGAIN", 999 * (8 + 32) - 1)
    assert csv(tmp_path, data)[1] == {"csv_quotes": 1}


# -- lines -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n_lines", "n_blocks"), [(16, 1), (17, 2)])
def test_a_block_of_lines_is_divided_if_it_has_too_many(
    n_lines: int, n_blocks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bounds of a line take more memory than an empty line."""
    monkeypatch.setattr(lines, "MAX_BLOCK_LINES", 16)
    data = b"".join(b"%d\r\n" % number for number in range(n_lines))
    found = list(lines.bounded_lines(lines.Lines(offset=7, data=data)))
    assert len(found) == n_blocks
    assert b"".join(block.data for block, _, _ in found) == data
    assert [block.offset for block, _, _ in found] == [7, 7 + len(b"0\r\n") * 10 + len(b"10\r\n") * 6][
        :n_blocks
    ]
    values = [
        block.data[begin:end]
        for block, begins, ends in found
        for begin, end in zip(begins, ends, strict=True)
    ]
    assert values == [b"%d" % number for number in range(n_lines)]


def test_a_file_of_line_ends_has_no_record(tmp_path: Path) -> None:
    """Eight million line ends in a block."""
    (tmp_path / "a.jsonl").write_bytes(b"\n" * (9 << 20) + b"{}\n")
    assert read(JsonlSource(path=str(tmp_path)))[:2] == (1, {})


# -- swelling --------------------------------------------------------------------------------------


@pytest.fixture
def low(monkeypatch: pytest.MonkeyPatch) -> int:
    """Lower the number of bytes that any file may give, and return it."""
    monkeypatch.setattr(limits, "SWELLING_BYTES", 4 << 20)
    return 4 << 20


@pytest.mark.parametrize(("n_more", "reasons"), [(0, {}), (1, {"swelling": 1})])
def test_a_compressed_file_gives_at_most_1000_times_its_size(
    tmp_path: Path, n_more: int, reasons: dict[str, int], low: int
) -> None:
    """The lines before are kept."""
    line = b'{"text": "' + b"x" * 500 + b'"}\n'
    data = line * (low // len(line)) + b" " * (low % len(line) + n_more)
    packed = zstandard.ZstdCompressor(level=19).compress(data)
    assert 1_000 * len(packed) < low
    (tmp_path / "a.jsonl.zst").write_bytes(packed)
    n_rows, found, _ = read(JsonlSource(path=str(tmp_path)))
    assert found == reasons
    assert n_rows >= low // len(line) - (1 << 20) // len(line) - 1


def test_a_file_that_compresses_well_is_read(tmp_path: Path, low: int) -> None:
    """The limit is a ratio: two hundred times the size is not too much."""
    data = b"".join(b'{"n": %d, "text": "%s"}\n' % (n, b"x" * 1_000) for n in range(10_000))
    packed = gzip.compress(data)
    assert low < len(data) < 1_000 * len(packed)
    (tmp_path / "a.jsonl.gz").write_bytes(packed)
    assert read(JsonlSource(path=str(tmp_path)))[:2] == (10_000, {})


def record(body: bytes) -> bytes:
    """Return a WARC record."""
    head = b"WARC/1.0\r\nWARC-Type: resource\r\nWARC-Target-URI: http://a/\r\nContent-Type: text/plain\r\n"
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body + b"\r\n\r\n"


def test_a_member_of_an_archive_that_swells_fails_alone(tmp_path: Path, low: int) -> None:
    """The pages before and after it are kept."""
    pack = zstandard.ZstdCompressor(level=19).compress
    data = pack(record(b"before")) + pack(record(b"x" * (low + 1))) + pack(record(b"after"))
    (tmp_path / "a.warc.zst").write_bytes(data)
    n_rows, reasons, _ = read(WarcSource(path=str(tmp_path / "a.warc.zst")))
    assert (n_rows, reasons) == (2, {"swelling": 1})


@pytest.mark.parametrize(("n_rows", "reasons"), [(4, {}), (5, {"swelling": 1})])
def test_a_parquet_file_gives_at_most_1000_times_its_size(
    tmp_path: Path, n_rows: int, reasons: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dictionary stores the value once. The rows before are kept."""
    table = pa.table({"text": pa.array([BIG] * n_rows)})
    pq.write_table(table, tmp_path / "a.parquet", compression="zstd")
    assert (tmp_path / "a.parquet").stat().st_size < 4_000
    row_bytes = (1 << 20) + 2 * 4 + limits.ROW_BYTES  # two offsets: a batch has one row
    monkeypatch.setattr(limits, "SWELLING_BYTES", 4 * row_bytes)
    monkeypatch.setattr(parquet, "MAX_DECODED_BYTES", 1 << 20)
    assert read(ParquetSource(path=str(tmp_path / "a.parquet")))[:2] == (4, reasons)


@pytest.mark.parametrize(
    "options",
    [
        {"compression": "snappy"},
        {"compression": "gzip"},
        {"compression": "zstd", "data_page_version": "2.0"},
        {"compression": "brotli"},
        {"compression": "lz4"},
        {"compression": "none"},
        {"use_dictionary": False, "column_encoding": {"text": "DELTA_BYTE_ARRAY"}},
    ],
    ids=lambda options: "-".join(map(str, options.values())),
)
def test_a_small_parquet_file_with_gigabytes_of_rows_ends(tmp_path: Path, options: dict[str, Any]) -> None:
    """4 GB of rows from a megabyte or less: batches are small, and the file ends at 256 MiB."""
    text = pa.DictionaryArray.from_arrays(pa.array([0] * 4_000, pa.int32()), pa.array([BIG]))
    if "column_encoding" in options:
        text = pa.array([BIG] * 400)
    pq.write_table(pa.table({"text": text}), tmp_path / "a.parquet", **options)
    sizes = []
    source = ParquetSource(path=str(tmp_path / "a.parquet"))
    for task in source.tasks():
        for reading in source.read(task, guard=NullGuard(), batch_rows=8192):
            sizes.append(reading.batch.nbytes)
            assert reading.batch.nbytes <= parquet.MAX_DECODED_BYTES + (1 << 20)
    assert sum(sizes) < limits.MAX_SWELLING * (2 << 20)


def test_rows_without_values_count(tmp_path: Path, low: int) -> None:
    """A run of nulls takes some bytes, whatever its length; each row has a place in the ledger."""
    pq.write_table(pa.table({"n": pa.nulls(low // limits.ROW_BYTES, pa.int32())}), tmp_path / "a.parquet")
    n_rows, reasons, _ = read(ParquetSource(path=str(tmp_path / "a.parquet")))
    assert reasons == {"swelling": 1}
    assert n_rows * limits.ROW_BYTES <= low


def test_a_dictionary_of_usual_values_does_not_make_batches_small(tmp_path: Path) -> None:
    """The bound is the longest value, not the size of the dictionary."""
    texts = [f"{n % 100:09}" * 50 for n in range(8_192)]
    pq.write_table(pa.table({"text": texts, "tags": [["a", "b"]] * 8_192}), tmp_path / "a.parquet")
    source = ParquetSource(path=str(tmp_path / "a.parquet"))
    (task,) = source.tasks()
    readings = list(source.read(task, guard=NullGuard(), batch_rows=8_192))
    assert [one.n_records for one in readings] == [8_192]


# -- files ----------------------------------------------------------------------------------------


class Refusing(NullGuard):
    """A guard that refuses one unit."""

    def __init__(self, stage: str, unit: int) -> None:
        super().__init__()
        self._refused = (stage, unit)

    def enter(self, stage: str, unit: int, *, limit_s: float = 60.0) -> str | None:
        return "memory" if (stage, unit) == self._refused else None


def test_a_file_that_takes_too_much_memory_fails_alone(tmp_path: Path) -> None:
    """A task has up to 256 files; the others are pages."""
    for name in "abc":
        (tmp_path / f"{name}.html").write_text(f"<p>{name}")
    source = HtmlSource(path=str(tmp_path))
    (task,) = source.tasks()
    (reading,) = source.read(task, guard=Refusing("html:file", 1), batch_rows=100)
    assert [one["id"] for one in reading.rejected.column("_record").to_pylist()] == ["html/b.html@0"]
    assert reading.batch.column("html").to_pylist() == ["<p>a", "<p>c"]


# -- docs ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "value"),
    [
        ("too_many_columns", limits.MAX_TABLE_COLUMNS),
        ("csv_lines", limits.MAX_ROW_LINES),
        ("csv_width", limits.MAX_ROW_VALUES),
        ("swelling", limits.MAX_SWELLING),
        ("too_much_repair", MAX_STEPS),
    ],
)
def test_the_page_of_limits_has_the_value(reason: str, value: int) -> None:
    """The table is written by hand."""
    page = (ROOT / "docs" / "limits.md").read_text()
    (row,) = re.findall(rf"^\|.*`{reason}` \|$", page, re.MULTILINE)
    assert f"{value:,}" in row
