"""Convert a record to its canonical form: the values that its columns store and return.

Absent is null. Instants are in UTC. A whole number is an integer if the contract says so. JSON text has only
one form. A value without a canonical form is a fault; it is never changed to fit.
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
    "integer_range": "An integer does not fit into 64 bits.",
    "inexact_number": "A number does not fit into float64: it is an integer that would be rounded, or is out "
    "of range.",
    "duplicate_key": "An object has two members with the same name.",
    "lone_surrogate": "A string contains half of a surrogate pair, which UTF-8 cannot encode.",
    "instant_range": "An instant or date does not fit into a microsecond timestamp of the years 1 to 9999.",
}
"""Why a record that meets its contract can still have no canonical form."""

_INT64 = range(-(2**63), 2**63)


def canonical_record(record: Mapping[str, Any], columns: pa.Schema) -> tuple[dict[str, Any], Faults]:
    """Convert one accepted record; return the value of each column, and the faults.

    Instants are microseconds and dates are days since 1970-01-01, as Arrow stores them.
    """
    faults: Faults = []
    return struct_converter(list(columns))(record, (), faults), faults


def converter(arrow_field: pa.Field) -> Convert:
    """Return the function that converts the values of one field."""
    if is_json_field(arrow_field):
        return _json
    if pa.types.is_struct(arrow_field.type):
        return _or_null(struct_converter(list(arrow_field.type)))
    if pa.types.is_list(arrow_field.type):
        return _or_null(_list_converter(converter(arrow_field.type.value_field)))
    return _SCALARS.get(arrow_field.type, _as_is)


def struct_converter(fields: list[pa.Field]) -> Convert:
    """Return the function that converts objects; the field ``extra`` takes the undeclared members."""
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
    """Write the undeclared members as JSON text; None if the record has none."""
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


def _as_is(value: Any, path: Path, faults: Faults) -> Any:  # noqa: ARG001 - the signature of Convert
    return value


def _json(value: Any, path: Path, faults: Faults) -> str | None:  # noqa: ARG001 - the signature of Convert
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
    """Record a fault and return null; a record with a fault is rejected."""
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
