"""The ``_record`` column: where each row came from, from the first batch to the ledger."""

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
"""Large binary: the record's bytes as they came, where a source reads lines and does not parse them."""

ALIASES = "_aliases"
"""List of strings: names by which another record of the build may refer to this one (a WARC revisit)."""

NOTE = "_note"
"""String: what people should know of a record that goes on (a wrong length); the ledger's ``message``."""

PAGE_KEY = "_page_key"
"""Sixteen bytes: BLAKE3 of the page's HTML or text as it came; the document id where there is no URL."""

JSON_FIELD = {b"builder.json": b"1"}
"""Field metadata of a column whose strings are JSON text, to be parsed before the contract is asked."""


def record_id(source: str, path: str, position: int) -> str:
    """Name a record; the same input always gives the same name.

    >>> record_id("jsonl", "feed/2017.jsonl", 4096)
    'jsonl/feed/2017.jsonl@4096'
    """
    return f"{source}/{path}@{position}"


def record_column(
    *, source: str, path: str, ordinals: ArrayLike, offsets: ArrayLike, positions: ArrayLike | None = None
) -> pa.StructArray:
    """Make the ``_record`` column of one batch of one file.

    Args:
        ordinals: int64[n_rows], the number of each record among those of its task, from 0.
        offsets: int64[n_rows], byte offset in the decompressed file, or the row number where a
            format has rows and no offsets.
        positions: int64[n_rows], what the id is made of; the offsets if not given.
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
    """Put ``_record`` in front of a batch that has none yet."""
    return pa.RecordBatch.from_arrays(
        [record, *batch.columns], schema=pa.schema([RECORD_FIELD, *batch.schema])
    )
