"""Define removed spans: the parts of a text that a stage took out of a document that continues."""

from __future__ import annotations

import pyarrow as pa

REMOVED_SPANS = "removed.parquet"
"""The file in the audit of a version."""

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
