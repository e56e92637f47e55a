"""Convert Arrow columns of any types to the JSON values that a contract judges.

Types that JSON lacks take the form that a contract would declare: instants and dates become RFC 3339 strings
(an instant without a time zone is read as UTC), decimals become numbers, bytes become UTF-8 text, maps
become objects. A null member is left out if the contract does not allow null, because Arrow cannot
distinguish null from absent.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from builder.domain.contract.contract import is_extra_field, is_json_field
from builder.domain.fault_order import pointer_of
from builder.domain.json.exact import Broken, exact_number
from builder.domain.json.text import parse
from builder.domain.rejection import ContractFault

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    from builder.domain.contract.shape import Shape

    Read: TypeAlias = Callable[[Any, tuple[str | int, ...]], Any]

REASONS = {
    "unsupported_type": "The column has a type without a form in JSON (a duration, an interval, a union).",
}
"""Why a record of columns cannot be read, in addition to the reasons for JSON text."""


class Unreadable(Exception):  # noqa: N818 - carries a result; never reaches the user
    """Why a cell has no JSON value: it cannot be read, or it holds JSON text with faults.

    For a row, ``broken`` and ``faults`` are those of its first cell that has no value, ``rest`` has the
    members that can be read, and ``cells`` has the first fault of each cell that has no value.
    """

    def __init__(
        self,
        broken: Broken | None = None,
        faults: Sequence[ContractFault] = (),
        *,
        rest: dict[str, Any] | None = None,
        cells: Sequence[ContractFault] = (),
    ) -> None:
        self.broken, self.faults = broken, tuple(faults)
        self.rest, self.cells = rest, tuple(cells)


def records_of(
    batch: pa.RecordBatch, shape: Shape | None, *, keep_nulls: bool = True
) -> list[dict[str, Any] | Unreadable]:
    """Convert the public columns of a batch to one record for each row.

    Args:
        shape: the shape of the contract's records; with None, or without ``keep_nulls``, all null members
            are left out.
    """
    fields = [f for f in batch.schema if not f.name.startswith("_")]
    shape = shape if keep_nulls else None
    read = _members_reader(fields, shape)
    columns = [_plain_values(batch.column(f.name), f.type) for f in fields]
    records: list[dict[str, Any] | Unreadable] = []
    for row in range(batch.num_rows):
        try:
            records.append(read([_cell(column, row) for column in columns], ()))
        except Unreadable as unreadable:
            records.append(_cell_by_cell(unreadable, fields, columns, row, shape))
    return records


def _cell_by_cell(
    first: Unreadable,
    fields: Sequence[pa.Field],
    columns: Sequence[list[Any] | pa.Array],
    row: int,
    shape: Shape | None,
) -> Unreadable:
    """Read the cells of a row one by one, and find those that have no value."""
    cells, good, values = [], [], []
    for field, column in zip(fields, columns, strict=True):
        try:
            value = _cell(column, row)
            _members_reader([field], shape)([value], ())
        except Unreadable as unreadable:
            cells.append(_fault_of_cell(field.name, unreadable))
        else:
            good.append(field)
            values.append(value)
    rest = _members_reader(good, shape)(values, ())
    return Unreadable(first.broken, first.faults, rest=rest, cells=cells)


def _fault_of_cell(name: str, unreadable: Unreadable) -> ContractFault:
    place, broken = pointer_of((name,)), unreadable.broken
    if broken is None:
        return replace(unreadable.faults[0], pointer=place)
    return ContractFault(pointer=place, keyword=broken.reason, message=broken.message)


def _cell(column: list[Any] | pa.Array, row: int) -> Any:
    if isinstance(column, list):
        return column[row]
    try:
        return column[row].as_py()
    except UnicodeDecodeError as error:
        raise _broken("invalid_utf8", str(error)) from None
    except (ValueError, OverflowError, NotImplementedError, pa.ArrowInvalid) as error:
        raise _broken("unsupported_type", str(error)) from None


def _plain_values(array: pa.Array, arrow_type: pa.DataType) -> list[Any] | pa.Array:
    """Return a column as Python values; if a cell has none, return an array to read cell by cell."""
    try:
        plain = array
        for change in (_with_zones, _with_strings):
            wanted = change(arrow_type)
            if wanted != plain.type:
                plain = plain.cast(wanted)
            arrow_type = wanted
        values: list[Any] = plain.to_pylist()
        return values
    except (ValueError, OverflowError, NotImplementedError, pa.ArrowInvalid):
        return array


def _with_zones(arrow_type: pa.DataType) -> pa.DataType:
    """Give every timestamp the time zone UTC, and replace encoded types by the types of their values."""
    if pa.types.is_timestamp(arrow_type):
        return pa.timestamp(arrow_type.unit, "UTC")
    if pa.types.is_dictionary(arrow_type) or pa.types.is_run_end_encoded(arrow_type):
        return _with_zones(arrow_type.value_type)
    return _inside(arrow_type, _with_zones)


def _with_strings(arrow_type: pa.DataType) -> pa.DataType:
    if pa.types.is_timestamp(arrow_type) or pa.types.is_date(arrow_type) or pa.types.is_time(arrow_type):
        return pa.string()
    if pa.types.is_floating(arrow_type):
        return pa.float64()
    return _inside(arrow_type, _with_strings)


def _inside(arrow_type: pa.DataType, change: Callable[[pa.DataType], pa.DataType]) -> pa.DataType:
    if pa.types.is_struct(arrow_type):
        return pa.struct([f.with_type(change(f.type)) for f in arrow_type])
    if pa.types.is_list(arrow_type):
        return pa.list_(arrow_type.value_field.with_type(change(arrow_type.value_type)))
    if pa.types.is_large_list(arrow_type):
        return pa.large_list(arrow_type.value_field.with_type(change(arrow_type.value_type)))
    if pa.types.is_fixed_size_list(arrow_type):
        item = arrow_type.value_field.with_type(change(arrow_type.value_type))
        return pa.list_(item, arrow_type.list_size)
    return arrow_type


# -- Python values to JSON values ------------------------------------------------------------------


def _reader(field: pa.Field, shape: Shape | None) -> Read:
    arrow_type = field.type
    if is_json_field(field):
        return _json
    if pa.types.is_struct(arrow_type):
        read = _members_reader(list(arrow_type), shape)
        names = [f.name for f in arrow_type]
        return _not_null(lambda value, path: read([value[name] for name in names], path))
    if pa.types.is_map(arrow_type):
        return _not_null(_map_reader(arrow_type, shape))
    if hasattr(arrow_type, "value_field"):
        read_item = _reader(arrow_type.value_field, shape.items if shape else None)
        return _not_null(lambda value, path: [read_item(item, (*path, i)) for i, item in enumerate(value)])
    if pa.types.is_dictionary(arrow_type) or pa.types.is_run_end_encoded(arrow_type):
        return _reader(pa.field(field.name, arrow_type.value_type), shape)
    return _scalar_reader(arrow_type)


def _scalar_reader(arrow_type: pa.DataType) -> Read:
    kinds = pa.types
    if kinds.is_string(arrow_type) or kinds.is_large_string(arrow_type) or arrow_type == pa.string_view():
        return _as_is
    if kinds.is_integer(arrow_type) or kinds.is_boolean(arrow_type) or kinds.is_null(arrow_type):
        return _as_is
    if kinds.is_date(arrow_type) or kinds.is_time(arrow_type):
        return _as_is
    for is_kind, read in (
        (kinds.is_floating, _float),
        (kinds.is_timestamp, _instant),
        (kinds.is_decimal, _decimal),
        (_is_binary, _text),
    ):
        if is_kind(arrow_type):
            return _not_null(read)
    return _not_null(_unsupported)


def _is_binary(arrow_type: pa.DataType) -> bool:
    kinds = pa.types
    return bool(
        kinds.is_binary(arrow_type)
        or kinds.is_large_binary(arrow_type)
        or kinds.is_fixed_size_binary(arrow_type)
        or arrow_type == pa.binary_view()
    )


def _members_reader(
    fields: Sequence[pa.Field], shape: Shape | None
) -> Callable[[list[Any], Any], dict[str, Any]]:
    """Return the reader of an object; the members in ``extra`` of an earlier contract are restored."""
    members = []
    for field in fields:
        part = shape.properties.get(field.name) if shape else None
        read = _reader(field, part)
        members.append((field.name, read, part is not None and part.nullable, is_extra_field(field)))

    def read_members(values: list[Any], path: tuple[str | int, ...]) -> dict[str, Any]:
        record: dict[str, Any] = {}
        for (name, read, keeps_null, is_extra), value in zip(members, values, strict=True):
            member = read(value, (*path, name))
            if is_extra and isinstance(member, dict):
                record = {**member, **record}
            elif member is not None or keeps_null:
                record[name] = member
        return record

    return read_members


def _map_reader(arrow_type: pa.DataType, shape: Shape | None) -> Read:
    read_key = _reader(arrow_type.key_field, None)
    read_item = _reader(arrow_type.item_field, shape.items if shape else None)

    def read(pairs: Any, path: tuple[str | int, ...]) -> dict[str, Any]:
        members: dict[str, Any] = {}
        for key, item in pairs:
            name = str(read_key(key, path))
            if name in members:
                message = f"{name[:80]!r} is there more than once"
                raise Unreadable(
                    faults=[ContractFault(pointer=pointer_of(path), keyword="duplicate_key", message=message)]
                )
            members[name] = read_item(item, (*path, name))
        return members

    return read


def _not_null(read: Read) -> Read:
    return lambda value, path: None if value is None else read(value, path)


def _as_is(value: Any, path: tuple[str | int, ...]) -> Any:  # noqa: ARG001 - all readers take a path
    return value


def _float(value: float, path: tuple[str | int, ...]) -> float:
    if not math.isfinite(value):
        raise _broken("not_a_number", f"{value} at {pointer_of(path)} is not JSON")
    return value


def _instant(value: Any, path: tuple[str | int, ...]) -> str:
    if not isinstance(value, str):
        raise _broken("unsupported_type", f"no instant that can be written at {pointer_of(path)}")
    return value.replace(" ", "T", 1)


def _decimal(value: Any, path: tuple[str | int, ...]) -> Any:  # noqa: ARG001 - all readers take a path
    return exact_number(format(value, "f"))


def _text(value: bytes, path: tuple[str | int, ...]) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise _broken("invalid_utf8", f"{error} at {pointer_of(path)}") from None


def _json(value: str | bytes | None, path: tuple[str | int, ...]) -> Any:
    if value is None:
        return None
    parsed = parse(value.encode() if isinstance(value, str) else value)
    if isinstance(parsed, Broken):
        raise _broken(parsed.reason, f"{parsed.message} of the JSON text at {pointer_of(path)}")
    if parsed.faults:
        place = pointer_of(path)
        raise Unreadable(
            faults=[
                ContractFault(pointer=place + f.pointer, keyword=f.keyword, value=f.value, message=f.message)
                for f in parsed.faults
            ]
        )
    return parsed.value


def _unsupported(value: Any, path: tuple[str | int, ...]) -> Any:
    raise _broken("unsupported_type", f"{type(value).__name__} at {pointer_of(path)} has no form in JSON")


def _broken(reason: str, message: str) -> Unreadable:
    return Unreadable(Broken(reason=reason, offset=0, message=message))
