"""A large text in pieces that can be repaired one after the other."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

from builder.stages import repair_rules

if TYPE_CHECKING:
    from collections.abc import Iterator

PIECE_BYTES = 1 << 20

_LINE_END = re.compile(rb"\n")


def pieces(view: memoryview) -> Iterator[str]:
    """Decode UTF-8 in pieces: of whole lines, and of a very long line in parts.

    Lines over ``MAX_LINE_CHARS`` are repaired in parts anyhow; they are cut where one of these ends and ASCII
    stands behind, with which nothing joins in normal form C.
    """
    start = 0
    while start < len(view):
        line_end = _LINE_END.search(view, start + PIECE_BYTES)
        stop = line_end.end() if line_end else len(view)
        if stop - start > 2 * PIECE_BYTES:
            yield from _parts(view[start:stop])
        else:
            yield str(view[start:stop], "utf-8")
        start = stop


def _parts(view: memoryview) -> Iterator[str]:
    """Cut what ends in a long line: the lines before it are one piece."""
    before = bytes(view[:PIECE_BYTES]).rfind(b"\n") + 1
    if before:
        yield str(view[:before], "utf-8")
    size = repair_rules.MAX_LINE_CHARS
    decoder = codecs.getincrementaldecoder("utf-8")()
    text, cut = "", size
    for at in range(before, len(view), PIECE_BYTES):
        text += decoder.decode(view[at : at + PIECE_BYTES], final=at + PIECE_BYTES >= len(view))
        while cut < len(text):
            if text[cut].isascii():
                yield text[:cut]
                text, cut = text[cut:], 0
            cut += size
    yield text
