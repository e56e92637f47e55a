"""Gather what a filter judges by: signals of a preset's dialect, our signals, and columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from builder.domain.outcome import MAX_SPAN_CHARS, MEASURED_SCHEMA, REMOVED_SCHEMA
from builder.domain.record import RECORD
from builder.stages.quality.measuring import measure_signals
from builder.stages.quality.signals import SIGNALS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from builder.stages.quality.dialects import SystemDialect
    from builder.stages.quality.line_table import LineEdits

RULE_SCORE = 1.0
"""The score of a span that a rule took out; a model gives a probability."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What was measured in a batch.

    Attributes:
        values: signals and columns by name.
        edits: what the preset's system does to the texts; None if it does not edit them.
    """

    values: Mapping[str, pa.Array]
    edits: LineEdits | None = None


def gather_evidence(
    batch: pa.RecordBatch,
    names: Sequence[str],
    *,
    measured: Sequence[str],
    text: str | None,
    dialect: SystemDialect | None,
) -> Evidence:
    """Return the values of signals and columns.

    Args:
        names: what the rules name; a column that is not there is null.
        measured: those of ``names`` that have to be measured.
        text: the column with the texts.
    """
    found: dict[str, Any] = {}
    edits = None
    own = dialect.names if dialect else ()
    if text is not None and (measured or (dialect and dialect.edit)):
        texts = batch.column(text)
        ours = [name for name in measured if name not in own]
        found |= measure_signals(texts, ours) if ours else {}
        if dialect and dialect.edit:
            edits = dialect.edits(texts)
            found |= edits.values
        elif dialect and any(name in own for name in measured):
            found |= dialect.values(texts)
    for name in names:
        if name not in found:
            found[name] = batch.column(name) if name in batch.schema.names else pa.nulls(batch.num_rows)
    return Evidence(values={name: found[name] for name in names}, edits=edits)


def edited_batch(batch: pa.RecordBatch, edits: LineEdits, *, text: str) -> pa.RecordBatch:
    """Return the batch with the texts after the edit; texts that are equal stay as they are."""
    place = batch.schema.get_field_index(text)
    field = batch.schema.field(place)
    column = pc.if_else(pa.array(edits.changed), edits.texts.cast(field.type), batch.column(place))
    return batch.set_column(place, field, column)


def removed_spans(batch: pa.RecordBatch, edits: LineEdits, *, stage: str) -> pa.RecordBatch | None:
    """Return what the edit took out, for the audit."""
    taken = edits.taken_out
    if not len(taken.docs):
        return None
    records = pc.struct_field(batch.column(RECORD), "id").take(pa.array(taken.docs))
    n = len(taken.docs)
    columns = {
        "record_id": records,
        "stage": pa.array([stage] * n),
        "class": pa.array(taken.kinds),
        "score": pa.array(np.full(n, RULE_SCORE)),
        "start": pa.array(taken.starts),
        "text": pc.utf8_slice_codeunits(taken.texts, 0, MAX_SPAN_CHARS),
        "text_chars": pc.utf8_length(taken.texts),
    }
    arrays = [columns[field.name].cast(field.type) for field in REMOVED_SCHEMA]
    return pa.RecordBatch.from_arrays(arrays, schema=REMOVED_SCHEMA)


def is_text(schema: pa.Schema, name: str) -> bool:
    """Return whether the rows have a column of strings with this name."""
    if name not in schema.names:
        return False
    kind = schema.field(name).type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def signals_of_rejected(batch: pa.RecordBatch, *, text: str, stage: str) -> pa.RecordBatch | None:
    """Return all signals of the texts of rejected rows, for the audit; None without a row."""
    if not batch.num_rows:
        return None
    columns = measure_signals(batch.column(text), list(SIGNALS))
    values = np.stack(
        [column.cast(pa.float64()).to_numpy(zero_copy_only=False) for column in columns.values()]
    )
    flat = values.T.reshape(-1)
    pairs = pa.StructArray.from_arrays(
        [pa.array(list(columns) * batch.num_rows), pa.array(flat, mask=np.isnan(flat))],
        fields=list(MEASURED_SCHEMA.field("signals").type.value_type),
    )
    offsets = pa.array(np.arange(batch.num_rows + 1, dtype=np.int32) * len(columns))
    lists = pa.ListArray.from_arrays(offsets, pairs, type=MEASURED_SCHEMA.field("signals").type)
    ids = pc.struct_field(batch.column(RECORD), "id")
    return pa.RecordBatch.from_arrays(
        [ids, pa.array([stage] * batch.num_rows), lists], schema=MEASURED_SCHEMA
    )
