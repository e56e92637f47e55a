"""Find long strings in lines of JSON, and copy them without their escapes."""

from __future__ import annotations

from typing import Any

import numpy as np

from builder.kernels.jit import kernel
from builder.kernels.text.json_escapes import escape, next_mark, unescape
from builder.kernels.text.tidy import copy_bytes

_BROKEN = -1


@kernel
def find_strings(
    data: Any, offsets: Any, names: Any, name_offsets: Any, least: Any, starts: Any, stops: Any, sizes: Any
) -> None:
    """Find the long strings that are members with given names; each line is one object.

    A line with an error in the part that the kernel reads has no strings. The kernel does not check whether
    the rest of the line is JSON. If a name occurs twice, the last one counts. A name with an escape is not
    recognised.

    Args:
        data: uint8[n_bytes].
        offsets: int64[n_lines + 1].
        names: uint8[n], the names concatenated, as they are written between their quotes.
        name_offsets: int64[n_names + 1].
        least: a string with fewer bytes between its quotes is not long.
        starts: int64[n_lines, n_names], overwritten: where in ``data`` the string begins, after its quote.
        stops: int64[n_lines, n_names], overwritten: the position of its closing quote; 0 without a string.
        sizes: int64[n_lines, n_names], overwritten: its size in bytes after the escapes are decoded.
    """
    for line in range(len(offsets) - 1):
        stops[line, :] = 0
        if not _find_in_line(data, offsets[line], offsets[line + 1], names, name_offsets, least, starts[line],
                             stops[line], sizes[line]):  # fmt: skip
            stops[line, :] = 0


@kernel
def write_strings(data: Any, starts: Any, stops: Any, sizes: Any, out: Any, out_offsets: Any) -> None:
    """Concatenate strings that ``find_strings`` found, as UTF-8 and without their escapes.

    Args:
        data: uint8[n_bytes].
        starts: int64[n_lines], from ``find_strings``.
        stops: int64[n_lines], from ``find_strings``; 0 for a line that writes nothing.
        sizes: int64[n_lines], from ``find_strings``.
        out: uint8[sum of sizes + 8], overwritten; the last eight bytes have no meaning.
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
                at = unescape(data, starts[line], stops[line], out, at)
    out_offsets[len(starts)] = at


@kernel
def write_without(
    data: Any, offsets: Any, starts: Any, stops: Any, stand_in: Any, out: Any, out_offsets: Any
) -> None:
    """Concatenate lines, with a placeholder between the quotes of the strings that were found.

    Args:
        data: uint8[n_bytes].
        offsets: int64[n_lines + 1].
        starts: int64[n_lines, n_names], from ``find_strings``.
        stops: int64[n_lines, n_names], from ``find_strings``.
        stand_in: uint8[n], the placeholder for each string.
        out: uint8[n_bytes - bytes found + n * strings found], overwritten.
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
    """Find the strings in the members of one line; return False at the first error."""
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
    """Return the position after white space."""
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
    """Return the position after a number, a literal, an array or an object; ``end`` if it does not end."""
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
    """Return the position of a string's closing quote, and its size in bytes with decoded escapes.

    The size is ``_BROKEN`` if the string does not end, or contains a control character, an invalid escape or
    half of a surrogate pair.
    """
    saved = np.int64(0)
    start = at
    while True:
        at = next_mark(data, at, end)
        if at >= end or data[at] < 0x20:
            return at, np.int64(_BROKEN)
        if data[at] == 0x22:
            return at, at - start - saved
        length, n_bytes = escape(data, at, end)
        if length == 0:
            return at, np.int64(_BROKEN)
        saved += length - n_bytes
        at += length
