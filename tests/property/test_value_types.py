"""Types of JSON values: any values have a type, and the column of that type gives them back."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from builder.domain.contract.tabulate import tabulate
from builder.domain.contract.value_types import common_type, inside, type_of_value

NAMES = st.sampled_from(["a", "b", "c d", "extra", ""])
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


def plain(came: Any, value: Any, field: pa.Field) -> Any:
    """Return a value of a column as JSON, without the nulls of absent members."""
    if field.metadata and value is not None:
        return json.loads(value)
    if pa.types.is_struct(field.type) and value is not None:
        return {
            part.name: plain(came.get(part.name), value[part.name], part)
            for part in field.type
            if part.name in came
        }
    if pa.types.is_list(field.type) and value is not None:
        item = field.type.value_field
        return [plain(one, found, item) for one, found in zip(came, value, strict=True)]
    return value


@given(st.lists(VALUES, min_size=1, max_size=4))
def test_a_column_of_the_common_type_holds_every_value(values: list[Any]) -> None:
    """Values inside arrays and objects without a common type are kept as JSON text."""
    kind = None
    for value in values:
        kind = inside(kind, type_of_value(value))
    assert kind is not None
    field = kind.field("x")
    (column,), faults = tabulate([{"x": value} for value in values], pa.schema([field]))
    assert not faults
    found = column.to_pylist()
    assert [plain(c, f, field) for c, f in zip(values, found, strict=True)] == values


@given(VALUES, VALUES, VALUES)
def test_the_common_type_does_not_depend_on_the_order(one: Any, two: Any, three: Any) -> None:
    """Tasks are read in any number of parts."""
    a, b, c = map(type_of_value, (one, two, three))
    assert shape(inside(inside(a, b), c)) == shape(inside(a, inside(b, c)))
    assert (common_type(a, b) is None) == (common_type(b, a) is None)


def shape(kind: Any) -> Any:
    """Return a type without the order of its members."""
    members = {name: shape(part) for name, part in kind.members.items()}
    return kind.kind, shape(kind.item) if kind.item else None, members
