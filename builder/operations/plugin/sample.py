"""Make rows for the laws of stages: pages with what breaks stages, such as nulls and equal texts."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from builder.domain.record import record_column, with_record

if TYPE_CHECKING:
    from collections.abc import Mapping

_TEXTS = (
    None,
    "",
    " ",
    "one",
    "Two words.",
    "SHOUTING IN CAPITAL LETTERS",
    "first paragraph\n\nsecond paragraph",
    "äöü ß 日本語 \U0001f300 e\u0301 \u202eright to left",
    "a\x00b\tc",
    "The tide comes in twice a day, and the harbour fills with boats. " * 20,
    "word " * 3_000,
    "https://a.example/?q=1&r=2 <b>not markup</b> 1,234.5 %",
)
_LANGUAGES = ("en", "de", "en-GB", None)
_N_ROWS = 5 * len(_TEXTS)
_START = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)


def sample_rows(columns: pa.Schema, *, more: Mapping[str, pa.DataType] | None = None) -> pa.RecordBatch:
    """Return rows with the columns of a contract.

    Args:
        columns: the columns of the contract.
        more: other columns, which are null in every fifth row.
    """
    fields = [*columns, *(pa.field(name, kind) for name, kind in (more or {}).items())]
    arrays = [pa.array([_value(one, i) for i in range(_N_ROWS)], one.type) for one in fields]
    batch = pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))
    numbers = np.arange(_N_ROWS)
    return with_record(
        batch, record_column(source="sample", path="a.jsonl", ordinals=numbers, offsets=100 * numbers)
    )


def _value(field: pa.Field, i: int) -> Any:
    if field.name == "text":
        return _TEXTS[i % len(_TEXTS)]
    if i % 5 == 4:
        return None
    if field.name == "language":
        return _LANGUAGES[i % len(_LANGUAGES)]
    if field.name == "url":
        return f"https://{'ab'[i % 2]}.example/{i // 2}"
    if pa.types.is_timestamp(field.type):
        return _START + dt.timedelta(hours=i)
    if pa.types.is_integer(field.type) or pa.types.is_floating(field.type):
        return i
    if pa.types.is_boolean(field.type):
        return i % 2 == 0
    if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
        return "{}" if field.metadata and b"builder.json" in field.metadata else f"{field.name} {i % 7}"
    return None
