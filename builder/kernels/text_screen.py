"""Find the documents that text repair could change, in one pass over their bytes."""

from __future__ import annotations

from typing import Any

import numpy as np

from builder.kernels.jit import kernel

TABLE_SIZE = 0x20000
"""Code points that have an entry of their own; those above share the last one."""

CONTROL, LINE, MARKUP, NORMAL, OPTION, MARK = 1, 2, 4, 8, 16, 32
BLANK, C1, CLUE, LONE_CLUE, BEFORE_SPACE, BEFORE_ASK = 64, 128, 256, 512, 1024, 2048
"""Classes of characters. ``CLUE``: two in a row may look like mojibake; ``LONE_CLUE``: one may by itself.

``BEFORE_SPACE`` and ``BEFORE_ASK``: before a space or a question mark it may be a UTF-8 sequence of which the
rest was lost.
"""

MOJIBAKE, WHITE_SPACE, MANY_MARKS = 1 << 16, 1 << 17, 1 << 18
"""What is found out from more than one character."""

ANSWERED = CONTROL | LINE | MARKUP | NORMAL | OPTION
"""Classes of which one character is enough for a document to be looked at."""

MAX_MARKS = 1000
"""Combining marks in a row; normalisation takes quadratic time on longer runs."""


@kernel
def screen(data: Any, offsets: Any, classes: Any, leads: Any, trails: Any, flags: Any) -> None:
    r"""Fill in which rules could change each document; 0 proves that none can.

    Mojibake that can be mended needs both in one line: characters that look like it, and a character that
    could be the first byte of a UTF-8 sequence before one that could be its second, in the same one of the
    charsets that are thought of; a space or a question mark may stand for a byte between the two.

    Args:
        data: uint8[n_bytes], valid UTF-8.
        offsets: int64[n_docs + 1].
        classes: uint16[TABLE_SIZE], classes of each code point.
        leads: uint16[TABLE_SIZE], a bit for each charset in which the character is a byte from 0xC0 on.
        trails: uint16[TABLE_SIZE], a bit for each charset in which it is a byte from 0x80 to 0xBF.
        flags: int64[n_docs], overwritten.
    """
    for document in range(len(offsets) - 1):
        flags[document] = _screen_one(data, offsets[document], offsets[document + 1], classes, leads, trails)


@kernel
def _screen_one(data: Any, start: Any, end: Any, classes: Any, leads: Any, trails: Any) -> Any:
    found = np.int64(0)
    position: Any = start
    last: Any = np.int64(0x0A)
    before_last: Any = np.int64(0x0A)
    last_class: Any = np.int64(0)
    n_breaks: Any = 2
    n_marks: Any = 0
    looks_bad = False
    could_decode = False
    while position < end:
        point, position = _point(data, position)
        kind = np.int64(classes[point])
        found |= kind & ANSWERED
        if point == 0x0A:
            if looks_bad and could_decode:
                found |= MOJIBAKE
            looks_bad = False
            could_decode = False
            n_breaks += 1
            if n_breaks > 2 or position == end or last_class & BLANK:
                found |= WHITE_SPACE
        else:
            n_breaks = 0
        if point >= 0x80:
            if kind & C1:
                found |= MOJIBAKE
            looks_bad |= (kind & LONE_CLUE) != 0 or (kind & last_class & CLUE) != 0
            could_decode |= (leads[last] & trails[point]) != 0
            gap = last == 0x20 or last == 0x3F
            could_decode |= gap and (leads[before_last] & trails[point]) != 0
            n_marks = n_marks + 1 if kind & MARK else 0
            if n_marks > MAX_MARKS:
                found |= MANY_MARKS
        else:
            n_marks = 0
            could_decode |= point == 0x20 and (last_class & BEFORE_SPACE) != 0
            could_decode |= point == 0x3F and (last_class & BEFORE_ASK) != 0
        before_last = last
        last = point
        last_class = kind
    if looks_bad and could_decode:
        found |= MOJIBAKE
    if last_class & BLANK and end > start:
        found |= WHITE_SPACE
    return found


@kernel
def _point(data: Any, position: Any) -> Any:
    """Return a code point, at most the last that the tables know, and the place behind it."""
    first = np.int64(data[position])
    if first < 0x80:
        return first, position + 1
    second = data[position + 1] & 0x3F
    if first < 0xE0:
        return ((first & 0x1F) << 6) | second, position + 2
    third = data[position + 2] & 0x3F
    if first < 0xF0:
        return ((first & 0x0F) << 12) | (second << 6) | third, position + 3
    point = ((first & 0x07) << 18) | (second << 12) | (third << 6) | (data[position + 3] & 0x3F)
    return min(point, np.int64(TABLE_SIZE - 1)), position + 4
