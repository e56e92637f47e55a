"""The Parquet sink: where rows are cut into shards and row groups, and how a shard is written.

Cuts depend on the rows alone: walking along, a shard is closed behind a row if it is large enough by then and
the row's hash says so, else before the row that would make it too large. So one row put in or taken out moves
the cuts around it, not those of all rows that follow, and the other shards stay the same files.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from builder.domain.contract.schema_document import describe_schema
from builder.domain.manifest import CutSizes
from builder.errors import BuilderError
from builder.io.parquet_sink.features import huggingface_metadata

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

SHARDS_PER_SPLIT = 64
MIN_SHARD_BYTES = 4_000_000
MAX_SHARD_BYTES = 256_000_000
MIN_GROUP_BYTES = 32_000_000
_MAX_GROUP_BYTES = 64_000_000
"""Raw bytes of a row group: large enough for a reader of one column, small enough for the Hub's viewer."""

CHUNKING = {"min_chunk_size": 262_144, "max_chunk_size": 1_048_576, "norm_level": 0}
"""Content-defined chunking of pages, with the constants of the Hub's own writer."""

MAX_MEASURED_ROW_BYTES = 1 << 20
"""A shard with a larger row has no statistics: the writer keeps copies of the least and greatest value of
each page and column, five times the row for one of 50 MB, and then leaves out all over 4 KiB."""


# -- cutting ---------------------------------------------------------------------------------------


def choose_cut_sizes(raw_bytes: int) -> CutSizes:
    """Choose the sizes for a split, at its first version; later versions keep them.

    A shard is 1.25 times its least size on average (measured on 54,000 documents), so least sizes of an
    80th give about 64 shards; the greatest is twice the least.

    Args:
        raw_bytes: the split's rows in their canonical encoding.
    """
    least = raw_bytes // (SHARDS_PER_SPLIT * 5 // 4)
    shard_min = max(MIN_SHARD_BYTES, min(least, MAX_SHARD_BYTES // 2))
    return CutSizes(
        shard_min=shard_min, shard_max=2 * shard_min, group_min=MIN_GROUP_BYTES, group_max=_MAX_GROUP_BYTES
    )


def cut_ranges(
    hashes: NDArray[np.uint64],
    sizes: NDArray[np.int64],
    *,
    min_bytes: int,
    max_bytes: int,
) -> list[tuple[int, int]]:
    """Cut rows into ranges by their content.

    A range is closed behind row ``i`` if it holds ``min_bytes`` by then and ``hash / 2^64 < size / target``
    with a target of a quarter of the room between the bounds. The rule is one of bytes, so it does not
    depend on the mean length of documents; a fixed span of rows does, and cuts mostly at the maximum then.
    A single row over ``max_bytes`` is a range of its own.

    Args:
        hashes: uint64[n_rows], uniform, of the row's id.
        sizes: int64[n_rows], raw bytes.

    Returns:
        Start and stop of each range; none is empty.
    """
    n_rows = len(sizes)
    sums = np.zeros(n_rows + 1, np.int64)
    np.cumsum(sizes, out=sums[1:])
    target = (max_bytes - min_bytes) / 4
    closers = np.flatnonzero(hashes.astype(np.float64) * 2.0**-64 * target < sizes)
    ranges = []
    start = 0
    while start < n_rows:
        full = int(np.searchsorted(sums, sums[start] + max_bytes, side="right")) - 1
        enough = int(np.searchsorted(sums, sums[start] + min_bytes, side="left")) - 1
        closer = int(np.searchsorted(closers, enough))
        behind = int(closers[closer]) + 1 if closer < len(closers) else n_rows
        stop = min(n_rows, max(full, start + 1), max(behind, start + 1))
        ranges.append((start, stop))
        start = stop
    return ranges


# -- writing ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """A shard that was written: complete, hashed, and on the disk."""

    path: Path
    sha256: str
    bytes: int
    rows: int


def published_schema(schema: pa.Schema) -> pa.Schema:
    """Return the schema as it stands in every shard: the columns, and metadata in sorted order.

    The metadata depends on the columns alone, because a version in each footer would change every shard.

    Raises:
        ContractError: if ``load_dataset`` could not open a column of this type.
    """
    fields = [field.remove_metadata() for field in schema]
    plain = pa.schema(fields)
    columns = json.dumps(describe_schema(plain), sort_keys=True).encode()
    metadata = {
        b"builder.schema": hashlib.sha256(columns).hexdigest().encode(),
        b"huggingface": huggingface_metadata(plain),
        b"use_content_defined_chunking": json.dumps(CHUNKING, sort_keys=True).encode(),
    }
    return plain.with_metadata(metadata)


def write_shard(
    path: Path, schema: pa.Schema, groups: Iterable[pa.Table], *, largest_row_bytes: int = 0
) -> Shard:
    """Write one shard, one row group for each table; the same rows give the same bytes.

    However a table's rows came (chunks, slices, large or dictionary types, garbage under nulls), they are
    written as one chunk of the types of ``schema``. The file is complete when it is at ``path``: it is
    written beside, brought to the disk, and renamed.

    Args:
        largest_row_bytes: raw bytes of the largest row; see ``MAX_MEASURED_ROW_BYTES``.

    Raises:
        BuilderError: if there is no row, because ``load_dataset`` fails on a file without rows.
        ContractError: if ``load_dataset`` could not open a column of this type.
    """
    schema = published_schema(schema)
    beside = path.with_name(path.name + ".tmp")
    n_rows = 0
    measured = largest_row_bytes <= MAX_MEASURED_ROW_BYTES
    try:
        with _LateErrors(beside) as file:
            with _writer(file, schema, measured=measured) as writer:
                for table in _in_one_chunk(groups, schema):
                    writer.write_table(table, row_group_size=len(table))
                    file.complain()
                    n_rows += len(table)
            file.complain()
        if not n_rows:
            raise BuilderError(f"{path.name}: a shard must have rows; leave it out")
        return _finish(beside, path, n_rows)
    finally:
        beside.unlink(missing_ok=True)


class _LateErrors(io.RawIOBase):
    """A file that keeps the first error of a write to itself until it is asked.

    The Parquet writer ends the whole process if a write fails inside a content-defined chunk.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._error: OSError | None = None
        self._n_bytes = 0

    def writable(self) -> bool:
        """Say yes."""
        return True

    def tell(self) -> int:
        """Return how many bytes were given."""
        return self._n_bytes

    def write(self, data: Any) -> int:
        """Take all of it, whatever becomes of it."""
        size = memoryview(data).nbytes
        self._n_bytes += size
        if self._error is None:
            try:
                self._file.write(data)
            except OSError as error:
                self._error = error
        return size

    def complain(self) -> None:
        """Raise what went wrong in a write, if anything did."""
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """Write what is held back, and close."""
        if not self.closed:
            super().close()
            if self._error is None:
                self._file.close()
            else:
                with suppress(OSError):
                    self._file.close()


def _writer(file: object, schema: pa.Schema, *, measured: bool) -> pq.ParquetWriter:
    """Open a writer with every option written out, so that a new default does not change bytes."""
    return pq.ParquetWriter(
        file,
        schema,
        version="2.6",
        data_page_version="1.0",
        compression="zstd",
        compression_level=3,
        use_dictionary=True,
        dictionary_pagesize_limit=1_048_576,
        data_page_size=1_048_576,
        max_rows_per_page=20_000,
        write_batch_size=1_024,
        write_statistics=measured,
        write_page_index=True,
        write_page_checksum=False,
        use_byte_stream_split=False,
        use_deprecated_int96_timestamps=False,
        allow_truncated_timestamps=False,
        use_compliant_nested_type=True,
        store_schema=True,
        store_decimal_as_integer=False,
        use_content_defined_chunking=CHUNKING,
    )


def _in_one_chunk(groups: Iterable[pa.Table], schema: pa.Schema) -> Iterator[pa.Table]:
    """Cast each group and put its chunks together, because pages end where chunks end.

    A column of more than 2 GiB of strings stays in several chunks; such a group is halved.
    """
    for group in groups:
        if not group.num_rows:
            continue
        table = group.cast(schema).combine_chunks()
        if all(column.num_chunks == 1 for column in table.columns):
            yield table
        else:
            half = table.num_rows // 2
            yield from _in_one_chunk((table.slice(0, half), table.slice(half)), schema)


def _finish(beside: Path, path: Path, n_rows: int) -> Shard:
    with beside.open("rb") as file:
        os.fsync(file.fileno())
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    size_bytes = beside.stat().st_size
    beside.replace(path)
    return Shard(path=path, sha256=sha256, bytes=size_bytes, rows=n_rows)
