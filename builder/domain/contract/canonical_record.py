"""The canonical form of a record: the values that its columns will hold and give back.

Absent is null; instants are in UTC; a whole number is an integer where the contract says so; JSON text is
written in one way only. What has no canonical form is a fault, and is never changed to fit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from builder.domain.contract.contract import is_extra_field, is_json_field
from builder.domain.contract.instants import day_number, instant_us
from builder.domain.fault_order import pointer_of
from builder.domain.json.writer import canonical_text, preview
from builder.domain.rejection import MAX_VALUE_CHARS, ContractFault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeAlias

    Path: TypeAlias = tuple[str | int, ...]
    Faults: TypeAlias = list[tuple[Path, ContractFault]]
    Convert: TypeAlias = Callable[[Any, Path, Faults], Any]

REASONS = {
    "integer_range": "An integer that 64 bits cannot hold.",
    "inexact_number": "A number that float64 cannot hold: an integer it would round, or one out of range.",
    "duplicate_key": "An object that has two members of one name.",
    "lone_surrogate": "A string with half of a surrogate pair, which no UTF-8 can hold.",
    "instant_range": "An instant or date that a microsecond timestamp of the years 1 to 9999 cannot hold.",
}
"""Why a record that meets its contract may still have no canonical form."""

_INT64 = range(-(2**63), 2**63)


def canonical_record(record: Mapping[str, Any], columns: pa.Schema) -> tuple[dict[str, Any], Faults]:
    """Convert one accepted record; returns the value of each column, and what cannot be converted.

    Instants are microseconds and dates days from 1970, as Arrow takes them.
    """
    faults: Faults = []
    return struct_converter(list(columns))(record, (), faults), faults


def converter(arrow_field: pa.Field) -> Convert:
    """Make the function that converts the values of one field."""
    if is_json_field(arrow_field):
        return _json
    if pa.types.is_struct(arrow_field.type):
        return _or_null(struct_converter(list(arrow_field.type)))
    if pa.types.is_list(arrow_field.type):
        return _or_null(_list_converter(converter(arrow_field.type.value_field)))
    return _SCALARS.get(arrow_field.type, _as_is)


def struct_converter(fields: list[pa.Field]) -> Convert:
    """Make the function that converts objects; ``extra`` takes the members that are not declared."""
    declared = [(f.name, converter(f)) for f in fields if not is_extra_field(f)]
    names = frozenset(name for name, _ in declared)
    extra = next((f.name for f in fields if is_extra_field(f)), None)

    def convert(value: Any, path: Path, faults: Faults) -> dict[str, Any]:
        row = {name: change(value.get(name), (*path, name), faults) for name, change in declared}
        if extra is not None:
            row[extra] = undeclared(value, names)
        return row

    return convert


def undeclared(record: Mapping[str, Any], names: frozenset[str]) -> str | None:
    """Write the members that are not declared as JSON text; None if there are none."""
    if record.keys() <= names:
        return None
    return canonical_text({name: value for name, value in record.items() if name not in names})


def _list_converter(change: Convert) -> Convert:
    def convert(value: Any, path: Path, faults: Faults) -> list[Any]:
        return [change(item, (*path, i), faults) for i, item in enumerate(value)]

    return convert


def _or_null(change: Convert) -> Convert:
    def convert(value: Any, path: Path, faults: Faults) -> Any:
        return None if value is None else change(value, path, faults)

    return convert


def _as_is(value: Any, path: Path, faults: Faults) -> Any:  # noqa: ARG001 - one of several
    return value


def _json(value: Any, path: Path, faults: Faults) -> str | None:  # noqa: ARG001 - one of several
    return None if value is None else canonical_text(value)


def _integer(value: Any, path: Path, faults: Faults) -> Any:
    if value is None:
        return None
    number = int(value)
    if number in _INT64:
        return number
    return _fault("integer_range", value, "the integer does not fit into 64 bits", path, faults)


def _number(value: Any, path: Path, faults: Faults) -> Any:
    if value is None or type(value) is float:
        return value
    try:
        number = float(value)
    except OverflowError:
        number = float("inf")
    if isinstance(value, int) and number != value:
        return _fault("inexact_number", value, "float64 would round the integer", path, faults)
    return number


def _instant(value: Any, path: Path, faults: Faults) -> Any:
    if value is None or (instant := instant_us(value)) is not None:
        return value if value is None else instant
    message = "no whole microsecond of the years 1 to 9999 in UTC"
    return _fault("instant_range", value, message, path, faults)


def _day(value: Any, path: Path, faults: Faults) -> Any:
    if value is None or (day := day_number(value)) is not None:
        return value if value is None else day
    return _fault("instant_range", value, "no day of the years 1 to 9999", path, faults)


def _fault(keyword: str, value: Any, message: str, path: Path, faults: Faults) -> Any:
    """Note a fault; the value is null then, and its record does not go on."""
    shown = preview(value, chars=MAX_VALUE_CHARS + 1)
    fault = ContractFault(pointer=pointer_of(path), keyword=keyword, value=shown, message=message)
    faults.append((path, fault))
    return None


_SCALARS: dict[pa.DataType, Convert] = {
    pa.int64(): _integer,
    pa.float64(): _number,
    pa.timestamp("us", "UTC"): _instant,
    pa.date32(): _day,
}
