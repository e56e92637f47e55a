"""Shards: the same rows give the same file, whatever their layout in memory."""

from __future__ import annotations

import errno
import hashlib
import subprocess
import sys
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from builder.errors import BuilderError, ContractError
from builder.io.parquet_sink.shards import CHUNKING, published_schema, write_shard

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("text", pa.string()),
        pa.field("tags", pa.list_(pa.struct([("name", pa.string()), ("n", pa.int64())]))),
        pa.field("fetched_at", pa.timestamp("us", "UTC")),
    ]
)


def rows(n_rows: int = 300) -> pa.Table:
    columns = {
        "id": [f"{i:05d}" for i in range(n_rows)],
        "text": [None if i % 7 == 0 else f"text {i} " * (i % 40) for i in range(n_rows)],
        "tags": [None if i % 5 == 0 else [{"name": None, "n": i}] * (i % 3) for i in range(n_rows)],
        "fetched_at": [None if i % 3 == 0 else i * 10**9 for i in range(n_rows)],
    }
    return pa.table(columns, schema=SCHEMA)


def test_read_after_write_gives_the_rows(tmp_path: Path) -> None:
    """Hash and size are those of the file, and each table is one row group."""
    table = rows()
    shard = write_shard(tmp_path / "a.parquet", SCHEMA, [table.slice(0, 100), table.slice(100)])
    data = shard.path.read_bytes()
    assert pq.read_table(shard.path).equals(table)
    assert (shard.rows, shard.bytes) == (300, len(data))
    assert shard.sha256 == hashlib.sha256(data).hexdigest()
    footer = pq.read_metadata(shard.path)
    assert [footer.row_group(i).num_rows for i in range(footer.num_row_groups)] == [100, 200]
    assert list(tmp_path.iterdir()) == [shard.path]


def test_bytes_do_not_depend_on_layout(tmp_path: Path) -> None:
    """Chunks, slices, wider types, dictionaries and metadata do not affect the file."""
    table = rows()
    wide = table.set_column(1, "text", table["text"].cast(pa.large_string()))
    coded = table.set_column(1, "text", table["text"].combine_chunks().dictionary_encode())
    padded = pa.concat_tables([rows(7), table]).slice(7)
    noted = table.replace_schema_metadata({"z": "1", "a": "2"})
    layouts = {
        "plain": table,
        "chunks": pa.concat_tables([table.slice(i, 13) for i in range(0, 300, 13)]),
        "slice": padded,
        "large": wide,
        "dictionary": coded,
        "metadata": noted,
        "views": table.set_column(1, "text", table["text"].cast(pa.string_view())),
    }
    hashes = {
        name: write_shard(tmp_path / f"{name}.parquet", SCHEMA, [layout]).sha256
        for name, layout in layouts.items()
    }
    assert set(hashes.values()) == {hashes["plain"]}


def test_metadata_of_the_schema_is_not_written(tmp_path: Path) -> None:
    """A shard depends only on the columns of the schema."""
    noted = pa.schema([field.with_metadata({"k": "v"}) for field in SCHEMA], metadata={"version": "1.0.0"})
    plain = write_shard(tmp_path / "a.parquet", SCHEMA, [rows()])
    assert write_shard(tmp_path / "b.parquet", noted, [rows()]).sha256 == plain.sha256


def test_a_shard_has_the_properties_that_the_hub_uses(tmp_path: Path) -> None:
    """Page index, zstd, content-defined chunking and the features."""
    shard = write_shard(tmp_path / "a.parquet", SCHEMA, [rows()])
    footer = pq.read_metadata(shard.path)
    column = footer.row_group(0).column(1)
    assert column.compression == "ZSTD"
    assert column.has_offset_index
    assert column.has_column_index
    assert {b"huggingface", b"use_content_defined_chunking", b"builder.schema"} <= set(footer.metadata)
    assert CHUNKING == {"min_chunk_size": 262_144, "max_chunk_size": 1_048_576, "norm_level": 0}


def test_shard_without_rows_is_refused(tmp_path: Path) -> None:
    """load_dataset fails on a file without rows."""
    with pytest.raises(BuilderError, match="the shard has no rows"):
        write_shard(tmp_path / "a.parquet", SCHEMA, [rows(0)])
    assert list(tmp_path.iterdir()) == []


def test_a_table_without_rows_is_skipped(tmp_path: Path) -> None:
    """It does not become a row group."""
    shard = write_shard(tmp_path / "a.parquet", SCHEMA, [rows(0), rows(3), rows(0)])
    assert pq.read_metadata(shard.path).num_row_groups == 1


def test_an_interrupted_write_leaves_no_file(tmp_path: Path) -> None:
    """Neither a shard nor a temporary file."""

    def broken() -> object:
        yield rows(3)
        raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        write_shard(tmp_path / "a.parquet", SCHEMA, broken())
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_an_os_error_not_a_crash(tmp_path: Path) -> None:
    """A write error inside a content-defined chunk would otherwise abort the process."""
    code = """if True:
        import random, resource, sys
        from pathlib import Path
        import pyarrow as pa
        from builder.io.parquet_sink.shards import write_shard
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        dice = random.Random(1)
        texts = [f"{dice.getrandbits(80_000):x}" for _ in range(300)]
        try:
            write_shard(Path(sys.argv[1]), pa.schema([("text", pa.string())]), [pa.table({"text": texts})])
        except OSError as error:
            sys.exit(f"error {error.errno}")
    """
    command = [sys.executable, "-c", code, str(tmp_path / "a.parquet")]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (run.returncode, run.stderr) == (1, f"error {errno.EFBIG}\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("largest", "measured"), [(1 << 20, True), ((1 << 20) + 1, False)])
def test_shard_with_a_huge_row_has_no_statistics(tmp_path: Path, largest: int, measured: bool) -> None:
    """Statistics would copy the row; everything else is as in other shards."""
    shard = write_shard(tmp_path / "a.parquet", SCHEMA, [rows(5)], largest_row_bytes=largest)
    column = pq.read_metadata(shard.path).row_group(0).column(0)
    assert (column.is_stats_set, column.has_offset_index) == (measured, True)
    assert pq.read_table(shard.path).equals(rows(5))


def test_column_that_cannot_be_loaded_is_refused(tmp_path: Path) -> None:
    """The error names the place of the type, and comes before any byte is written."""
    schema = pa.schema([("m", pa.list_(pa.map_(pa.string(), pa.int64())))])
    with pytest.raises(ContractError, match="map"):
        write_shard(tmp_path / "a.parquet", schema, [])


def test_published_schema_depends_on_columns_alone() -> None:
    """Equal columns give equal metadata; another column gives another digest."""
    once = published_schema(SCHEMA)
    again = published_schema(SCHEMA.with_metadata({"x": "y"}))
    other = published_schema(SCHEMA.append(pa.field("more", pa.int64())))
    assert once.metadata == again.metadata
    assert list(once.metadata) == sorted(once.metadata)
    assert once.metadata[b"builder.schema"] != other.metadata[b"builder.schema"]
