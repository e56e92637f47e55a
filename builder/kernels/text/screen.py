"""Find the documents or lines that text repair could change, in one pass over their bytes."""

from __future__ import annotations

from typing import Any

import numpy as np

from builder.kernels.bits import load8, trailing_zeros
from builder.kernels.jit import kernel

TABLE_SIZE = 0x20000
"""Entries of the tables, one for each code point; all higher code points share the last entry."""

CONTROL, LINE, MARKUP, NORMAL, OPTION, MARK = 1, 2, 4, 8, 16, 32
BLANK, C1, CLUE, LONE_CLUE, BEFORE_SPACE, BEFORE_ASK = 64, 128, 256, 512, 1024, 2048
"""Classes of characters.

``CLUE``: two in a row may be mojibake. ``LONE_CLUE``: a single one may be mojibake. ``BEFORE_SPACE`` and
``BEFORE_ASK``: before a space or a question mark, the character may be the start of a UTF-8 sequence whose
rest was lost.
"""

MOJIBAKE, WHITE_SPACE, MANY_MARKS, CRLF = 1 << 16, 1 << 17, 1 << 18, 1 << 19
"""Flags that depend on more than one character."""

SOFT = WHITE_SPACE | CRLF
"""Flags that ``text.tidy`` repairs by itself."""

ANSWERED = CONTROL | LINE | MARKUP | NORMAL | OPTION
"""Classes of which one character is enough to mark a document for repair."""

MAX_MARKS = 1000
"""Combining marks in a row, at most; normalisation takes quadratic time on longer runs."""

MAX_ENTITY_CHARS = 24
"""Letters and digits in a character reference, at most (ftfy's own limit)."""

_ONES = np.uint64(0x0101010101010101)
_HIGH = np.uint64(0x8080808080808080)
_SPACES = np.uint64(0x20) * _ONES
_DELETES = np.uint64(0x7F) * _ONES
_AMPERSANDS = np.uint64(0x26) * _ONES
_LESSES = np.uint64(0x3C) * _ONES


@kernel
def screen(
    data: Any, starts: Any, stops: Any, classes: Any, leads: Any, trails: Any, max_line: Any,
    flags: Any, html_at: Any,
) -> None:  # fmt: skip
    r"""Fill in which rules could change each document; 0 proves that no rule can.

    A line has repairable mojibake only if it has both: characters that look like mojibake, and a character
    that could be the first byte of a UTF-8 sequence before one that could be its second byte. Both bytes must
    be in the same one of the considered charsets; a space or a question mark may replace a byte between the
    two. A character reference counts only before the first line with a ``<``, because from there on the
    document is HTML.

    Args:
        data: uint8[n_bytes], valid UTF-8.
        starts: int64[n_docs], where each document begins in ``data``.
        stops: int64[n_docs], where each document ends.
        classes: uint16[TABLE_SIZE], the classes of each code point.
        leads: uint16[TABLE_SIZE], a bit for each charset in which the character is a byte from 0xC0 on.
        trails: uint16[TABLE_SIZE], a bit for each charset in which it is a byte from 0x80 to 0xBF.
        max_line: a longer line is repaired in parts; it is HTML only from the part of its first ``<`` on.
        flags: int64[n_docs], overwritten.
        html_at: int64[n_docs], overwritten: where in ``data`` the first ``<`` is, or the document ends.
    """
    for document in range(len(starts)):
        flags[document], html_at[document] = _screen_one(
            data, starts[document], stops[document], classes, leads, trails, max_line
        )


@kernel
def _screen_one(data: Any, start: Any, end: Any, classes: Any, leads: Any, trails: Any, max_line: Any) -> Any:
    found = np.int64(0)
    position: Any = start
    line_start: Any = start
    last: Any = np.int64(0x0A)
    before_last: Any = np.int64(0x0A)
    last_class: Any = np.int64(0)
    n_breaks: Any = 2
    n_marks: Any = 0
    looks_bad = could_decode = refers = False
    html_at: Any = np.int64(end)
    markup = _HIGH
    while position < end:
        ahead = _plain_run(data, position, end, markup)
        if ahead > position:
            # the text before a run matters to its first character; its last two matter to the text after it
            point = np.int64(data[position])
            could_decode |= _may_decode(point, last, before_last, last_class, leads, trails)
            before_last = np.int64(data[ahead - 2]) if ahead - position > 1 else last
            last = np.int64(data[ahead - 1])
            last_class = np.int64(classes[last])
            n_breaks = 0
            n_marks = 0
            position = ahead
            if position == end:
                break
        point, position = _point(data, position)
        kind = np.int64(classes[point])
        if point == 0x0D and position < end and data[position] == 0x0A and position - line_start < max_line:
            found |= CRLF
        else:
            found |= kind & ANSWERED & ~MARKUP
        if point == 0x0A:
            found |= _line_faults(looks_bad, could_decode, refers)
            looks_bad = could_decode = refers = False
            line_start = position
            n_breaks += 1
            if n_breaks > 2 or position == end or last_class & BLANK:
                found |= WHITE_SPACE
        else:
            n_breaks = 0
        could_decode |= _may_decode(point, last, before_last, last_class, leads, trails)
        looks_bad |= (kind & LONE_CLUE) != 0 or (kind & last_class & CLUE) != 0
        found |= MOJIBAKE * np.int64((kind & C1) != 0)
        n_marks = n_marks + 1 if kind & MARK else 0
        found |= MANY_MARKS * np.int64(n_marks > MAX_MARKS)
        if kind & MARKUP and markup:
            refers |= _is_reference(data, position, end)
        elif point == 0x3C and markup:
            markup = np.uint64(0)
            html_at = position - 1
            if refers and html_at - line_start >= max_line:
                found |= MARKUP
            refers = False
        before_last = last
        last = point
        last_class = kind
    found |= _line_faults(looks_bad, could_decode, refers)
    if last_class & BLANK and end > start:
        found |= WHITE_SPACE
    return found, html_at


@kernel
def _line_faults(looks_bad: Any, could_decode: Any, refers: Any) -> Any:
    """Return the flags of a line that has ended."""
    return MOJIBAKE * np.int64(looks_bad and could_decode) | MARKUP * np.int64(refers)


@kernel
def _may_decode(point: Any, last: Any, before_last: Any, last_class: Any, leads: Any, trails: Any) -> Any:
    """Return whether a character may be the second byte of a sequence that starts at the one before it."""
    if point >= 0x80:
        gap = last == 0x20 or last == 0x3F
        return (leads[last] & trails[point]) != 0 or (gap and (leads[before_last] & trails[point]) != 0)
    return (point == 0x20 and (last_class & BEFORE_SPACE) != 0) or (
        point == 0x3F and (last_class & BEFORE_ASK) != 0
    )


@kernel
def _plain_run(data: Any, position: Any, end: Any, markup: Any) -> Any:
    """Return the end of a run of ASCII that no rule except that of white space can change.

    Args:
        markup: 0 if ``&`` and ``<`` belong to such a run, otherwise the highest bit of each byte.
    """
    while position + 8 <= end:
        x = load8(data, position)
        # the lowest bit that each test sets is correct; the bits above it may be wrong
        odd = (x | ((x - _SPACES) & ~x) | _is_zero(x ^ _DELETES)) & _HIGH
        odd |= (_is_zero(x ^ _AMPERSANDS) | _is_zero(x ^ _LESSES)) & markup
        if odd:
            return position + (trailing_zeros(odd) >> 3)
        position += 8
    return position


@kernel
def _is_zero(x: Any) -> Any:
    """Set the highest bit of the lowest byte that is zero; bytes above it may be marked wrongly."""
    return (x - _ONES) & ~x & _HIGH


@kernel
def _is_reference(data: Any, position: Any, end: Any) -> Any:
    """Return whether the text after an ``&`` has the form of a character reference."""
    if position < end and data[position] == 0x23:
        position += 1
    n_chars = 0
    while position < end and n_chars <= MAX_ENTITY_CHARS:
        byte = data[position]
        if byte == 0x3B:
            return n_chars > 0
        lower = byte | 0x20
        if not (0x30 <= byte <= 0x39 or 0x61 <= lower <= 0x7A):
            return False
        n_chars += 1
        position += 1
    return False


@kernel
def _point(data: Any, position: Any) -> Any:
    """Return a code point, at most the last index of the tables, and the position after it."""
    first = np.int64(data[position])
    if first < 0x80:
        return first, position + 1
    second = np.int64(data[position + 1] & 0x3F)
    if first < 0xE0:
        return ((first & 0x1F) << 6) | second, position + 2
    third = np.int64(data[position + 2] & 0x3F)
    if first < 0xF0:
        return ((first & 0x0F) << 12) | (second << 6) | third, position + 3
    point = ((first & 0x07) << 18) | (second << 12) | (third << 6) | (data[position + 3] & 0x3F)
    return min(point, np.int64(TABLE_SIZE - 1)), position + 4
