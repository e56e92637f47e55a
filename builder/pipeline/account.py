"""Make the account of one part: one row for each record that was read, in the order of the input."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from builder.domain.record import ALIASES, NOTE, RECORD, RECORD_TYPE

if TYPE_CHECKING:
    from collections.abc import Sequence

_OUTCOME_COLUMNS = ("outcome", "stage", "reason", "pointer", "value", "limit", "message")

ACCOUNT_SCHEMA = pa.schema(
    [
        *(pa.field("record_id" if f.name == "id" else f.name, f.type) for f in RECORD_TYPE),
        pa.field("url", pa.string()),
        *(pa.field(name, pa.string()) for name in _OUTCOME_COLUMNS),
        pa.field("refers_to", pa.list_(pa.string())),
        pa.field("aliases", pa.list_(pa.string())),
        pa.field("key", pa.binary(16)),
    ]
)
"""The columns of an account.

``outcome`` is null for a record that continues: its outcome is known at the end of the build. It is ``KNOWN``
for a record that an earlier build has accounted for. ``key`` is a hash of the record's bytes.
"""

KNOWN = "known"


def account_batch(
    kept: pa.RecordBatch,
    rejected: Sequence[pa.RecordBatch],
    *,
    url_column: str | None,
    known: Sequence[pa.RecordBatch] = (),
    keys: pa.RecordBatch | None = None,
) -> pa.RecordBatch:
    """Make the account of a batch from its kept, rejected and known records.

    Args:
        known: records that an earlier build has accounted for: batches with the column ``_record`` only.
        keys: ``ordinal`` and ``key`` of each record, in any order.
    """
    pieces = [_of_kept(kept, url_column), *(_of_rejected(batch) for batch in rejected if batch.num_rows)]
    pieces += [_of_known(batch) for batch in known if batch.num_rows]
    whole = _by_ordinal(pa.concat_batches(pieces))
    if keys is None or keys.num_rows != whole.num_rows:
        return whole
    return whole.set_column(
        whole.num_columns - 1, ACCOUNT_SCHEMA.field("key"), _by_ordinal(keys).column("key")
    )


def _by_ordinal(batch: pa.RecordBatch) -> pa.RecordBatch:
    ordinals = batch.column("ordinal").to_numpy()
    if len(ordinals) > 1 and (np.diff(ordinals) <= 0).any():
        batch = batch.take(pa.array(np.argsort(ordinals, kind="stable")))
    return batch


def _of_kept(batch: pa.RecordBatch, url_column: str | None) -> pa.RecordBatch:
    columns = dict(zip(ACCOUNT_SCHEMA.names, _record_columns(batch), strict=False))
    if url_column:
        columns["url"] = batch.column(url_column)
    for column, name in ((ALIASES, "aliases"), (NOTE, "message")):
        if column in batch.schema.names:
            columns[name] = batch.column(column)
    return _assemble(columns, batch.num_rows)


def _of_rejected(batch: pa.RecordBatch) -> pa.RecordBatch:
    columns = dict(zip(ACCOUNT_SCHEMA.names, _record_columns(batch), strict=False))
    columns |= {name: batch.column(name) for name in ("url", "refers_to", *_OUTCOME_COLUMNS)}
    return _assemble(columns, batch.num_rows)


def _of_known(batch: pa.RecordBatch) -> pa.RecordBatch:
    columns = dict(zip(ACCOUNT_SCHEMA.names, _record_columns(batch), strict=False))
    return _assemble(columns | {"outcome": pa.repeat(KNOWN, batch.num_rows)}, batch.num_rows)


def _record_columns(batch: pa.RecordBatch) -> list[pa.Array]:
    record = batch.column(RECORD)
    return [pc.struct_field(record, field.name) for field in RECORD_TYPE]


def _assemble(columns: dict[str, pa.Array], n_rows: int) -> pa.RecordBatch:
    arrays = [columns.get(f.name, pa.nulls(n_rows, f.type)) for f in ACCOUNT_SCHEMA]
    return pa.RecordBatch.from_arrays(arrays, schema=ACCOUNT_SCHEMA)
