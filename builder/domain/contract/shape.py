"""Define the shape of a schema: the part of it from which columns are derived.

A shape is wider than its schema, never narrower. Restrictions that do not determine a type (bounds, patterns,
``not``, ``if``) are left out, because records are judged before they become columns.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ANY_TYPES = frozenset(("null", "boolean", "integer", "number", "string", "array", "object"))
FORMATS = ("date-time", "date")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The types that a value may have and, for containers, the shapes of their contents.

    Attributes:
        types: names of JSON types; ``number`` includes ``integer``.
        format: ``date-time`` or ``date`` if every string has this format.
        items: the shape of every item of an array; None if the schema does not declare it.
        properties: the shapes of the declared members.
        closed: whether an object can have no other members.
        leaks: whether a part that shapes do not follow (``if``, ``patternProperties``) may allow members that
            are not declared, so that ``unevaluatedProperties: false`` does not close the object.
        json: whether ``"x-arrow": "json"`` asks for JSON text.
        pointer: the place in the schema that declares this shape.
        trouble: why the schema has no shape (recursion, tuples), in words.
    """

    types: frozenset[str] = ANY_TYPES
    format: str | None = None
    items: Shape | None = None
    properties: Mapping[str, Shape] = field(default_factory=dict)
    closed: bool = False
    leaks: bool = False
    json: bool = False
    pointer: str = ""
    trouble: str | None = None

    @property
    def nullable(self) -> bool:
        """Whether null is allowed."""
        return "null" in self.types


def both(one: Shape, other: Shape) -> Shape:
    """Return the shape of the values that meet both schemas."""
    types = _common(one.types, other.types)
    names = [*one.properties, *(name for name in other.properties if name not in one.properties)]
    return Shape(
        types=types,
        format=one.format or other.format,
        items=_both_or_known(one.items, other.items),
        properties={
            n: known
            for n in names
            if (known := _both_or_known(one.properties.get(n), other.properties.get(n))) is not None
        },
        closed=one.closed or other.closed,
        leaks=one.leaks or other.leaks,
        json=one.json or other.json,
        pointer=one.pointer if one.types <= other.types else other.pointer,
        trouble=one.trouble or other.trouble,
    )


def either(one: Shape, other: Shape) -> Shape:
    """Return the shape of the values that meet one of two schemas, or both.

    A member that only one schema declares can be anything if the other schema is open.
    """
    if one.types == frozenset(("null",)) or not one.types:
        return replace(other, types=other.types | one.types)
    if other.types == frozenset(("null",)) or not other.types:
        return replace(one, types=one.types | other.types)
    names = [*one.properties, *(name for name in other.properties if name not in one.properties)]
    return Shape(
        types=one.types | other.types,
        format=one.format if one.format == other.format else None,
        items=_either_items(one, other),
        properties={name: _either_member(name, one, other) for name in names},
        closed=_closes(one) and _closes(other),
        leaks=one.leaks or other.leaks,
        json=one.json or other.json,
        pointer=one.pointer,
        trouble=one.trouble or other.trouble,
    )


def _common(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    types = one & other
    if "integer" in one | other and "number" in one | other:
        wide = other if "integer" in one else one
        types = types | {"integer"} if "number" in wide else types
    return types


def _both_or_known(one: Shape | None, other: Shape | None) -> Shape | None:
    if one is None or other is None:
        return one or other
    return both(one, other)


def _closes(shape: Shape) -> bool:
    return shape.closed or "object" not in shape.types


def _either_items(one: Shape, other: Shape) -> Shape | None:
    if "array" not in one.types or "array" not in other.types:
        return one.items if "array" in one.types else other.items
    if one.items is None or other.items is None:
        return None
    return either(one.items, other.items)


def _either_member(name: str, one: Shape, other: Shape) -> Shape:
    here, there = one.properties.get(name), other.properties.get(name)
    if here is not None and there is not None:
        return either(here, there)
    known, silent = (here, other) if here is not None else (there, one)
    if known is None or _closes(silent):
        return known or Shape()
    return Shape(pointer=known.pointer, json=known.json)
