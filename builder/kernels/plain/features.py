"""Describe each unit of a text by features of one byte: itself, its place, its neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np

from builder.kernels.html.numbers import CENTRE, capped, log_code, share, signed
from builder.kernels.jit import kernel
from builder.kernels.plain.layout import (
    H_WORDS,
    N_SUMS,
    P_AMOUNTS,
    P_CAPITAL_WORDS,
    P_CHARS,
    P_COPIES,
    P_GOOD,
    P_STOPS,
    P_VALUE,
    P_WORDS,
    S_AMOUNTS,
    S_ATS,
    S_BEST,
    S_CAPITAL_WORDS,
    S_CAPITALS,
    S_CELLS,
    S_CHARS,
    S_COLONS,
    S_COMMAS,
    S_COPIES,
    S_COPYRIGHTS,
    S_DIGITS,
    S_FIRST,
    S_HIGH,
    S_IDEOGRAPHS,
    S_LAST,
    S_OTHERS,
    S_SEPARATORS,
    S_SIGNS,
    S_STOPS,
    S_TITLE,
    S_VALUE,
    S_WORDS,
    S_WORST,
    U_BLANK,
    U_INDENT,
)

OWN = (
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
PLACE = (
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
NEIGHBOURS = (-1, 1, -2, 2, -3, 3)
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
FEATURES = (
    *OWN,
    *PLACE,
    *(f"{name}{at:+d}" for at in NEIGHBOURS for name in OF_NEIGHBOUR),
    *(f"{name}~{radius}" for radius in RADII for name in OF_WINDOW),
)
"""The features in their order. A number after a name is a neighbour, or the radius of a window."""

N_FEATURES = len(FEATURES)
_AT_PLACE = len(OWN)
_AT_NEIGHBOURS = _AT_PLACE + len(PLACE)
_AT_WINDOWS = _AT_NEIGHBOURS + len(NEIGHBOURS) * len(OF_NEIGHBOUR)
_NEIGHBOURS, _RADII = np.array(NEIGHBOURS, np.int64), np.array(RADII, np.int64)
_TAKEN = np.array([OWN.index(name) for name in OF_NEIGHBOUR], np.int64)
_N_OF_WINDOW = len(OF_WINDOW)
_FAR = 255
_GOOD_CHARS = 80
_MAX_VALUE = 127


@kernel
def describe(n: Any, flat: Any, memory: Any) -> None:
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
    _describe_neighbours(n, memory)
    _describe_windows(n, memory)


@kernel
def _count_copies(n: Any, memory: Any) -> None:
    """Count the units with the same words, by a hash table with open addressing."""
    mask = np.uint64(len(memory.keys) - 1)
    memory.places[:] = -1
    for turn in range(2):
        for i in range(n):
            key = memory.hashes[i, H_WORDS]
            place = (key ^ (key >> np.uint64(29))) & mask
            while memory.places[place] >= 0 and memory.keys[place] != key:
                place = (place + np.uint64(1)) & mask
            if memory.places[place] < 0:
                memory.places[place] = i
                memory.keys[place] = key
            first = memory.places[place]
            if turn == 0:
                memory.counts[first, S_COPIES] += 1
            else:
                memory.counts[i, S_COPIES] = memory.counts[first, S_COPIES]


@kernel
def _is_good(row: Any) -> Any:
    """Return whether a unit has the length and the signs of running text."""
    wide = row[S_CHARS] + 2 * row[S_IDEOGRAPHS]
    return wide >= _GOOD_CHARS and (row[S_STOPS] > 0 or row[S_COMMAS] > 0)


@kernel
def _add_up(n: Any, memory: Any) -> None:
    for k in range(N_SUMS):
        memory.sums[0, k] = 0
    for i in range(n):
        row = memory.counts[i]
        before = memory.sums[i]
        after = memory.sums[i + 1]
        chars = np.int64(row[S_CHARS]) + 2 * row[S_IDEOGRAPHS]
        after[P_CHARS] = before[P_CHARS] + chars
        after[P_GOOD] = before[P_GOOD] + (chars if _is_good(row) else 0)
        after[P_STOPS] = before[P_STOPS] + row[S_STOPS]
        after[P_WORDS] = before[P_WORDS] + row[S_WORDS]
        after[P_CAPITAL_WORDS] = before[P_CAPITAL_WORDS] + row[S_CAPITAL_WORDS]
        after[P_COPIES] = before[P_COPIES] + (row[S_COPIES] > 1)
        after[P_VALUE] = before[P_VALUE] + row[S_VALUE]
        after[P_AMOUNTS] = before[P_AMOUNTS] + row[S_AMOUNTS]


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
        out = memory.features[i]
        chars = np.int64(row[S_CHARS])
        words = np.int64(row[S_WORDS])
        out[0] = log_code(chars + 2 * row[S_IDEOGRAPHS])
        out[1] = capped(words)
        out[2] = capped(chars * 8 // max(words, np.int64(1)))
        out[3] = share(np.int64(row[S_CAPITALS]), chars)
        out[4] = share(np.int64(row[S_DIGITS]), chars)
        out[5] = capped(row[S_COMMAS])
        out[6] = capped(row[S_STOPS])
        out[7] = share(np.int64(row[S_OTHERS]), chars)
        out[8] = share(np.int64(row[S_CAPITAL_WORDS]), words)
        out[9] = row[S_LAST]
        out[10] = row[S_FIRST]
        out[11] = share(np.int64(row[S_HIGH]), chars)
        out[12] = capped(row[S_SEPARATORS])
        out[13] = capped(row[S_COPYRIGHTS])
        out[14] = capped(row[S_ATS])
        out[15] = share(np.int64(row[S_TITLE]), words)
        out[16] = share(np.int64(row[S_IDEOGRAPHS]), chars)
        out[17] = capped(row[S_AMOUNTS])
        out[18] = share(np.int64(row[S_SIGNS]), chars)
        out[19] = capped(row[S_CELLS])
        out[20] = _mean_value(np.int64(row[S_VALUE]), words)
        out[21] = CENTRE + row[S_BEST]
        out[22] = CENTRE + row[S_WORST]
        out[23] = capped(memory.units[i, U_BLANK])
        out[24] = capped(memory.units[i, U_INDENT])
        out[25] = capped(row[S_COLONS])


@kernel
def _describe_place(n: Any, flat: Any, memory: Any) -> None:
    total = memory.sums[n]
    first_good = -1
    last_good = -1
    for i in range(n):
        if memory.sums[i + 1, P_GOOD] > memory.sums[i, P_GOOD]:
            first_good = i if first_good < 0 else first_good
            last_good = i
    since = _FAR
    for i in range(n):
        is_good = memory.sums[i + 1, P_GOOD] > memory.sums[i, P_GOOD]
        out = memory.features[i, _AT_PLACE:]
        out[0] = share(np.int64(i), n)
        out[1] = share(memory.sums[i, P_CHARS], total[P_CHARS])
        out[2] = log_code(np.int64(n))
        out[3] = log_code(total[P_CHARS])
        out[4] = share(total[P_GOOD], total[P_CHARS])
        out[5] = capped(memory.counts[i, S_COPIES])
        out[6] = min(since, _FAR)
        since = 1 if is_good else min(since + 1, _FAR)
        out[8] = signed(np.int64(i - first_good)) if first_good >= 0 else 0
        out[9] = signed(np.int64(last_good - i)) if first_good >= 0 else 0
        out[10] = share(memory.sums[i, P_GOOD], total[P_GOOD])
        out[11] = _mean_value(total[P_VALUE], total[P_WORDS])
        out[12] = flat
    since = _FAR
    for i in range(n - 1, -1, -1):
        memory.features[i, _AT_PLACE + 7] = min(since, _FAR)
        is_good = memory.sums[i + 1, P_GOOD] > memory.sums[i, P_GOOD]
        since = 1 if is_good else min(since + 1, _FAR)


@kernel
def _describe_neighbours(n: Any, memory: Any) -> None:
    """Copy features of the neighbours; 255 where there is none."""
    for i in range(n):
        at = _AT_NEIGHBOURS
        for step in _NEIGHBOURS:
            other = i + step
            exists = 0 <= other < n
            for own in _TAKEN:
                memory.features[i, at] = memory.features[other, own] if exists else _FAR
                at += 1


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
            chars = high[P_CHARS] - low[P_CHARS]
            words = high[P_WORDS] - low[P_WORDS]
            out = memory.features[i, at:]
            out[0] = log_code(chars // n_units)
            out[1] = share(high[P_GOOD] - low[P_GOOD], chars)
            out[2] = share(2 * (high[P_STOPS] - low[P_STOPS]), words)
            out[3] = share(high[P_CAPITAL_WORDS] - low[P_CAPITAL_WORDS], words)
            out[4] = share(high[P_COPIES] - low[P_COPIES], np.int64(n_units))
            out[5] = _mean_value(high[P_VALUE] - low[P_VALUE], words)
            out[6] = capped(high[P_AMOUNTS] - low[P_AMOUNTS])
            out[7] = share(high[P_GOOD] - here[P_GOOD], high[P_CHARS] - here[P_CHARS])
            out[8] = share(here[P_GOOD] - low[P_GOOD], here[P_CHARS] - low[P_CHARS])
            at += _N_OF_WINDOW
