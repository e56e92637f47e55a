"""Convert Arrow columns to the fields of a Croissant record set."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pyarrow.types as pat

from builder.card.text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")
_UNFIT_FOR_A_PATH = re.compile(r"[\"\\\x00-\x1f]")

_NUMBERS = {
    "int8": "cr:Int8",
    "int16": "cr:Int16",
    "int32": "cr:Int32",
    "int64": "cr:Int64",
    "uint8": "cr:UInt8",
    "uint16": "cr:UInt16",
    "uint32": "cr:UInt32",
    "uint64": "cr:UInt64",
    "halffloat": "cr:Float16",
    "float": "cr:Float32",
    "double": "cr:Float64",
}


def describe_columns(
    record_set: str, columns: pa.Schema, *, notes: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Describe each column as a field; the parts of a struct are its sub-fields.

    Columns that Croissant readers cannot read (lists of structs inside another struct, durations) are left
    out, because one such field makes the whole record set unreadable.
    """
    fields = []
    for column, identifier in zip(columns, identifiers(columns.names), strict=True):
        source = {"fileSet": {"@id": f"{record_set}-files"}, "extract": {"column": column.name}}
        field = _field(f"{record_set}/{identifier}", column, source=source, path="$")
        if field is None:
            continue
        if note := notes.get(column.name):
            field["description"] = one_line(note)
        fields.append(field)
    return fields


def identifiers(names: Sequence[str]) -> list[str]:
    """Return names that are valid in ``@id`` and unique.

    >>> identifiers(["id", "page title", "page_title"])
    ['id', 'page_title', 'page_title-2']
    """
    taken: list[str] = []
    for name in names:
        plain = _UNFIT.sub("_", name) or "_"
        number = 1
        while (unique := plain if number == 1 else f"{plain}-{number}") in taken:
            number += 1
        taken.append(unique)
    return taken


def _field(
    identifier: str, field: pa.Field, *, source: dict[str, Any], path: str, inside: bool = False
) -> dict[str, Any] | None:
    """Describe a column or a part of a column; None if Croissant cannot describe it.

    Args:
        path: JSON path of the part in the column's value; ``$`` is the whole value.
        inside: whether the field is a part of a struct.
    """
    value_type, shape = _item_type_and_shape(field.type)
    described: dict[str, Any] = {"@type": "cr:Field", "@id": identifier, "name": field.name}
    if shape:
        described |= {"isArray": True, "arrayShape": ",".join(shape)}
    if pat.is_struct(value_type):
        if len(shape) > 1 or (shape and inside):
            return None
        parts = _parts(identifier, value_type, source=source, path=path)
        return {**described, "subField": parts} if parts else None
    data_type = _data_type(value_type)
    if data_type is None:
        return None
    transform = {} if path == "$" else {"transform": {"jsonPath": path}}
    return {**described, "dataType": data_type, "source": {**source, **transform}}


def _parts(
    identifier: str, struct: pa.StructType, *, source: dict[str, Any], path: str
) -> list[dict[str, Any]]:
    names = [part.name for part in struct]
    parts = [
        _field(f"{identifier}/{name}", part, source=source, path=f'{path}."{part.name}"', inside=True)
        for part, name in zip(struct, identifiers(names), strict=True)
        if not _UNFIT_FOR_A_PATH.search(part.name)
    ]
    return [part for part in parts if part is not None]


def _item_type_and_shape(arrow_type: pa.DataType) -> tuple[pa.DataType, list[str]]:
    """Return the item type of nested lists and their lengths; -1 is a dimension of any length."""
    shape = []
    while pat.is_list(arrow_type) or pat.is_large_list(arrow_type) or pat.is_fixed_size_list(arrow_type):
        shape.append(str(arrow_type.list_size) if pat.is_fixed_size_list(arrow_type) else "-1")
        arrow_type = arrow_type.value_type
    return arrow_type, shape


def _data_type(arrow_type: pa.DataType) -> str | None:
    if pat.is_boolean(arrow_type):
        return "sc:Boolean"
    if pat.is_timestamp(arrow_type):
        return "sc:DateTime"
    if pat.is_date(arrow_type):
        return "sc:Date"
    if pat.is_time(arrow_type):
        return "sc:Time"
    if pat.is_decimal(arrow_type):
        return "sc:Float"
    texts = (pat.is_string, pat.is_large_string, pat.is_string_view, pat.is_binary, pat.is_large_binary)
    if any(is_text(arrow_type) for is_text in texts):
        return "sc:Text"
    return _NUMBERS.get(str(arrow_type))
