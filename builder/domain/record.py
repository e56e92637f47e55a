"""Define the ``_record`` column: the origin of each row, from the first batch to the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

RECORD = "_record"
RECORD_TYPE = pa.struct(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("path", pa.string(), nullable=False),
        pa.field("ordinal", pa.int64(), nullable=False),
        pa.field("offset", pa.int64(), nullable=False),
    ]
)
RECORD_FIELD = pa.field(RECORD, RECORD_TYPE, nullable=False)

RAW = "_raw"
"""Large binary: the record's original bytes, if a source reads lines and does not parse them."""

ALIASES = "_aliases"
"""List of strings: names by which another record of the build may refer to this one (a WARC revisit)."""

NOTE = "_note"
"""String: a remark about a record that is not rejected (a wrong length); the ledger's ``message``."""

PAGE_KEY = "_page_key"
"""Sixteen bytes: BLAKE3 of the page's original HTML or text; the document id of a page without a URL."""

JSON_FIELD = {b"builder.json": b"1"}
"""Field metadata of a column whose strings are JSON text, which is parsed before the contract judges it."""


def record_id(source: str, path: str, position: int) -> str:
    """Return the name of a record; the same input always has the same name.

    >>> record_id("jsonl", "feed/2017.jsonl", 4096)
    'jsonl/feed/2017.jsonl@4096'
    """
    return f"{source}/{path}@{position}"


def record_column(
    *, source: str, path: str, ordinals: ArrayLike, offsets: ArrayLike, positions: ArrayLike | None = None
) -> pa.StructArray:
    """Build the ``_record`` column of one batch of one file.

    Args:
        ordinals: int64[n_rows], the number of each record within its task, from 0.
        offsets: int64[n_rows], byte offset in the decompressed file, or the row number if the format has
            rows and no offsets.
        positions: int64[n_rows], the number in each record's id; the offsets by default.
    """
    offsets = np.asarray(offsets, dtype=np.int64)
    positions = offsets if positions is None else np.asarray(positions, dtype=np.int64)
    n_rows = len(offsets)
    prefix = pa.scalar(f"{source}/{path}@", pa.string())
    ids = pc.binary_join_element_wise(prefix, pa.array(positions).cast(pa.string()), "")
    return pa.StructArray.from_arrays(
        [
            ids,
            pa.repeat(pa.scalar(source, pa.string()), n_rows),
            pa.repeat(pa.scalar(path, pa.string()), n_rows),
            pa.array(np.asarray(ordinals, dtype=np.int64)),
            pa.array(offsets),
        ],
        fields=list(RECORD_TYPE),
    )


def with_record(batch: pa.RecordBatch, record: pa.StructArray) -> pa.RecordBatch:
    """Add ``_record`` as the first column of a batch that does not have it."""
    return pa.RecordBatch.from_arrays(
        [record, *batch.columns], schema=pa.schema([RECORD_FIELD, *batch.schema])
    )
