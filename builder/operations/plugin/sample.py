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
_PAGES = (
    "<!doctype html><title>Tides</title><article><p>The tide comes in twice a day.</p></article>",
    "",
    "<p>unclosed <b>markup <table><td>a cell",
    "no markup at all",
    "<html><head><meta charset='koi8-r'></head><body>\u00e4\x00\u65e5\u672c</body></html>",
    "<div>" * 300 + "deep",
    "<script>document.write('<p>not text</p>')</script>",
)
_URLS = (
    "https://a.example/{i}",
    "https://b.example/{i}?q=%C3%A4#part",
    "http://A.Example:80/./{i}/../",
    "https://xn--bcher-kva.example/{i}",
    "ftp://c.example/{i}",
    "https://[::1]/{i}",
    "/relative/{i}",
)
_LANGUAGES = ("en", "de", "en-GB", None)
_N_ROWS = 25 * len(_TEXTS)
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
        return _URLS[i % len(_URLS)].format(i=i // 2)
    if field.name == "html":
        return _PAGES[i % len(_PAGES)]
    if field.metadata and b"builder.json" in field.metadata:
        return "{}"
    return _of_type(field.type, field.name, i)


def _of_type(kind: pa.DataType, name: str, i: int) -> Any:
    """Return a value of a type; numbers are 0, small, large and between 0 and 1."""
    if pa.types.is_timestamp(kind):
        return _START + dt.timedelta(hours=i)
    if pa.types.is_date(kind):
        return (_START + dt.timedelta(days=i)).date()
    if pa.types.is_integer(kind):
        return (0, i, 1_000 * i)[i % 3]
    if pa.types.is_floating(kind):
        return (0.0, i / _N_ROWS, 1.0, float(i))[i % 4]
    if pa.types.is_boolean(kind):
        return i % 2 == 0
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return f"{name} {i % 7}"
    if pa.types.is_list(kind):
        return [_of_type(kind.value_type, name, i + n) for n in range(i % 3)]
    if pa.types.is_struct(kind):
        return {one.name: _of_type(one.type, one.name, i) for one in kind}
    return None
