"""Read the records in a batch of a source: original JSON text, or columns of any types."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from builder.domain.contract.arrow_values import Unreadable, records_of
from builder.domain.json.exact import Broken, Parsed
from builder.domain.json.text import parse, parse_slowly
from builder.domain.json.writer import write_json
from builder.domain.record import RAW
from builder.domain.rejection import MAX_RECORD_KEPT

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from builder.domain.contract.shape import Shape


def incoming_values(batch: pa.RecordBatch, shape: Shape) -> Iterator[Parsed | Broken]:
    """Yield the value of each row in order, or the reason why it has none.

    Args:
        shape: the shape of the contract's records; it decides which nulls of columns are kept.
    """
    if RAW in batch.schema.names:
        yield from map(parse, raw_records(batch.column(RAW)))
        return
    for record in records_of(batch, shape):
        yield _parsed(record)


def raw_records(column: pa.LargeBinaryArray) -> Iterator[bytes]:
    """Yield the bytes of each record from the column's buffer, without an Arrow object for each."""
    _, offset_buffer, data = column.buffers()
    if not len(column):
        return
    offsets = np.frombuffer(offset_buffer, np.int64)[column.offset : column.offset + len(column) + 1]
    view = memoryview(data) if data is not None else memoryview(b"")
    for start, stop in pairwise(offsets.tolist()):
        yield bytes(view[start:stop])


def without_nulls(batch: pa.RecordBatch, row: int) -> dict[str, Any] | None:
    """Return a row of columns without its nulls; None if it came as JSON or cannot be read."""
    if RAW in batch.schema.names:
        return None
    record = records_of(batch.slice(row, 1), None)[0]
    return None if isinstance(record, Unreadable) else record


def with_null_for_nan(batch: pa.RecordBatch, row: int) -> Parsed | Broken | None:
    """Parse the JSON text of a row again, with NaN and Infinity as null; None if it came as columns."""
    if RAW not in batch.schema.names:
        return None
    return parse_slowly(batch.column(RAW)[row].as_buffer().to_pybytes(), reads_nan=True)


def as_it_came(batch: pa.RecordBatch, row: int) -> bytes | None:
    """Return the first ``MAX_RECORD_KEPT`` bytes of a record, or a row of columns as JSON.

    Cells that have no JSON value are left out.
    """
    if RAW in batch.schema.names:
        kept: bytes = batch.column(RAW)[row].as_buffer()[:MAX_RECORD_KEPT].to_pybytes()
        return kept
    record = records_of(batch.slice(row, 1), None)[0]
    if isinstance(record, Unreadable):
        return None if record.rest is None else write_json(record.rest).encode()
    return write_json(record).encode()


def _parsed(record: dict[str, Any] | Unreadable) -> Parsed | Broken:
    if not isinstance(record, Unreadable):
        return Parsed(value=record)
    if record.broken is None:
        others = [cell for cell in record.cells if not record.faults[0].pointer.startswith(cell.pointer)]
        return Parsed(value=record.rest, faults=(*record.faults, *others))
    return replace(record.broken, rest=record.rest, cells=record.cells)
