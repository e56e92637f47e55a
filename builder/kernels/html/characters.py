"""Write the text of a page: white space folded, character references resolved, soft hyphens left out."""

from __future__ import annotations

from typing import Any

import numpy as np

from builder.kernels.html.entities import read_reference
from builder.kernels.html.layout import N_FLAGS, NODE, OUT, PRE, SPACE
from builder.kernels.jit import kernel

_PLAIN, _WHITE, _TAG, _AMPERSAND, _NUL, _C2, _EF = range(7)
_CLASSES = np.zeros(256, np.uint8)
_CLASSES[[0x20, 0x09, 0x0A, 0x0C, 0x0D]] = _WHITE
_CLASSES[0x3C], _CLASSES[0x26], _CLASSES[0x00], _CLASSES[0xC2], _CLASSES[0xEF] = (
    _TAG,
    _AMPERSAND,
    _NUL,
    _C2,
    _EF,
)


@kernel
def write_text(data: Any, at: Any, end: Any, page: Any) -> Any:
    """Write the text from ``data[at]`` to the next ``<``, and return the position of that.

    White space becomes one space, and none at the beginning of a block or line; within ``<pre>`` it stays. A
    no-break space is white space. Soft hyphens, byte order marks and NUL are left out.
    """
    state = page.state
    out = page.out
    pre = page.nodes[state[NODE], N_FLAGS] & PRE != 0
    o = state[OUT]
    space = state[SPACE] != 0
    while at < end:
        byte = data[at]
        kind = _CLASSES[byte]
        if kind == _PLAIN:
            out[o] = byte
            o += 1
            at += 1
            space = False
            continue
        if kind == _TAG:
            break
        if kind == _WHITE:
            if pre:
                o = _write_white(data, at, end, out, o)
                space = False
            elif not space:
                out[o] = 0x20
                o += 1
                space = True
            at += 1
            continue
        at, length = _read_special(data, at, end, kind, page.written)
        if length == 1 and _CLASSES[page.written[0]] == _WHITE:
            if pre or not space:
                out[o] = page.written[0] if pre else 0x20
                o += 1
            space = not pre
        elif length > 0:
            for i in range(length):
                out[o + i] = page.written[i]
            o += length
            space = False
    state[OUT] = o
    state[SPACE] = 1 if space else 0
    return at


@kernel
def _write_white(data: Any, at: Any, end: Any, out: Any, o: Any) -> Any:
    """Write white space as it is; a line ends with one newline, whatever ends it in the page."""
    byte = data[at]
    if byte == 0x0D and at + 1 < end and data[at + 1] == 0x0A:
        return o
    out[o] = 0x0A if byte == 0x0D else byte
    return o + 1


@kernel
def _read_special(data: Any, at: Any, end: Any, kind: Any, written: Any) -> Any:
    """Return the position after a character that needs a look, and the number of bytes it is written with."""
    if kind == _NUL:
        return at + 1, 0
    if kind == _AMPERSAND:
        behind, length = read_reference(data, at, end, written)
        return behind, _fold(written, length)
    length = 2 if kind == _C2 else 3
    if at + length > end:
        length = end - at
    for i in range(length):
        written[i] = data[at + i]
    folded = _fold(written, length)
    if folded == length:
        return at + 1, 1
    return at + length, folded


@kernel
def _fold(written: Any, length: Any) -> Any:
    """Return the length after folding: a no-break space is a space, a soft hyphen is nothing."""
    if length == 2 and written[0] == 0xC2:
        if written[1] == 0xA0:
            written[0] = 0x20
            return 1
        return 0 if written[1] == 0xAD else 2
    if length == 3 and written[0] == 0xEF and written[1] == 0xBB and written[2] == 0xBF:
        return 0
    return length


@kernel
def trim(page: Any, start: Any) -> Any:
    """Remove white space at the end of the text, down to ``start``."""
    out = page.out
    o = page.state[OUT]
    while o > start and _CLASSES[out[o - 1]] == _WHITE:
        o -= 1
    page.state[OUT] = o


@kernel
def without_blank_lines(out: Any, start: Any, end: Any) -> Any:
    """Return where a block begins after blank lines; the indentation of its first line belongs to it."""
    begin = start
    at = start
    while at < end and _CLASSES[out[at]] == _WHITE:
        at += 1
        if out[at - 1] == 0x0A:
            begin = at
    return begin
