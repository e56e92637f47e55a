"""Find the type of all values that a member of JSON records has."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from builder.domain.record import JSON_FIELD

_KINDS = {type(None): "null", bool: "boolean", int: "integer", float: "number", str: "string"}
_SCALARS = {
    "boolean": pa.bool_(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "string": pa.string(),
    "null": pa.null(),
}
_MAX_MEMBERS = 200
"""Members of an object with a column each; an object with more is a mapping, and becomes JSON text."""

_MAX_LEVELS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueType:
    """The type of some JSON values.

    Attributes:
        kind: a type of JSON Schema, or ``json`` for values without a common type.
        item: the type of the items of arrays; None if all arrays are empty.
        members: the types of the members of objects.
    """

    kind: str
    item: ValueType | None = None
    members: dict[str, ValueType] = field(default_factory=dict)

    def field(self, name: str) -> pa.Field:
        """Return the Arrow field that holds the values."""
        if self.kind == "json" or (self.kind == "object" and not self.members):
            return pa.field(name, pa.string(), metadata=JSON_FIELD)
        if self.kind == "array":
            return pa.field(name, pa.list_(self.item.field("item") if self.item else pa.string()))
        if self.kind == "object":
            return pa.field(name, pa.struct([part.field(key) for key, part in self.members.items()]))
        return pa.field(name, _SCALARS[self.kind])


_PLAIN = {kind: ValueType(kind=kind) for kind in (*_SCALARS, "json")}


def type_of_value(value: Any, *, levels: int = 0) -> ValueType:
    """Return the type of one value."""
    kind = _KINDS.get(type(value))
    if kind is not None:
        return _PLAIN[kind]
    if levels > _MAX_LEVELS:
        return _PLAIN["json"]
    if isinstance(value, list):
        item: ValueType | None = None
        for one in value:
            item = inside(item, type_of_value(one, levels=levels + 1))
        return ValueType(kind="array", item=item)
    if not isinstance(value, dict):
        return _PLAIN["number"]
    if len(value) > _MAX_MEMBERS or "" in value:
        return _PLAIN["json"]
    members = {name: type_of_value(one, levels=levels + 1) for name, one in value.items()}
    return ValueType(kind="object", members=members)


def common_type(one: ValueType, other: ValueType) -> ValueType | None:
    """Return the type of the values of both types; None if they have none.

    >>> one, two = type_of_value(1), type_of_value(0.5)
    >>> common_type(one, two).kind, common_type(one, type_of_value("a"))
    ('number', None)
    """
    if one is other or other.kind == "null":
        return one
    if one.kind == "null":
        return other
    if "json" in (one.kind, other.kind):
        return _PLAIN["json"]
    if {one.kind, other.kind} == {"integer", "number"}:
        return _PLAIN["number"]
    if one.kind != other.kind:
        return None
    if one.kind == "array":
        item = one.item if other.item is None else inside(one.item, other.item)
        return ValueType(kind="array", item=item)
    if one.kind == "object":
        members = dict(one.members)
        for name, part in other.members.items():
            members[name] = inside(members.get(name), part)
        return ValueType(kind="object", members=members) if len(members) <= _MAX_MEMBERS else _PLAIN["json"]
    return one


def inside(one: ValueType | None, other: ValueType) -> ValueType:
    """Return the common type of values inside arrays and objects; without one, they are kept as JSON."""
    return other if one is None else common_type(one, other) or _PLAIN["json"]
