"""Long strings in lines of JSON: where they stand, and what they are without their escapes."""

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
                at = unescape(data, starts[line], stops[line], out, at)
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
