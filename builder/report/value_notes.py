"""Print what a build decided when it read values in other forms than the contract asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.report.table import table_lines

if TYPE_CHECKING:
    from collections.abc import Mapping

_MEANINGS = {
    "validate.instants_read": "instants in another form than RFC 3339",
    "validate.instants_local": "  without a zone, read in the source's `timezone`",
    "validate.instants_day": "  without a time, read as midnight",
    "validate.instants_epoch_s": "  numbers, read as seconds since 1970",
    "validate.instants_epoch_ms": "  numbers, read as milliseconds since 1970",
    "validate.instants_epoch_us": "  numbers, read as microseconds since 1970",
    "validate.instants_epoch_ns": "  numbers, read as nanoseconds since 1970",
    "validate.instants_cut": "  with digits below a microsecond, which are cut off",
    "validate.values_read": "numbers and booleans in text",
    "validate.json_read": "arrays and objects in text",
    "validate.pairs_read": "lists of pairs, read as objects",
    "validate.unwrapped": "lists of one element, read as the element",
    "unnamed_columns": "columns without a name, left out",
}


def value_note_lines(counts: Mapping[str, int]) -> list[str]:
    """Return one line for each decision that was made, in the order of their meanings."""
    rows = [[meaning, counts[name]] for name, meaning in _MEANINGS.items() if counts.get(name)]
    return table_lines(rows, header=["values read in another form", "count"]) if rows else []
