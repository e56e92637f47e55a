"""Convert accepted records to Arrow columns: a whole column at a time; value by value if that fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from builder.domain.contract.canonical_record import converter, undeclared
from builder.domain.contract.contract import is_extra_field, is_json_field
from builder.domain.contract.instants import FIRST_INSTANT_US, LAST_INSTANT_US
from builder.domain.fault_order import sort_faults

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from builder.domain.contract.canonical_record import Faults
    from builder.domain.rejection import ContractFault

_INSTANT = pa.timestamp("us", "UTC")
_FIT = {pa.int64(): int, pa.float64(): float, pa.bool_(): bool, pa.string(): str}
"""For each type of column, the Python type whose values Arrow takes unchanged."""


def tabulate(
    records: Sequence[Mapping[str, Any]], columns: pa.Schema
) -> tuple[list[pa.Array], dict[int, tuple[ContractFault, ...]]]:
    """Convert accepted records to the columns of their contract.

    The result equals that of ``canonical_record`` for each record.

    Returns:
        One array for each column, with the records without faults, in order; and the faults of the other
        records by row.
    """
    faults: dict[int, Faults] = {}
    names = frozenset(f.name for f in columns if not is_extra_field(f))
    arrays = [_column(records, f, names, faults) for f in columns]
    if faults:
        good = np.ones(len(records), np.bool_)
        good[list(faults)] = False
        arrays = [array.filter(pa.array(good)) for array in arrays]
    return arrays, {row: sort_faults(records[row], faults[row]) for row in sorted(faults)}


def _column(
    records: Sequence[Mapping[str, Any]],
    arrow_field: pa.Field,
    names: frozenset[str],
    faults: dict[int, Faults],
) -> pa.Array:
    if is_extra_field(arrow_field):
        return pa.array([undeclared(record, names) for record in records], pa.string())
    name = arrow_field.name
    values = [record.get(name) for record in records]
    whole = None if is_json_field(arrow_field) else _whole_column(values, arrow_field.type)
    return _one_by_one(values, arrow_field, faults) if whole is None else whole


def _whole_column(values: list[Any], arrow_type: pa.DataType) -> pa.Array | None:
    """Convert a whole column at once; None if some value must be converted on its own."""
    if arrow_type == _INSTANT:
        return _instants(values)
    fit = _FIT.get(arrow_type)
    if fit is None or not {type(value) for value in values} <= {fit, type(None)}:
        return None
    if fit is str:
        return pa.array(values, arrow_type)
    try:
        return pa.array(values, arrow_type)
    except (OverflowError, pa.ArrowInvalid):
        return None


def _instants(values: list[Any]) -> pa.Array | None:
    try:
        instants = pa.array(values, pa.string()).cast(_INSTANT)
    except pa.ArrowInvalid:
        return None
    bounds = pc.min_max(instants.cast(pa.int64()))
    first, last = bounds["min"].as_py(), bounds["max"].as_py()
    inside = first is None or (first >= FIRST_INSTANT_US and last <= LAST_INSTANT_US)
    return instants if inside else None


def _one_by_one(values: list[Any], arrow_field: pa.Field, faults: dict[int, Faults]) -> pa.Array:
    convert = converter(arrow_field)
    converted = []
    for row, value in enumerate(values):
        found: Faults = []
        canonical = convert(value, (arrow_field.name,), found)
        if found:
            faults.setdefault(row, []).extend(found)
            canonical = None
        converted.append(canonical)
    return pa.array(converted, arrow_field.type)
