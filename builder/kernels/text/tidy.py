"""Find lines, tidy white space and copy bytes in the buffers of Arrow strings."""

from __future__ import annotations

from typing import Any

import numpy as np

from builder.kernels.bits import find_byte, load8, store8
from builder.kernels.jit import kernel


@kernel
def find_lines(data: Any, offsets: Any, wanted: Any, starts: Any, stops: Any, documents: Any) -> Any:
    """Find the lines of the wanted documents; a line feed belongs to the line that it ends.

    Args:
        data: uint8[n_bytes].
        offsets: int64[n_docs + 1].
        wanted: bool[n_docs].
        starts: int64[room], filled while there is room: where in ``data`` each line begins.
        stops: int64[room], filled likewise: where each line ends.
        documents: int64[room], filled likewise: the document of each line.

    Returns:
        The number of lines, which may be greater than ``room``.
    """
    n_lines = 0
    for document in range(len(offsets) - 1):
        at, end = offsets[document], offsets[document + 1]
        while wanted[document] and at < end:
            stop = min(find_byte(data, at, end, 0x0A) + 1, end)
            if n_lines < len(starts):
                starts[n_lines] = at
                stops[n_lines] = stop
                documents[n_lines] = document
            n_lines += 1
            at = stop
    return n_lines


@kernel
def tidy(data: Any, offsets: Any, wanted: Any, out: Any, out_offsets: Any, n_gone: Any) -> Any:
    r"""Apply the rule for white space: remove blanks at line ends and superfluous blank lines.

    Of several blank lines in a row one stays; at the start and the end of a text none stays. ``\r\n`` is a
    line end too, and becomes ``\n``.

    Args:
        data: uint8[n_bytes], valid UTF-8.
        offsets: int64[n_docs + 1].
        wanted: bool[n_docs]; the other documents are copied as they are.
        out: uint8[length of all documents], overwritten.
        out_offsets: int64[n_docs + 1], overwritten.
        n_gone: int64[n_docs], overwritten: number of removed bytes, without those of ``\r``.
    """
    n_out = np.int64(0)
    for document in range(len(offsets) - 1):
        start, end = offsets[document], offsets[document + 1]
        out_offsets[document] = n_out
        n_returns: Any = 0
        if wanted[document]:
            n_out, n_returns = _tidy_one(data, start, end, out, n_out)
        else:
            copy_bytes(data, start, end, out, n_out)
            n_out += end - start
        n_gone[document] = end - start - (n_out - out_offsets[document]) - n_returns
    out_offsets[len(offsets) - 1] = n_out


@kernel
def _tidy_one(data: Any, at: Any, end: Any, out: Any, n_out: Any) -> Any:
    r"""Append a tidied document to ``out[:n_out]``; return ``n_out`` and the number of removed ``\r``."""
    begin = n_out
    n_feeds = 0
    n_returns: Any = 0
    while at < end:
        feed = find_byte(data, at, end, 0x0A)
        is_pair = feed < end and feed > at and data[feed - 1] == 0x0D
        n_returns += np.int64(is_pair)
        stop = without_blanks(data, at, feed - np.int64(is_pair))
        if stop > at:
            if n_out > begin:
                out[n_out] = 0x0A
                n_out += 1
                if n_feeds > 1:
                    out[n_out] = 0x0A
                    n_out += 1
            copy_bytes(data, at, stop, out, n_out)
            n_out += stop - at
            n_feeds = 0
        n_feeds += 1
        at = feed + 1
    return n_out, n_returns


@kernel
def without_blanks(data: Any, start: Any, stop: Any) -> Any:
    """Return where ``data[start:stop]`` ends without its trailing blanks (``BLANKS`` of the repair rules)."""
    while stop > start:
        byte = data[stop - 1]
        if byte == 0x20 or byte == 0x09:
            stop -= 1
            continue
        if byte < 0x80 or byte >= 0xC0 or stop - start < 2:
            return stop
        before = data[stop - 2]
        if before == 0xC2 and byte == 0xA0:
            stop -= 2
            continue
        if stop - start < 3:
            return stop
        code = (np.int64(data[stop - 3]) << 16) | (np.int64(before) << 8) | np.int64(byte)
        if not (
            code == 0xE19A80  # U+1680
            or 0xE28080 <= code <= 0xE2808A  # U+2000 to U+200A
            or code == 0xE280AF  # U+202F
            or code == 0xE2819F  # U+205F
            or code == 0xE38080  # U+3000
        ):
            return stop
        stop -= 3
    return stop


@kernel
def copy_bytes(data: Any, start: Any, stop: Any, out: Any, to: Any) -> Any:
    """Copy ``data[start:stop]`` to ``out[to:]``; write nothing after it."""
    while start + 8 <= stop:
        store8(out, to, load8(data, start))
        start += 8
        to += 8
    while start < stop:
        out[to] = data[start]
        start += 1
        to += 1
