"""Convert an Arrow schema to a JSON document and back; a manifest describes its columns in this form.

The names of types are defined here, so that they do not change when a library changes its own names. Names
of list items and all metadata are left out, because they are not part of the data.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.types as pat

from builder.errors import ContractError, Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_SIMPLE: dict[str, pa.DataType] = {
    "null": pa.null(),
    "bool": pa.bool_(),
    **{f"int{bits}": getattr(pa, f"int{bits}")() for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": getattr(pa, f"uint{bits}")() for bits in (8, 16, 32, 64)},
    **{f"float{bits}": getattr(pa, f"float{bits}")() for bits in (16, 32, 64)},
    "date32": pa.date32(),
    "date64": pa.date64(),
    "string": pa.string(),
    "large_string": pa.large_string(),
    "binary": pa.binary(),
    "large_binary": pa.large_binary(),
    **{f"time32[{unit}]": pa.time32(unit) for unit in ("s", "ms")},
    **{f"time64[{unit}]": pa.time64(unit) for unit in ("us", "ns")},
    **{f"duration[{unit}]": pa.duration(unit) for unit in ("s", "ms", "us", "ns")},
}
_NAMES = {arrow_type: name for name, arrow_type in _SIMPLE.items()}
_TIMESTAMP = re.compile(r"timestamp\[(s|ms|us|ns)(?:, (.+))?\]")
_DECIMAL = re.compile(r"decimal(32|64|128|256)\((\d+), (-?\d+)\)")
_FIXED_BINARY = re.compile(r"binary\[(\d+)\]")


def describe_schema(schema: pa.Schema) -> list[dict[str, Any]]:
    """Describe the columns of a schema, in their order.

    >>> describe_schema(pa.schema([("at", pa.timestamp("us", "UTC"))]))
    [{'name': 'at', 'type': 'timestamp[us, UTC]', 'nullable': True}]

    Raises:
        ContractError: if a column has a type that is never published (unions, maps, dictionaries, views).
    """
    return [{"name": field.name, **_describe(field)} for field in schema]


def restore_schema(document: Sequence[Mapping[str, Any]]) -> pa.Schema:
    """Return the Arrow schema that ``describe_schema`` described.

    Raises:
        ContractError: if a type is unknown; a newer release of builder may have written it.
    """
    return pa.schema([_restore(column, column["name"]) for column in document])


def _describe(field: pa.Field) -> dict[str, Any]:
    kind = field.type
    facts: dict[str, Any] = {"type": _type_name(kind), "nullable": field.nullable}
    if pat.is_struct(kind):
        facts["fields"] = [{"name": part.name, **_describe(part)} for part in kind]
    elif facts["type"].endswith("list"):
        facts["items"] = _describe(kind.value_field)
    if pat.is_fixed_size_list(kind):
        facts["size"] = kind.list_size
    return facts


def _type_name(kind: pa.DataType) -> str:
    if kind in _NAMES:
        return _NAMES[kind]
    if pat.is_timestamp(kind):
        return f"timestamp[{kind.unit}, {kind.tz}]" if kind.tz else f"timestamp[{kind.unit}]"
    if pat.is_decimal(kind):
        return f"decimal{kind.bit_width}({kind.precision}, {kind.scale})"
    if pat.is_fixed_size_binary(kind):
        return f"binary[{kind.byte_width}]"
    for matches, name in _NESTED:
        if matches(kind):
            return name
    advice = "publish it as JSON text"
    raise ContractError(Fault(where="", what=f"a column of type {kind} cannot be published", advice=advice))


_NESTED: Sequence[tuple[Callable[[pa.DataType], bool], str]] = (
    (pat.is_struct, "struct"),
    (pat.is_list, "list"),
    (pat.is_large_list, "large_list"),
    (pat.is_fixed_size_list, "fixed_size_list"),
)


def _restore(facts: Mapping[str, Any], name: str) -> pa.Field:
    return pa.field(name, _restore_type(facts), nullable=facts["nullable"])


def _restore_type(facts: Mapping[str, Any]) -> pa.DataType:
    name = facts["type"]
    if name in _SIMPLE:
        return _SIMPLE[name]
    if name == "struct":
        return pa.struct([_restore(part, part["name"]) for part in facts["fields"]])
    if name in ("list", "fixed_size_list"):
        return pa.list_(_restore(facts["items"], "item"), facts.get("size", -1))
    if name == "large_list":
        return pa.large_list(_restore(facts["items"], "item"))
    if match := _TIMESTAMP.fullmatch(name):
        return pa.timestamp(match[1], match[2])
    if match := _DECIMAL.fullmatch(name):
        return getattr(pa, f"decimal{match[1]}")(int(match[2]), int(match[3]))
    if match := _FIXED_BINARY.fullmatch(name):
        return pa.binary(int(match[1]))
    what = f"unknown type of a column: {name!r}"
    raise ContractError(Fault(where="", what=what, advice="try a newer release of builder"))
