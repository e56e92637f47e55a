"""Put lines in the place of others, and tidy white space, in texts as Arrow holds them."""

from __future__ import annotations

from typing import Any

import numpy as np

from builder.kernels.bits import find_byte, load8, store8
from builder.kernels.jit import kernel


@kernel
def find_lines(data: Any, offsets: Any, wanted: Any, starts: Any, stops: Any, documents: Any) -> Any:
    """Find the lines of some documents; the line feed belongs to the line before it.

    Args:
        data: uint8[n_bytes].
        offsets: int64[n_docs + 1].
        wanted: bool[n_docs].
        starts: int64[room], filled as far as it goes: where in ``data`` each line begins.
        stops: int64[room], likewise: where it ends.
        documents: int64[room], likewise: which document it belongs to.

    Returns:
        The number of lines, which may be more than there was room for.
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
    r"""Apply the rule for white space: blanks at line ends go, and so do blank lines but single inner ones.

    ``\r\n`` is a line end as well, and becomes ``\n``.

    Args:
        data: uint8[n_bytes], valid UTF-8.
        offsets: int64[n_docs + 1].
        wanted: bool[n_docs]; the other documents are copied as they are.
        out: uint8[length of all documents], overwritten.
        out_offsets: int64[n_docs + 1], overwritten.
        n_gone: int64[n_docs], overwritten: bytes that were taken away, those of ``\r`` not counted.
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
    r"""Write a tidied document behind ``out[:n_out]``; return the new ``n_out`` and how many ``\r`` went."""
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
    """Return where ``data[start:stop]`` ends without the blanks at its end (``repair_rules.BLANKS``)."""
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
    """Copy ``data[start:stop]`` to ``out[to:]``, and nothing behind it."""
    while start + 8 <= stop:
        store8(out, to, load8(data, start))
        start += 8
        to += 8
    while start < stop:
        out[to] = data[start]
        start += 1
        to += 1
