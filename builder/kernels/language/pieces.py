"""Cut texts at line ends into pieces of a least length."""

from __future__ import annotations

from typing import Any

from builder.kernels.bits import find_byte
from builder.kernels.jit import kernel

_LINE_END = 10


@kernel
def _count_chars(data: Any, at: Any, end: Any) -> Any:
    n_chars = 0
    for i in range(at, end):
        n_chars += (data[i] & 0xC0) != 0x80
    return n_chars


@kernel
def cut_pieces(data: Any, starts: Any, ends: Any, min_chars: Any, found: Any) -> Any:
    """Cut each text at the first line end after ``min_chars`` characters; return the number of pieces.

    The last piece of a text takes the rest, if that is shorter. A text with less is one piece, and an empty
    text has none.

    Args:
        data: uint8[n_bytes], UTF-8.
        starts: int64[n_texts].
        ends: int64[n_texts]; text ``i`` is ``data[starts[i]:ends[i]]``.
        min_chars: at least 1.
        found: int64[4, n_pieces or more], overwritten: start, end, text and characters of each piece.
    """
    n = 0
    for text in range(len(starts)):
        first = n
        begin = at = starts[text]
        n_chars = 0
        while at < ends[text]:
            stop = min(find_byte(data, at, ends[text], _LINE_END) + 1, ends[text])
            n_chars += _count_chars(data, at, stop)
            at = stop
            if n_chars >= min_chars:
                found[0, n], found[1, n], found[2, n], found[3, n] = begin, at, text, n_chars
                n += 1
                begin, n_chars = at, 0
        if n_chars > 0 and n > first:
            found[1, n - 1] = at
            found[3, n - 1] += n_chars
        elif n_chars > 0:
            found[0, n], found[1, n], found[2, n], found[3, n] = begin, at, text, n_chars
            n += 1
    return n
