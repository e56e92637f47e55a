"""Arrow columns of any types: cells become JSON values, or have a reason why they cannot."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from builder.domain.contract.arrow_values import Unreadable, records_of
from builder.domain.contract.shape import Shape
from builder.domain.contract.shaper import shape_of_schema
from builder.domain.record import JSON_FIELD


def value_of(array: pa.Array, metadata: dict[bytes, bytes] | None = None) -> Any:
    field = pa.field("a", array.type, metadata=metadata)
    (record,) = records_of(pa.RecordBatch.from_arrays([array], schema=pa.schema([field])), None)
    if isinstance(record, Unreadable):
        return record.broken.reason if record.broken else [fault.keyword for fault in record.faults]
    return record.get("a")


NOON = dt.datetime(2017, 5, 1, 12, 0, 0, 250000)


@pytest.mark.parametrize(
    ("array", "value"),
    [
        (pa.array(["x"], pa.large_string()), "x"),
        (pa.array(["x"], pa.string_view()), "x"),
        (pa.array(["x"]).dictionary_encode(), "x"),
        (pa.array([b"x"], pa.binary()), "x"),
        (pa.array([2**64 - 1], pa.uint64()), 2**64 - 1),
        (pa.array([0.5], pa.float32()), 0.5),
        (pa.array([NOON], pa.timestamp("us")), "2017-05-01T12:00:00.250000Z"),
        (pa.array([NOON], pa.timestamp("ms", "Europe/Paris")), "2017-05-01T12:00:00.250Z"),
        (pa.array([10**18 + 1], pa.timestamp("ns")), "2001-09-09T01:46:40.000000001Z"),
        (pa.array([[NOON]], pa.list_(pa.timestamp("s"))), ["2017-05-01T12:00:00Z"]),
        (pa.array([dt.date(2017, 5, 1)]), "2017-05-01"),
        (pa.array([Decimal("1.50")], pa.decimal128(5, 2)), 1.5),
        (pa.array([Decimal("12345678901234567890.5")]), Decimal("12345678901234567890.5")),
        (pa.array([{"x": 1, "y": None}]), {"x": 1}),
        (pa.array([[{"x": None}, None]]), [{}, None]),
        (pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())), {"k": 1}),
        (pa.array([[("k", 1), ("k", 2)]], pa.map_(pa.string(), pa.int64())), ["duplicate_key"]),
        (pa.array([None], pa.null()), None),
        (pa.array([float("nan")]), "not_a_number"),
        (pa.array([float("inf")], pa.float32()), "not_a_number"),
        (pa.array([b"\xff"], pa.binary()), "invalid_utf8"),
        (pa.array([1], pa.duration("s")), "unsupported_type"),
    ],
)
def test_a_cell_has_a_value_or_a_reason(array: pa.Array, value: Any) -> None:
    """Types that JSON lacks take the form that a contract would declare."""
    assert value_of(array) == value


def test_invalid_utf8_in_a_string_column_affects_only_its_row() -> None:
    """The other rows of the column remain readable."""
    array = pa.StringArray.from_buffers(2, pa.py_buffer(b"\0\0\0\0\1\0\0\0\2\0\0\0"), pa.py_buffer(b"\xffx"))
    records = records_of(pa.record_batch({"a": array}), None)
    assert isinstance(records[0], Unreadable)
    assert records[1] == {"a": "x"}


def test_json_text_is_parsed() -> None:
    """A column that is marked as JSON text contains values; broken text makes its row unreadable."""
    assert value_of(pa.array(['{"x": [1]}']), JSON_FIELD) == {"x": [1]}
    assert value_of(pa.array(["{"]), JSON_FIELD) == "broken_json"
    assert value_of(pa.array(['{"x": 1, "x": 2}']), JSON_FIELD) == ["duplicate_key"]


def test_a_null_is_kept_if_the_contract_allows_null() -> None:
    """Otherwise the member is absent, because Arrow cannot distinguish null from absent."""
    schema = {"properties": {"a": {"type": ["string", "null"]}, "b": {"type": "string"}}}
    batch = pa.record_batch({"a": pa.nulls(1, pa.string()), "b": pa.nulls(1, pa.string())})
    assert records_of(batch, shape_of_schema(schema, {})) == [{"a": None}]
    assert records_of(batch, Shape(), keep_nulls=False) == [{}]
