"""Define the result of a stage for one batch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Mapping

REMOVED_SPANS = "removed.parquet"
"""The file in the audit of a version."""

MEASURED = "signals.parquet"
"""The file in the audit of a version with the signals of rejected documents."""

MAX_SPAN_CHARS = 2_000
"""Characters of a removed span that the audit keeps; the rest is cut."""

REMOVED_SCHEMA = pa.schema(
    [
        pa.field("record_id", pa.string(), nullable=False),
        pa.field("stage", pa.string(), nullable=False),
        pa.field("class", pa.string(), nullable=False),
        pa.field("score", pa.float64(), nullable=False),
        pa.field("start", pa.int64(), nullable=False),
        pa.field("text", pa.string()),
        pa.field("text_chars", pa.int64(), nullable=False),
    ]
)
"""One row for each span, in the order of the text.

``score`` is the probability that the span is not main text, from 0 to 1. ``start`` is its first byte in the
text that came to the stage. ``text`` has at most ``MAX_SPAN_CHARS`` characters, ``text_chars`` counts all.
"""


MEASURED_SCHEMA = pa.schema(
    [
        pa.field("record_id", pa.string(), nullable=False),
        pa.field("stage", pa.string(), nullable=False),
        pa.field(
            "signals",
            pa.list_(
                pa.struct([pa.field("name", pa.string(), nullable=False), pa.field("value", pa.float64())])
            ),
            nullable=False,
        ),
    ]
)
"""One row for each document that a stage rejected by what it measured, with all signals of its text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of a stage for one batch: rows in = ``kept`` + ``rejected``, both in input order.

    Attributes:
        removed: what the stage took out of texts, a batch of ``REMOVED_SCHEMA``; None if nothing.
        measured: the signals of rejected documents, a batch of ``MEASURED_SCHEMA``; None if nothing.
    """

    kept: pa.RecordBatch
    rejected: pa.RecordBatch
    counts: Mapping[str, int] = field(default_factory=dict)
    removed: pa.RecordBatch | None = None
    measured: pa.RecordBatch | None = None
