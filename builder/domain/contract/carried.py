"""Columns that the contract does not declare and the recipe publishes: their types and values.

The types come from all inputs, before the first record is processed. A column of a table keeps its Arrow
type. A member of JSON records gets the type of all its values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from builder.domain.contract.schema_document import describe_schema, restore_schema
from builder.domain.record import JSON_FIELD
from builder.errors import ContractError, Fault

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_VIEWS = {pa.string_view(): pa.string(), pa.binary_view(): pa.binary()}
_ADVICE = "leave the column out: add it to `drop`, or convert it in the file"


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedColumn:
    """A column that is published next to those of the contract.

    Attributes:
        name: the name of the column; with dots, also the path of the member in JSON records.
        is_json: whether it holds values of JSON as text.
        file: the input that gave the column its type.
    """

    name: str
    type: pa.DataType
    is_json: bool = False
    file: str = ""

    @property
    def field(self) -> pa.Field:
        """The column as a field of Arrow."""
        return pa.field(self.name, self.type, metadata=JSON_FIELD if self.is_json else None)

    def document(self) -> dict[str, Any]:
        """Return the column as a manifest stores it."""
        (facts,) = describe_schema(pa.schema([pa.field(self.name, self.type)]))
        return {**facts, "json": self.is_json, "file": self.file}

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> CarriedColumn:
        """Read what ``document`` wrote."""
        kind = restore_schema([document]).field(0).type
        return cls(name=document["name"], type=kind, is_json=document["json"], file=document["file"])


def published_type(name: str, kind: pa.DataType) -> pa.DataType:
    """Return the type in which a column of a table is published: its own, with fields that may be null.

    Dictionaries, run-length encoded columns and views become the type of their values.

    >>> published_type("tags", pa.dictionary(pa.int32(), pa.string()))
    DataType(string)

    Raises:
        ContractError: if columns of this type cannot be published.
    """
    kinds = pa.types
    if isinstance(kind, pa.BaseExtensionType):
        kind = kind.storage_type
    if kind in _VIEWS:
        return _VIEWS[kind]
    if kinds.is_dictionary(kind) or kinds.is_run_end_encoded(kind):
        return published_type(name, kind.value_type)
    if kinds.is_struct(kind) and kind.num_fields:
        return pa.struct([pa.field(part.name, published_type(name, part.type)) for part in kind])
    if kinds.is_fixed_size_list(kind):
        return pa.list_(published_type(name, kind.value_type), kind.list_size)
    if kinds.is_large_list(kind):
        return pa.large_list(published_type(name, kind.value_type))
    if kinds.is_list(kind):
        return pa.list_(published_type(name, kind.value_type))
    if (
        kinds.is_nested(kind)
        or kinds.is_interval(kind)
        or kinds.is_decimal32(kind)
        or kinds.is_decimal64(kind)
    ):
        what = f"a column of the type {kind} cannot be published"
        raise ContractError(Fault(where=f"publish: {name}", what=what, advice=_ADVICE))
    return kind


def column_at(batch: pa.RecordBatch, path: str) -> pa.Array | None:
    """Return a column, or a part of a struct column by its dotted path; None if the batch has neither."""
    if path in batch.schema.names:
        return batch.column(path)
    first, *rest = path.split(".")
    if not rest or first not in batch.schema.names:
        return None
    array = batch.column(first)
    for step in rest:
        if not pa.types.is_struct(array.type) or array.type.get_field_index(step) < 0:
            return None
        array = pc.struct_field(array, step)
    return array


def carried_array(array: pa.Array | None, column: CarriedColumn, n_rows: int) -> pa.Array:
    """Convert a column of a table to its published type; nulls for a table without it."""
    if array is None:
        return pa.nulls(n_rows, column.type)
    if isinstance(array.type, pa.BaseExtensionType):
        array = array.storage
    return array if array.type == column.type else array.cast(column.type)


def same_types(known: Sequence[CarriedColumn], found: Sequence[CarriedColumn]) -> list[CarriedColumn]:
    """Combine columns of several inputs; a column without a value takes the type of the others.

    Raises:
        ContractError: if two inputs give a column different types; the error names both.
    """
    combined = {one.name: one for one in known}
    faults = []
    for one in found:
        there = combined.get(one.name)
        if there is None or pa.types.is_null(there.type):
            combined[one.name] = one
        elif not pa.types.is_null(one.type) and (there.type, there.is_json) != (one.type, one.is_json):
            what = f"{there.file} has the type {_shown(there)}, {one.file} has {_shown(one)}"
            advice = f"convert one of them, or leave the column out: drop: [{one.name}]"
            faults.append(Fault(where=f"publish: {one.name}", what=what, advice=advice))
    if faults:
        raise ContractError(*faults)
    return list(combined.values())


def _shown(column: CarriedColumn) -> str:
    return "JSON" if column.is_json else str(column.type)
