"""Name the columns of the arrays that describe the units of a text."""

from __future__ import annotations

from typing import Any, NamedTuple

U_START, U_END, U_BLANK, U_INDENT, N_UNIT = range(5)
"""Columns of a unit: first byte, end, blank lines before it, characters of white space before it."""

(
    UNIT_CHARS,
    UNIT_WORDS,
    UNIT_CAPITALS,
    UNIT_DIGITS,
    UNIT_COMMAS,
    UNIT_STOPS,
    UNIT_OTHERS,
    UNIT_CAPITAL_WORDS,
    UNIT_LAST,
    UNIT_FIRST,
    UNIT_HIGH,
    UNIT_SEPARATORS,
    UNIT_COPYRIGHTS,
    UNIT_ATS,
    UNIT_TITLE,
    UNIT_IDEOGRAPHS,
    UNIT_AMOUNTS,
    UNIT_SIGNS,
    UNIT_CELLS,
    UNIT_VALUE,
    UNIT_BEST,
    UNIT_WORST,
    UNIT_COLONS,
    UNIT_COPIES,
    UNIT_CODE,
    N_UNIT_STATISTICS,
) = range(26)
"""Columns of the statistics of a unit. ``UNIT_VALUE`` is a sum; ``UNIT_COPIES`` counts equal units.
``UNIT_CODE`` counts signs that programs have and sentences do not; it is not a feature."""

H_WORDS, H_FRONT, N_HASHES = range(3)
"""Hash of all words of a unit, and of those before its first separator (0 without one)."""

(
    SUM_CHARS,
    SUM_GOOD,
    SUM_STOPS,
    SUM_WORDS,
    SUM_CAPITAL_WORDS,
    SUM_COPIES,
    SUM_VALUE,
    SUM_AMOUNTS,
    N_UNIT_SUMS,
) = range(9)
"""Columns of the running sums over units."""

VOCABULARY_BITS = 15
"""The table of words has a place for each value of so many bits of a hash."""

MAX_TITLE_HASHES = 48

MARGIN = 3
"""Neighbours of a unit that count, on each side."""


class Units(NamedTuple):
    """Working memory for the units of one text.

    Attributes:
        units: int64[n, N_UNIT].
        counts: int32[n, N_UNIT_STATISTICS].
        hashes: uint64[n, N_HASHES].
        sums: int64[n + 1, N_UNIT_SUMS].
        columns: uint8[N_COLUMNS, MARGIN + n + MARGIN] or longer, what describes the units; unit ``i`` is at
            ``MARGIN + i``. The margins are neighbours that do not exist.
        keys: uint64[m], a hash table; ``m`` is a power of two, at least ``2 * n``.
        places: int32[m], the first unit of each key of the table.
        steps: int64[1], bytes and places of the table that were looked at, over all texts.
    """

    units: Any
    counts: Any
    hashes: Any
    sums: Any
    columns: Any
    keys: Any
    places: Any
    steps: Any
