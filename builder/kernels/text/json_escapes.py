"""Find and decode the escapes inside JSON strings."""

from __future__ import annotations

from typing import Any

import numpy as np

from builder.kernels.bits import load8, store8, trailing_zeros
from builder.kernels.jit import kernel

_ONES = np.uint64(0x0101010101010101)
_HIGH = np.uint64(0x8080808080808080)
_QUOTES = np.uint64(0x22) * _ONES
_SLASHES = np.uint64(0x5C) * _ONES
_BLANKS = np.uint64(0x20) * _ONES


@kernel
def next_mark(data: Any, at: Any, end: Any) -> Any:
    """Return the position of the next quote, backslash or control character, or ``end``."""
    while at + 8 <= end:
        word = load8(data, at)
        quotes, slashes = word ^ _QUOTES, word ^ _SLASHES
        marks = ((quotes - _ONES) & ~quotes) | ((slashes - _ONES) & ~slashes) | ((word - _BLANKS) & ~word)
        marks &= _HIGH
        if marks:
            # the lowest mark is correct; a borrow can only set false marks above it
            return at + (trailing_zeros(marks) >> 3)
        at += 8
    while at < end and data[at] != 0x22 and data[at] != 0x5C and data[at] >= 0x20:
        at += 1
    return at


@kernel
def escape(data: Any, at: Any, end: Any) -> Any:
    """Return the length of an escape and the number of UTF-8 bytes that it encodes; 0 if it is invalid."""
    if at + 1 >= end:
        return 0, 0
    byte = data[at + 1]
    if byte != 0x75:
        simple = (byte == 0x22 or byte == 0x5C or byte == 0x2F or byte == 0x62 or byte == 0x66
                  or byte == 0x6E or byte == 0x72 or byte == 0x74)  # fmt: skip
        return (2, 1) if simple else (0, 0)
    unit = _unit(data, at, end)
    if unit < 0 or 0xDC00 <= unit < 0xE000:
        return 0, 0
    if 0xD800 <= unit < 0xDC00:
        low = _unit(data, at + 6, end)
        return (12, 4) if 0xDC00 <= low < 0xE000 else (0, 0)
    return 6, 1 if unit < 0x80 else 2 if unit < 0x800 else 3


@kernel
def _unit(data: Any, at: Any, end: Any) -> Any:
    r"""Return the UTF-16 code unit of a ``\uXXXX``; -1 if the escape is invalid."""
    if at + 6 > end or data[at] != 0x5C or data[at + 1] != 0x75:
        return np.int64(-1)
    unit = np.int64(0)
    for i in range(2, 6):
        byte = np.int64(data[at + i])
        if 0x30 <= byte <= 0x39:
            unit = unit * 16 + byte - 0x30
        elif 0x41 <= (byte & 0xDF) <= 0x46:
            unit = unit * 16 + (byte & 0xDF) - 0x37
        else:
            return np.int64(-1)
    return unit


@kernel
def unescape(data: Any, at: Any, stop: Any, out: Any, n_out: Any) -> Any:
    """Copy a string with valid escapes to ``out`` and decode them; return where the output ends.

    Eight bytes are copied at a time, whatever they are; the next write overwrites the surplus.
    """
    while at < stop:
        if at + 8 <= stop:
            word = load8(data, at)
            store8(out, n_out, word)
            slashes = word ^ _SLASHES
            marks = (slashes - _ONES) & ~slashes & _HIGH
            n_plain = (trailing_zeros(marks) >> 3) if marks else np.int64(8)
            at += n_plain
            n_out += n_plain
            if not marks:
                continue
        elif data[at] != 0x5C:
            out[n_out] = data[at]
            n_out += 1
            at += 1
            continue
        byte = data[at + 1]
        if byte != 0x75:
            out[n_out] = _plain(byte)
            n_out += 1
            at += 2
            continue
        point = _unit(data, at, stop)
        at += 6
        if 0xD800 <= point < 0xDC00:
            point = 0x10000 + ((point - 0xD800) << 10) + (_unit(data, at, stop) - 0xDC00)
            at += 6
        n_out = _put(out, n_out, point)
    return n_out


@kernel
def _plain(byte: Any) -> Any:
    """Return the byte that a backslash and ``byte`` encode: a control character, or ``byte`` itself."""
    if byte == 0x6E:
        return np.uint8(0x0A)
    if byte == 0x74:
        return np.uint8(0x09)
    if byte == 0x72:
        return np.uint8(0x0D)
    if byte == 0x62:
        return np.uint8(0x08)
    if byte == 0x66:
        return np.uint8(0x0C)
    return byte


@kernel
def _put(out: Any, at: Any, point: Any) -> Any:
    """Write a code point as UTF-8; return the position after it."""
    if point < 0x80:
        out[at] = point
        return at + 1
    if point < 0x800:
        out[at] = 0xC0 | point >> 6
        out[at + 1] = 0x80 | point & 0x3F
        return at + 2
    if point < 0x10000:
        out[at] = 0xE0 | point >> 12
        out[at + 1] = 0x80 | point >> 6 & 0x3F
        out[at + 2] = 0x80 | point & 0x3F
        return at + 3
    out[at] = 0xF0 | point >> 18
    out[at + 1] = 0x80 | point >> 12 & 0x3F
    out[at + 2] = 0x80 | point >> 6 & 0x3F
    out[at + 3] = 0x80 | point & 0x3F
    return at + 4
