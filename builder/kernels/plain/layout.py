"""Name the columns of the arrays that describe the units of a text."""

from __future__ import annotations

from typing import Any, NamedTuple

U_START, U_END, U_BLANK, U_INDENT, N_UNIT = range(5)
"""Columns of a unit: first byte, end, blank lines before it, characters of white space before it."""

(
    S_CHARS,
    S_WORDS,
    S_CAPITALS,
    S_DIGITS,
    S_COMMAS,
    S_STOPS,
    S_OTHERS,
    S_CAPITAL_WORDS,
    S_LAST,
    S_FIRST,
    S_HIGH,
    S_SEPARATORS,
    S_COPYRIGHTS,
    S_ATS,
    S_TITLE,
    S_IDEOGRAPHS,
    S_AMOUNTS,
    S_SIGNS,
    S_CELLS,
    S_VALUE,
    S_BEST,
    S_WORST,
    S_COLONS,
    S_COPIES,
    S_CODE,
    N_STATISTICS,
) = range(26)
"""Columns of the statistics of a unit. ``S_VALUE`` is a sum over words; ``S_COPIES`` counts equal units.
``S_CODE`` counts signs that programs have and sentences do not; it is not a feature."""

H_WORDS, H_FRONT, N_HASHES = range(3)
"""Hash of all words of a unit, and of those before its first separator (0 without one)."""

P_CHARS, P_GOOD, P_STOPS, P_WORDS, P_CAPITAL_WORDS, P_COPIES, P_VALUE, P_AMOUNTS, N_SUMS = range(9)
"""Columns of the running sums over units."""

VOCABULARY_BITS = 15
"""The table of words has a place for each value of so many bits of a hash."""

MAX_TITLE_WORDS = 48


class Units(NamedTuple):
    """Working memory for the units of one text.

    Attributes:
        units: int64[n, N_UNIT].
        counts: int32[n, N_STATISTICS].
        hashes: uint64[n, N_HASHES].
        sums: int64[n + 1, N_SUMS].
        features: uint8[n, N_FEATURES].
        keys: uint64[m], a hash table; ``m`` is a power of two, at least ``2 * n``.
        places: int32[m], the first unit of each key of the table.
    """

    units: Any
    counts: Any
    hashes: Any
    sums: Any
    features: Any
    keys: Any
    places: Any
