"""Map a JSON Schema to Arrow columns, and refuse what cannot be mapped before a record is read."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from builder.domain.contract.contract import EXTRA, EXTRA_FIELD
from builder.domain.contract.shape import ANY_TYPES
from builder.domain.contract.shaper import shape_of_schema
from builder.domain.record import JSON_FIELD
from builder.errors import ContractError, Fault

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from builder.domain.contract.contract import Contract
    from builder.domain.contract.shape import Shape

MAX_LEVELS = 99
"""Levels of Parquet that can be read back: 1 for a struct, 2 for a list, 1 for the value."""

_KEEP_AS_JSON = 'add "x-arrow": "json" at this place to keep it as JSON text'

_RENAME = "rename the property, and add rename: {{{name}: new_name}} to the source"

_TOO_DEEP = f"it is more than {MAX_LEVELS} levels deep, and Parquet cannot read it back"

_SCALARS = {
    frozenset(("boolean",)): pa.bool_(),
    frozenset(("integer",)): pa.int64(),
    frozenset(("number",)): pa.float64(),
    frozenset(("integer", "number")): pa.float64(),
}
_STRINGS = {None: pa.string(), "date-time": pa.timestamp("us", "UTC"), "date": pa.date32()}


def map_schema(schema: Any, documents: Mapping[str, Any], *, reserved: Sequence[str] = ()) -> pa.Schema:
    """Derive columns that can hold every record that a schema accepts.

    All columns and fields are nullable, because an absent member is null. The undeclared members of an open
    object go, as JSON text, to a column or field ``extra`` next to the declared members.

    Args:
        reserved: names that the schema may not use for columns.

    Raises:
        ContractError: with every place that cannot be mapped, and how to fix it.
    """
    shape = shape_of_schema(schema, documents)
    mapper = _Mapper()
    columns = mapper.root(shape, reserved=reserved)
    if mapper.faults:
        raise ContractError(*mapper.faults)
    return pa.schema(columns)


@lru_cache(maxsize=16)
def shape_of(contract: Contract) -> Shape:
    """Return the shape of a contract's records."""
    return shape_of_schema(contract.schema, contract.documents)


class _Mapper:
    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def root(self, shape: Shape, *, reserved: Sequence[str]) -> list[pa.Field]:
        if shape.trouble or shape.json or "object" not in shape.types:
            what = shape.trouble or "a record must be an object with declared properties"
            self._refuse(shape, what, 'write "type": "object" and declare the columns under "properties"')
            return []
        for name, part in shape.properties.items():
            if name.startswith("_"):
                what = f"the name {name!r} begins with an underscore, as only the build's own columns may"
                self._refuse(part, what, _RENAME.format(name=name))
            elif name in reserved:
                what = f"the name {name!r} is reserved for the document's own {name}"
                self._refuse(part, what, _RENAME.format(name=name))
        fields = self._members(shape, levels=0)
        if not fields and not self.faults:
            self._refuse(shape, "the schema declares no property that can be a column", 'add "properties"')
        return fields if shape.closed else self._with_extra(shape, fields)

    def field(self, name: str, shape: Shape, *, levels: int) -> pa.Field | None:
        """Map one member; None if it can never be present."""
        if not shape.types:
            return None
        if shape.json:
            return pa.field(name, pa.string(), metadata=JSON_FIELD)
        if shape.trouble:
            self._refuse(shape, shape.trouble)
            return None
        types = shape.types - {"null"}
        if types == {"object"}:
            return self._object(name, shape, levels=levels)
        arrow = self._array(shape, levels=levels) if types == {"array"} else self._scalar(shape)
        if levels >= MAX_LEVELS and arrow is not None:
            self._refuse(shape, _TOO_DEEP)
        return None if arrow is None else pa.field(name, arrow)

    def _scalar(self, shape: Shape) -> pa.DataType | None:
        types = shape.types - {"null"}
        if types == {"string"}:
            return _STRINGS[shape.format]
        if types in _SCALARS:
            return _SCALARS[types]
        if not types:
            return pa.string()  # always null
        if shape.types == ANY_TYPES:
            self._refuse(shape, "its type is not declared")
        else:
            self._refuse(shape, "it may be " + " or ".join(sorted(types)) + ", but a column has one type")
        return None

    def _array(self, shape: Shape, *, levels: int) -> pa.DataType | None:
        if levels > MAX_LEVELS:
            self._refuse(shape, _TOO_DEEP)
            return None
        if shape.items is None:
            self._refuse(shape, "the type of its items is not declared")
            return None
        if not shape.items.types:
            return pa.list_(pa.field("element", pa.string()))  # always empty
        item = self.field("element", shape.items, levels=levels + 2)
        return None if item is None else pa.list_(item)

    def _object(self, name: str, shape: Shape, *, levels: int) -> pa.Field | None:
        if levels > MAX_LEVELS:
            self._refuse(shape, _TOO_DEEP)
            return None
        n_faults = len(self.faults)
        members = self._members(shape, levels=levels + 1)
        if len(self.faults) > n_faults:
            return None
        if not shape.closed:
            if not members:
                return pa.field(name, pa.string(), metadata=JSON_FIELD)
            members = self._with_extra(shape, members)
        if not members:
            self._refuse(shape, "an object that can have no member cannot be a column of Parquet")
            return None
        return pa.field(name, pa.struct(members))

    def _members(self, shape: Shape, *, levels: int) -> list[pa.Field]:
        mapped = [self.field(name, part, levels=levels) for name, part in shape.properties.items()]
        return [member for member in mapped if member is not None]

    def _with_extra(self, shape: Shape, members: list[pa.Field]) -> list[pa.Field]:
        if EXTRA in shape.properties:
            what = f"{EXTRA!r} is reserved for the undeclared members of this open object"
            advice = 'rename the property, or close the object with "additionalProperties": false'
            self._refuse(shape.properties[EXTRA], what, advice)
        return [*members, pa.field(EXTRA, pa.string(), metadata=EXTRA_FIELD)]

    def _refuse(self, shape: Shape, what: str, advice: str = _KEEP_AS_JSON) -> None:
        fault = Fault(where=shape.pointer or "/", what=what, advice=advice)
        if fault not in self.faults:
            self.faults.append(fault)
