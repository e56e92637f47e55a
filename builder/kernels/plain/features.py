"""Describe each unit of a text by features of one byte: itself, its place, what is around it."""

from __future__ import annotations

from typing import Any

import numpy as np

from builder.kernels.html.numbers import CENTRE, capped, log_code, share, signed
from builder.kernels.jit import kernel
from builder.kernels.plain.layout import (
    H_WORDS,
    MARGIN,
    N_UNIT_SUMS,
    SUM_AMOUNTS,
    SUM_CAPITAL_WORDS,
    SUM_CHARS,
    SUM_COPIES,
    SUM_GOOD,
    SUM_STOPS,
    SUM_VALUE,
    SUM_WORDS,
    U_BLANK,
    U_INDENT,
    UNIT_AMOUNTS,
    UNIT_ATS,
    UNIT_BEST,
    UNIT_CAPITAL_WORDS,
    UNIT_CAPITALS,
    UNIT_CELLS,
    UNIT_CHARS,
    UNIT_COLONS,
    UNIT_COMMAS,
    UNIT_COPIES,
    UNIT_COPYRIGHTS,
    UNIT_DIGITS,
    UNIT_FIRST,
    UNIT_HIGH,
    UNIT_IDEOGRAPHS,
    UNIT_LAST,
    UNIT_OTHERS,
    UNIT_SEPARATORS,
    UNIT_SIGNS,
    UNIT_STOPS,
    UNIT_TITLE,
    UNIT_VALUE,
    UNIT_WORDS,
    UNIT_WORST,
)

OF_UNIT = (
    "chars",
    "words",
    "chars_per_word",
    "capitals",
    "digits",
    "commas",
    "stops",
    "others",
    "capital_words",
    "last",
    "first",
    "high",
    "separators",
    "copyrights",
    "ats",
    "title",
    "ideographs",
    "amounts",
    "signs",
    "cells",
    "value",
    "best",
    "worst",
    "blank",
    "indent",
    "colons",
)
OF_PLACE = (
    "place",
    "chars_before",
    "n_units",
    "n_chars",
    "good_share",
    "copies",
    "after_good",
    "before_good",
    "from_first_good",
    "to_last_good",
    "good_before",
    "page_value",
    "flat",
)
NEAR_UNITS = (-1, 1, -2, 2, -3, 3)
OF_NEIGHBOUR = ("chars", "last", "stops", "capital_words", "value", "blank", "first")
RADII = (3, 8, 20)
OF_WINDOW = (
    "mean_chars",
    "good",
    "stops",
    "capital_words",
    "copies",
    "value",
    "amounts",
    "good_after",
    "good_before",
)
COLUMNS = (*OF_UNIT, *OF_PLACE, *(f"{name}~{radius}" for radius in RADII for name in OF_WINDOW))
"""What the kernel computes for each unit, one array for each. A number is the radius of a window."""

N_COLUMNS = len(COLUMNS)
UNIT_FEATURES = (*COLUMNS, *(f"{name}{at:+d}" for at in NEAR_UNITS for name in OF_NEIGHBOUR))
"""The features that the model reads: the columns of a unit, and some columns of its neighbours."""

FEATURE_COLUMNS = (*range(N_COLUMNS), *(COLUMNS.index(name) for _ in NEAR_UNITS for name in OF_NEIGHBOUR))
FEATURE_SHIFTS = (*(0 for _ in COLUMNS), *(at for at in NEAR_UNITS for _ in OF_NEIGHBOUR))
"""The column of each feature, and the neighbour that it is read from. No feature is copied."""

N_UNIT_FEATURES = len(UNIT_FEATURES)
_AT_PLACE = len(OF_UNIT)
_AT_WINDOWS = _AT_PLACE + len(OF_PLACE)
_RADII = np.array(RADII, np.int64)
_N_OF_WINDOW = len(OF_WINDOW)
_NOBODY, _FAR = 255, 255
_MAX_PROBES = 64
_GOOD_CHARS = 80
_MAX_VALUE = 127


@kernel
def describe_units(n: Any, flat: Any, memory: Any) -> None:
    """Fill in the features of all units.

    Args:
        n: number of units.
        flat: whether units are sentences.
        memory: ``Units`` with units, counts and hashes; the rest is overwritten.
    """
    _count_copies(n, memory)
    _add_up(n, memory)
    _describe_own(n, memory)
    _describe_place(n, flat, memory)
    _set_margins(n, memory)
    _describe_windows(n, memory)


@kernel
def _count_copies(n: Any, memory: Any) -> None:
    """Count the units with the same words, by a hash table with open addressing.

    A unit that finds no place in ``_MAX_PROBES`` steps counts as the only one, so that the steps are linear
    even if somebody chose the words.
    """
    size = 2
    while size < 2 * n:
        size *= 2
    mask = np.uint64(size - 1)
    for place in range(size):
        memory.places[place] = -1
    for i in range(n):
        place = _place_of(i, mask, memory)
        if place < 0:
            memory.counts[i, UNIT_COPIES] = 1
            continue
        if memory.places[place] < 0:
            memory.places[place] = i
            memory.keys[place] = memory.hashes[i, H_WORDS]
        memory.counts[memory.places[place], UNIT_COPIES] += 1
    for i in range(n):
        place = _place_of(i, mask, memory)
        if place >= 0:
            memory.counts[i, UNIT_COPIES] = memory.counts[memory.places[place], UNIT_COPIES]


@kernel
def _place_of(i: Any, mask: Any, memory: Any) -> Any:
    """Return the place of a unit's words, or the free place for them; -1 without one."""
    key = memory.hashes[i, H_WORDS]
    place = (key ^ (key >> np.uint64(29))) & mask
    for _ in range(_MAX_PROBES):
        memory.steps[0] += 1
        if memory.places[place] < 0 or memory.keys[place] == key:
            return np.int64(place)
        place = (place + np.uint64(1)) & mask
    return np.int64(-1)


@kernel
def _is_good(row: Any) -> Any:
    """Return whether a unit has the length and the signs of running text."""
    wide = row[UNIT_CHARS] + 2 * row[UNIT_IDEOGRAPHS]
    return wide >= _GOOD_CHARS and (row[UNIT_STOPS] > 0 or row[UNIT_COMMAS] > 0)


@kernel
def _add_up(n: Any, memory: Any) -> None:
    for k in range(N_UNIT_SUMS):
        memory.sums[0, k] = 0
    for i in range(n):
        row = memory.counts[i]
        before = memory.sums[i]
        after = memory.sums[i + 1]
        chars = np.int64(row[UNIT_CHARS]) + 2 * row[UNIT_IDEOGRAPHS]
        after[SUM_CHARS] = before[SUM_CHARS] + chars
        after[SUM_GOOD] = before[SUM_GOOD] + (chars if _is_good(row) else 0)
        after[SUM_STOPS] = before[SUM_STOPS] + row[UNIT_STOPS]
        after[SUM_WORDS] = before[SUM_WORDS] + row[UNIT_WORDS]
        after[SUM_CAPITAL_WORDS] = before[SUM_CAPITAL_WORDS] + row[UNIT_CAPITAL_WORDS]
        after[SUM_COPIES] = before[SUM_COPIES] + (row[UNIT_COPIES] > 1)
        after[SUM_VALUE] = before[SUM_VALUE] + row[UNIT_VALUE]
        after[SUM_AMOUNTS] = before[SUM_AMOUNTS] + row[UNIT_AMOUNTS]


@kernel
def _mean_value(value: Any, words: Any) -> Any:
    """Return the mean of the values of words, from 1 to 255; 128 without words."""
    if words <= 0:
        return np.int64(CENTRE)
    return CENTRE + max(min(value // words, np.int64(_MAX_VALUE)), np.int64(-_MAX_VALUE))


@kernel
def _describe_own(n: Any, memory: Any) -> None:
    for i in range(n):
        row = memory.counts[i]
        out = memory.columns[:, MARGIN + i]
        chars = np.int64(row[UNIT_CHARS])
        words = np.int64(row[UNIT_WORDS])
        out[0] = log_code(chars + 2 * row[UNIT_IDEOGRAPHS])
        out[1] = capped(words)
        out[2] = capped(chars * 8 // max(words, np.int64(1)))
        out[3] = share(np.int64(row[UNIT_CAPITALS]), chars)
        out[4] = share(np.int64(row[UNIT_DIGITS]), chars)
        out[5] = capped(row[UNIT_COMMAS])
        out[6] = capped(row[UNIT_STOPS])
        out[7] = share(np.int64(row[UNIT_OTHERS]), chars)
        out[8] = share(np.int64(row[UNIT_CAPITAL_WORDS]), words)
        out[9] = row[UNIT_LAST]
        out[10] = row[UNIT_FIRST]
        out[11] = share(np.int64(row[UNIT_HIGH]), chars)
        out[12] = capped(row[UNIT_SEPARATORS])
        out[13] = capped(row[UNIT_COPYRIGHTS])
        out[14] = capped(row[UNIT_ATS])
        out[15] = share(np.int64(row[UNIT_TITLE]), words)
        out[16] = share(np.int64(row[UNIT_IDEOGRAPHS]), chars)
        out[17] = capped(row[UNIT_AMOUNTS])
        out[18] = share(np.int64(row[UNIT_SIGNS]), chars)
        out[19] = capped(row[UNIT_CELLS])
        out[20] = _mean_value(np.int64(row[UNIT_VALUE]), words)
        out[21] = CENTRE + row[UNIT_BEST]
        out[22] = CENTRE + row[UNIT_WORST]
        out[23] = capped(memory.units[i, U_BLANK])
        out[24] = capped(memory.units[i, U_INDENT])
        out[25] = capped(row[UNIT_COLONS])


@kernel
def _describe_place(n: Any, flat: Any, memory: Any) -> None:
    total = memory.sums[n]
    first_good = -1
    last_good = -1
    for i in range(n):
        if memory.sums[i + 1, SUM_GOOD] > memory.sums[i, SUM_GOOD]:
            first_good = i if first_good < 0 else first_good
            last_good = i
    since = _FAR
    for i in range(n):
        is_good = memory.sums[i + 1, SUM_GOOD] > memory.sums[i, SUM_GOOD]
        out = memory.columns[_AT_PLACE:, MARGIN + i]
        out[0] = share(np.int64(i), n)
        out[1] = share(memory.sums[i, SUM_CHARS], total[SUM_CHARS])
        out[2] = log_code(np.int64(n))
        out[3] = log_code(total[SUM_CHARS])
        out[4] = share(total[SUM_GOOD], total[SUM_CHARS])
        out[5] = capped(memory.counts[i, UNIT_COPIES])
        out[6] = min(since, _FAR)
        since = 1 if is_good else min(since + 1, _FAR)
        out[8] = signed(np.int64(i - first_good)) if first_good >= 0 else 0
        out[9] = signed(np.int64(last_good - i)) if first_good >= 0 else 0
        out[10] = share(memory.sums[i, SUM_GOOD], total[SUM_GOOD])
        out[11] = _mean_value(total[SUM_VALUE], total[SUM_WORDS])
        out[12] = flat
    since = _FAR
    for i in range(n - 1, -1, -1):
        memory.columns[_AT_PLACE + 7, MARGIN + i] = min(since, _FAR)
        is_good = memory.sums[i + 1, SUM_GOOD] > memory.sums[i, SUM_GOOD]
        since = 1 if is_good else min(since + 1, _FAR)


@kernel
def _set_margins(n: Any, memory: Any) -> None:
    for column in range(_AT_PLACE):
        for step in range(MARGIN):
            memory.columns[column, step] = _NOBODY
            memory.columns[column, MARGIN + n + step] = _NOBODY


@kernel
def _describe_windows(n: Any, memory: Any) -> None:
    sums = memory.sums
    for i in range(n):
        at = _AT_WINDOWS
        for radius in _RADII:
            low = sums[max(i - radius, 0)]
            here = sums[i]
            high = sums[min(i + radius + 1, n)]
            n_units = min(i + radius + 1, n) - max(i - radius, 0)
            chars = high[SUM_CHARS] - low[SUM_CHARS]
            words = high[SUM_WORDS] - low[SUM_WORDS]
            out = memory.columns[at:, MARGIN + i]
            out[0] = log_code(chars // n_units)
            out[1] = share(high[SUM_GOOD] - low[SUM_GOOD], chars)
            out[2] = share(2 * (high[SUM_STOPS] - low[SUM_STOPS]), words)
            out[3] = share(high[SUM_CAPITAL_WORDS] - low[SUM_CAPITAL_WORDS], words)
            out[4] = share(high[SUM_COPIES] - low[SUM_COPIES], np.int64(n_units))
            out[5] = _mean_value(high[SUM_VALUE] - low[SUM_VALUE], words)
            out[6] = capped(high[SUM_AMOUNTS] - low[SUM_AMOUNTS])
            out[7] = share(high[SUM_GOOD] - here[SUM_GOOD], high[SUM_CHARS] - here[SUM_CHARS])
            out[8] = share(here[SUM_GOOD] - low[SUM_GOOD], here[SUM_CHARS] - low[SUM_CHARS])
            at += _N_OF_WINDOW
