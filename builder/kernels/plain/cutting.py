"""Cut a text into units: lines, or sentences if nearly all of the text is in one line."""

from __future__ import annotations

from typing import Any

import numpy as np

from builder.kernels.html.letters import (
    CAPITAL,
    CATEGORIES,
    CLOSING,
    DIGIT,
    LETTER,
    STOP,
    WHITE,
    category,
    decode_point,
)
from builder.kernels.jit import kernel
from builder.kernels.plain.layout import U_BLANK, U_END, U_INDENT, U_START

MIN_FLAT_BYTES = 600
"""A shorter line is never cut."""

MAX_UNITS = 1 << 18
"""What follows so many units is one more unit, so that the working memory is bounded."""

_LINE_END, _BLANK, _TAB = 0x0A, 0x20, 0x09
_WINDOW, _MANY, _FEW = 6, 4, 2
_REACH = 120
"""Bytes that a look ahead reads at most, so that the steps are linear."""

_ALL = (1 << _WINDOW) - 1


@kernel
def is_flat(data: Any, start: Any, end: Any) -> Any:
    """Return whether one line has at least three quarters of the bytes, and ``MIN_FLAT_BYTES``."""
    longest = np.int64(0)
    line = start
    for at in range(start, end):
        if data[at] == _LINE_END:
            longest = max(longest, np.int64(at - line))
            line = at + 1
    longest = max(longest, np.int64(end - line))
    return longest >= MIN_FLAT_BYTES and 4 * longest >= 3 * (end - start)


@kernel
def cut_units(data: Any, start: Any, end: Any, flat: Any, units: Any, steps: Any) -> Any:
    """Write the units of a text, and return how many there are, also if ``units`` has too little room.

    A unit has no white space at its ends, and lines with only white space are not units.

    Args:
        data: uint8[n_bytes], UTF-8.
        start: first byte of the text.
        end: end of the text.
        flat: whether lines of ``MIN_FLAT_BYTES`` are cut into sentences.
        units: int64[n, N_UNIT], overwritten.
        steps: int64[1], the bytes that are looked at are added.
    """
    n = 0
    blank = 0
    line = start
    while line < end:
        is_rest = n >= MAX_UNITS
        stop = end if is_rest else line
        while stop < end and data[stop] != _LINE_END:
            stop += 1
        steps[0] += stop - line + 1
        first = line
        while first < stop and _is_white(data[first]):
            first += 1
        last = stop
        while last > first and _is_white(data[last - 1]):
            last -= 1
        if first == last:
            blank += 1
        else:
            if flat and not is_rest and last - first >= MIN_FLAT_BYTES:
                n = _cut_sentences(data, first, last, n, blank, units, steps)
            else:
                n = _add(first, last, blank, first - line, n, units)
            blank = 0
        line = stop + 1
    return n


@kernel
def _is_white(byte: Any) -> Any:
    return byte in (_BLANK, _TAB, 0x0D, 0x0C)


@kernel
def _add(first: Any, last: Any, blank: Any, indent: Any, n: Any, units: Any) -> Any:
    if n < len(units):
        units[n, U_START] = first
        units[n, U_END] = last
        units[n, U_BLANK] = blank
        units[n, U_INDENT] = indent
    return n + 1


@kernel
def _cut_sentences(data: Any, first: Any, last: Any, n: Any, blank: Any, units: Any, steps: Any) -> Any:
    """Cut a line at the ends of sentences, and where words with capitals give way to running text.

    The second kind of cut is before a capital word, with many capital words among the last ones and few among
    the next ones: there a menu ends and a sentence begins. Each capital word looks ahead at most
    ``_WINDOW`` words.
    """
    unit = first
    at = first
    recent = 0
    n_words = 0
    inside = False
    before: Any = WHITE
    stopped = False
    while at < last and n < MAX_UNITS:
        steps[0] += 1
        point = np.int64(data[at])
        length: Any = 1
        kind = np.int64(CATEGORIES[data[at]])
        if point >= 0x80:
            point, length = decode_point(data, at, last)
            kind = category(point)
        if kind == WHITE:
            if stopped:
                n = _close(data, unit, at, n, blank, units)
                unit = at
                blank = 0
                recent = 0
                n_words = 0
            stopped = False
            inside = False
        elif LETTER <= kind <= DIGIT:
            if not inside and before == WHITE:
                if kind == CAPITAL and _is_change(data, at, last, recent, n_words, steps):
                    n = _close(data, unit, at, n, blank, units)
                    unit = at
                    blank = 0
                    n_words = 0
                    recent = 0
                recent = ((recent << 1) | (kind == CAPITAL)) & _ALL
                n_words += 1
            inside = True
            stopped = False
        elif kind == STOP:
            stopped = True
            if point >= 0x3000:
                behind = at + length
                while behind < last:
                    closing, width = decode_point(data, behind, last)
                    if category(closing) != CLOSING:
                        break
                    behind += width
                n = _close(data, unit, behind, n, blank, units)
                unit = behind
                blank = 0
                stopped = False
                length = behind - at
        elif kind != CLOSING:
            stopped = False
        before = kind
        at += length
    return _close(data, unit, last, n, blank, units)


@kernel
def _close(data: Any, unit: Any, end: Any, n: Any, blank: Any, units: Any) -> Any:
    """Add the unit that ends here, without white space at its ends; return the new number of units."""
    while unit < end and _is_white(data[unit]):
        unit += 1
    while end > unit and _is_white(data[end - 1]):
        end -= 1
    return _add(unit, end, blank, 0, n, units) if unit < end else n


@kernel
def _is_change(data: Any, at: Any, last: Any, recent: Any, n_words: Any, steps: Any) -> Any:
    """Return whether running text begins with the word at ``at``, after words with capitals."""
    if n_words < _WINDOW or _n_bits(recent) < _MANY:
        return False
    end = min(last, at + _REACH)
    seen = 0
    n_capitals = 0
    was_white = True
    while at < end and seen < _WINDOW:
        steps[0] += 1
        point, length = decode_point(data, at, last)
        kind = category(point)
        if was_white and kind in (LETTER, CAPITAL, DIGIT):
            seen += 1
            n_capitals += kind == CAPITAL
        was_white = kind == WHITE
        at += length
    return seen == _WINDOW and n_capitals <= _FEW


@kernel
def _n_bits(value: Any) -> Any:
    n = 0
    while value:
        n += value & 1
        value >>= 1
    return n
