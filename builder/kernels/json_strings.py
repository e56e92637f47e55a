"""Long strings in lines of JSON: where they stand, and what they are without their escapes."""

from __future__ import annotations

from typing import Any

import numpy as np

from builder.kernels.bits import load8, store8, trailing_zeros
from builder.kernels.jit import kernel
from builder.kernels.text_tidy import copy_bytes

_ONES = np.uint64(0x0101010101010101)
_HIGH = np.uint64(0x8080808080808080)
_QUOTES = np.uint64(0x22) * _ONES
_SLASHES = np.uint64(0x5C) * _ONES
_BLANKS = np.uint64(0x20) * _ONES

_BROKEN = -1


@kernel
def find_strings(
    data: Any, offsets: Any, names: Any, name_offsets: Any, least: Any, starts: Any, stops: Any, sizes: Any
) -> None:
    """Find the long strings that are members of objects, one object a line, by their names.

    A line that is not what it should be, as far as it was looked at, has none: nothing is said about whether
    it is JSON otherwise. Of a name that comes twice the last counts. A name with an escape is not recognised.

    Args:
        data: uint8[n_bytes].
        offsets: int64[n_lines + 1].
        names: uint8[n], the names end to end, as they stand between their quotes.
        name_offsets: int64[n_names + 1].
        least: a string of fewer bytes between its quotes is not long.
        starts: int64[n_lines, n_names], overwritten: where in ``data`` the string begins, behind its quote.
        stops: int64[n_lines, n_names], overwritten: where its closing quote stands; 0 if there is none.
        sizes: int64[n_lines, n_names], overwritten: its bytes without escapes.
    """
    for line in range(len(offsets) - 1):
        stops[line, :] = 0
        if not _find_in_line(data, offsets[line], offsets[line + 1], names, name_offsets, least, starts[line],
                             stops[line], sizes[line]):  # fmt: skip
            stops[line, :] = 0


@kernel
def write_strings(data: Any, starts: Any, stops: Any, sizes: Any, out: Any, out_offsets: Any) -> None:
    """Write strings that ``find_strings`` has found end to end, without their escapes, as UTF-8.

    Args:
        data: uint8[n_bytes].
        starts: int64[n_lines], as found.
        stops: int64[n_lines], as found; nothing is written where it is 0.
        sizes: int64[n_lines], as found.
        out: uint8[sum of sizes + 8], overwritten, the last eight bytes with no meaning.
        out_offsets: int32[n_lines + 1], overwritten.
    """
    at: Any = np.int64(0)
    for line in range(len(starts)):
        out_offsets[line] = at
        if stops[line] > 0:
            if sizes[line] == stops[line] - starts[line]:
                copy_bytes(data, starts[line], stops[line], out, at)
                at += sizes[line]
            else:
                at = _unescape(data, starts[line], stops[line], out, at)
    out_offsets[len(starts)] = at


@kernel
def write_without(
    data: Any, offsets: Any, starts: Any, stops: Any, stand_in: Any, out: Any, out_offsets: Any
) -> None:
    """Write lines end to end, something else standing between the quotes of the strings that were found.

    Args:
        data: uint8[n_bytes].
        offsets: int64[n_lines + 1].
        starts: int64[n_lines, n_names], as found.
        stops: int64[n_lines, n_names], as found.
        stand_in: uint8[n], what takes the place of each.
        out: uint8[n_bytes - found + n * number found], overwritten.
        out_offsets: int64[n_lines + 1], overwritten.
    """
    n_out: Any = np.int64(0)
    for line in range(len(offsets) - 1):
        out_offsets[line] = n_out
        at = offsets[line]
        while True:
            following = -1
            for name in range(starts.shape[1]):
                is_left = stops[line, name] > 0 and starts[line, name] >= at
                if is_left and (following < 0 or starts[line, name] < starts[line, following]):
                    following = name
            stop = starts[line, following] if following >= 0 else offsets[line + 1]
            copy_bytes(data, at, stop, out, n_out)
            n_out += stop - at
            if following < 0:
                break
            copy_bytes(stand_in, 0, len(stand_in), out, n_out)
            n_out += len(stand_in)
            at = stops[line, following]
    out_offsets[len(offsets) - 1] = n_out


@kernel
def _find_in_line(
    data: Any, at: Any, end: Any, names: Any, name_offsets: Any, least: Any,
    starts: Any, stops: Any, sizes: Any,
) -> Any:  # fmt: skip
    """Go through the members of one line; False where something else stands than expected."""
    at = _blank(data, at, end)
    if at >= end or data[at] != 0x7B:
        return False
    at = _blank(data, at + 1, end)
    if at < end and data[at] == 0x7D:
        return True
    while at < end:
        if data[at] != 0x22:
            return False
        stop, size = _string_end(data, at + 1, end)
        if size == _BROKEN:
            return False
        which = _which(data, at + 1, stop, names, name_offsets) if size == stop - at - 1 else -1
        at = _blank(data, stop + 1, end)
        if at >= end or data[at] != 0x3A:
            return False
        at = _blank(data, at + 1, end)
        if which >= 0:
            stops[which] = 0
        if at < end and data[at] == 0x22:
            stop, size = _string_end(data, at + 1, end)
            if size == _BROKEN:
                return False
            if which >= 0 and stop - at - 1 >= least:
                starts[which] = at + 1
                stops[which] = stop
                sizes[which] = size
            at = stop + 1
        else:
            at = _value_end(data, at, end)
        at = _blank(data, at, end)
        if at >= end:
            return False
        if data[at] == 0x7D:
            return True
        if data[at] != 0x2C:
            return False
        at = _blank(data, at + 1, end)
    return False


@kernel
def _blank(data: Any, at: Any, end: Any) -> Any:
    """Pass over white space."""
    while at < end and (data[at] == 0x20 or data[at] == 0x09 or data[at] == 0x0D or data[at] == 0x0A):
        at += 1
    return at


@kernel
def _which(data: Any, start: Any, stop: Any, names: Any, name_offsets: Any) -> Any:
    for name in range(len(name_offsets) - 1):
        first = name_offsets[name]
        if name_offsets[name + 1] - first == stop - start:
            same = True
            for i in range(stop - start):
                same = same and data[start + i] == names[first + i]
            if same:
                return name
    return -1


@kernel
def _value_end(data: Any, at: Any, end: Any) -> Any:
    """Pass over a number, a word, an array or an object; ``end`` if it does not end."""
    depth = 0
    while at < end:
        byte = data[at]
        if byte == 0x22:
            at, size = _string_end(data, at + 1, end)
            if size == _BROKEN:
                return end
        elif byte == 0x7B or byte == 0x5B:
            depth += 1
        elif depth == 0 and (byte == 0x2C or byte == 0x7D):
            return at
        elif byte == 0x7D or byte == 0x5D:
            depth -= 1
        at += 1
    return end


@kernel
def _string_end(data: Any, at: Any, end: Any) -> Any:
    """Find the closing quote of a string, and how many bytes it has without escapes.

    The size is ``_BROKEN`` if it does not end, or holds a control character, an escape that is none, or half
    of a surrogate pair.
    """
    saved = np.int64(0)
    start = at
    while True:
        at = _next_mark(data, at, end)
        if at >= end or data[at] < 0x20:
            return at, np.int64(_BROKEN)
        if data[at] == 0x22:
            return at, at - start - saved
        length, n_bytes = _escape(data, at, end)
        if length == 0:
            return at, np.int64(_BROKEN)
        saved += length - n_bytes
        at += length


@kernel
def _next_mark(data: Any, at: Any, end: Any) -> Any:
    """Find the next quote, backslash or control character."""
    while at + 8 <= end:
        word = load8(data, at)
        quotes, slashes = word ^ _QUOTES, word ^ _SLASHES
        marks = ((quotes - _ONES) & ~quotes) | ((slashes - _ONES) & ~slashes) | ((word - _BLANKS) & ~word)
        marks &= _HIGH
        if marks:
            # the lowest mark is right; a borrow can make false ones above it only
            return at + (trailing_zeros(marks) >> 3)
        at += 8
    while at < end and data[at] != 0x22 and data[at] != 0x5C and data[at] >= 0x20:
        at += 1
    return at


@kernel
def _escape(data: Any, at: Any, end: Any) -> Any:
    """Return the length of an escape and how many bytes of UTF-8 it stands for; 0 if it is none."""
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
    r"""Read the UTF-16 unit of a ``\uXXXX``; -1 if there is none."""
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
def _unescape(data: Any, at: Any, stop: Any, out: Any, n_out: Any) -> Any:
    """Copy a string whose escapes are good; return where the output ends.

    Eight bytes are copied at a time, whatever they are; what comes next is written over what was too much.
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
    """Return what stands for itself or a control character behind a backslash."""
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
    """Write a code point as UTF-8; return the place behind it."""
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
