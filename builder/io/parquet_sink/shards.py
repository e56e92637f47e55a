"""Cut rows into shards and row groups, and write shards as Parquet.

Cuts depend only on the rows. A shard ends after a row if the shard has its minimum size and the row's hash
selects a cut, else before the row that would exceed the maximum size. So adding or removing one row changes
only the cuts near it, and the other shards stay the same files.
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
from builder.io.streams.replacing import replacing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

SHARDS_PER_SPLIT = 64
MIN_SHARD_BYTES = 4_000_000
MAX_SHARD_BYTES = 256_000_000
MIN_GROUP_BYTES = 32_000_000
_MAX_GROUP_BYTES = 64_000_000
"""Maximum raw bytes of a row group: large enough to read one column efficiently, small enough for the Hub's
viewer."""

CHUNKING = {"min_chunk_size": 262_144, "max_chunk_size": 1_048_576, "norm_level": 0}
"""Content-defined chunking of pages, with the constants of the Hub's own writer."""

MAX_MEASURED_ROW_BYTES = 1 << 20
"""A shard with a larger row has no statistics. The writer copies the minimum and the maximum of each page and
column, which takes five times the size of a 50 MB row, and then drops every value over 4 KiB."""


# -- cutting ---------------------------------------------------------------------------------------


def choose_cut_sizes(raw_bytes: int) -> CutSizes:
    """Choose the cut sizes of a split in its first version; later versions keep them.

    The average shard has 1.25 times the minimum size (measured on 54,000 documents), so a minimum of 1/80 of
    the split gives about 64 shards. The maximum size is twice the minimum.

    Args:
        raw_bytes: bytes of the split's rows in their canonical encoding.
    """
    minimum = raw_bytes // (SHARDS_PER_SPLIT * 5 // 4)
    shard_min = max(MIN_SHARD_BYTES, min(minimum, MAX_SHARD_BYTES // 2))
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

    A range ends after row ``i`` if it has at least ``min_bytes`` and ``hash / 2^64 < size / target``, where
    ``target`` is a quarter of ``max_bytes - min_bytes``. The rule counts bytes, so it does not depend on the
    mean length of documents. A rule that counts rows would, and would cut mostly at the maximum. A single row
    over ``max_bytes`` is a range of its own.

    Args:
        hashes: uint64[n_rows], uniform hashes of the rows' ids.
        sizes: int64[n_rows], raw bytes.

    Returns:
        Start and stop of each range; no range is empty.
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
        after = int(closers[closer]) + 1 if closer < len(closers) else n_rows
        stop = min(n_rows, max(full, start + 1), max(after, start + 1))
        ranges.append((start, stop))
        start = stop
    return ranges


# -- writing ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """A written shard: complete, hashed, and synced to the disk."""

    path: Path
    sha256: str
    bytes: int
    rows: int


def published_schema(schema: pa.Schema) -> pa.Schema:
    """Return the schema that every shard has: the columns, and metadata in sorted order.

    The metadata depends only on the columns. A version number in each footer would change every shard.

    Raises:
        ContractError: if ``load_dataset`` cannot open a column of this type.
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

    Whatever the layout of a table (chunks, slices, large or dictionary types, undefined bytes under nulls),
    its rows are written as one chunk with the types of ``schema``. A file at ``path`` is always complete: it
    is written to a temporary file in the same folder, synced to the disk, and renamed.

    Args:
        largest_row_bytes: raw bytes of the largest row; see ``MAX_MEASURED_ROW_BYTES``.

    Raises:
        BuilderError: if the tables have no rows, because ``load_dataset`` fails on a file without rows.
        ContractError: if ``load_dataset`` cannot open a column of this type.
    """
    schema = published_schema(schema)
    n_rows = 0
    measured = largest_row_bytes <= MAX_MEASURED_ROW_BYTES
    with replacing(path) as beside:
        with _DeferredErrors(beside) as file:
            with _writer(file, schema, measured=measured) as writer:
                for table in _in_one_chunk(groups, schema):
                    writer.write_table(table, row_group_size=len(table))
                    file.raise_error()
                    n_rows += len(table)
            file.raise_error()
        if not n_rows:
            raise BuilderError(f"{path.name}: the shard has no rows; do not write an empty shard")
        size_bytes, sha256 = _sync(beside)
    return Shard(path=path, sha256=sha256, bytes=size_bytes, rows=n_rows)


class _DeferredErrors(io.RawIOBase):
    """A file that stores the first write error until ``raise_error`` is called.

    If a write fails inside a content-defined chunk, the Parquet writer aborts the whole process.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._error: OSError | None = None
        self._n_bytes = 0

    def writable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the number of bytes passed to ``write``."""
        return self._n_bytes

    def write(self, data: Any) -> int:
        """Write the data; after an error, discard it but return its size."""
        size = memoryview(data).nbytes
        self._n_bytes += size
        if self._error is None:
            try:
                self._file.write(data)
            except OSError as error:
                self._error = error
        return size

    def raise_error(self) -> None:
        """Raise the first write error, if a write failed."""
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """Flush and close; after a write error, ignore errors of the close."""
        if not self.closed:
            super().close()
            if self._error is None:
                self._file.close()
            else:
                with suppress(OSError):
                    self._file.close()


def _writer(file: object, schema: pa.Schema, *, measured: bool) -> pq.ParquetWriter:
    """Open a writer with every option set explicitly, so that a new default does not change the bytes."""
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
    """Cast each group and combine its chunks, because a Parquet page ends at the end of a chunk.

    A column of more than 2 GiB of strings cannot be combined into one chunk; such a group is halved.
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


def _sync(path: Path) -> tuple[int, str]:
    """Sync a file to the disk, and return its size in bytes and its SHA-256."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        return path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()
