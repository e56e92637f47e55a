"""The columns about the language of documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from builder.errors import Fault
from builder.stages.binding.where import LANGUAGE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from builder.stages.identification.findings import Findings

SCORE, SECOND = "language_score", "language_second"
SCRIPT, SHARE = "language_script", "language_share"

COLUMN_NOTES = {
    LANGUAGE: "The language that was detected in the text, as a code; null if it is unknown.",
    SCORE: "Score of the language, from 0 to 1.",
    SECOND: "The second most likely language.",
    SCRIPT: "The script of most letters.",
    SHARE: "Share of the characters that are in this language.",
}
"""Descriptions for the card of a version."""


def columns_of(*, has_share: bool) -> tuple[pa.Field, ...]:
    """Return the columns that the stage writes."""
    fields = [
        pa.field(LANGUAGE, pa.string()),
        pa.field(SCORE, pa.float64()),
        pa.field(SECOND, pa.string()),
        pa.field(SCRIPT, pa.string()),
    ]
    return (*fields, pa.field(SHARE, pa.float64())) if has_share else tuple(fields)


def type_faults(schema: pa.Schema, fields: Sequence[pa.Field]) -> list[Fault]:
    """Return a fault for each column of the inputs that the stage cannot write, because of its type."""
    return [
        Fault(
            where="language",
            what=f"the column {one.name!r} must be {one.type}, but its type is {schema.field(one.name).type}",
            advice="rename the column in the source with rename:, or change its type in the contract",
        )
        for one in fields
        if one.name in schema.names and not _can_hold(schema.field(one.name).type, one.type)
    ]


def with_columns(
    batch: pa.RecordBatch, fields: Sequence[pa.Field], findings: Findings, names: Sequence[str]
) -> pa.RecordBatch:
    """Return the batch with the columns; a column that is there is replaced.

    Args:
        names: the name of each label; the last one is that of an unknown language.
    """
    is_unknown = findings.labels < 0
    by_name = {
        LANGUAGE: _named(findings.labels, names),
        SCORE: pa.array(findings.scores, pa.float64(), mask=is_unknown),
        SECOND: _named(findings.seconds, [*names[:-1], None]),
        SCRIPT: pa.array(findings.scripts, pa.string()),
        SHARE: pa.array(findings.shares, pa.float64(), mask=is_unknown),
    }
    for one in fields:
        place = batch.schema.get_field_index(one.name)
        if place < 0:
            batch = batch.append_column(one, by_name[one.name])
        else:
            there = batch.schema.field(place)
            batch = batch.set_column(place, there, by_name[one.name].cast(there.type))
    return batch


def _named(labels: np.ndarray[tuple[int], np.dtype[np.int64]], names: Sequence[str | None]) -> pa.Array:
    places = pa.array(np.where(labels < 0, len(names) - 1, labels), pa.int64())
    return pa.array(names, pa.string()).take(places)


def _can_hold(there: pa.DataType, wanted: pa.DataType) -> bool:
    return bool(there == wanted or (pa.types.is_string(wanted) and pa.types.is_large_string(there)))
