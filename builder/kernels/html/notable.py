"""Find the tags of a page that may say how its text may be used: robots tags, reservations, licences.

One pass over the bytes, without a tree. Comments and the content of scripts, styles, titles and text areas
have no tags. A tag is notable if it contains a keyword: every tag one of ``KEYWORDS[:2]``, ``<script>`` one
of ``KEYWORDS[2:4]`` as well, and ``<meta>`` any of all. Upper and lower case are the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from builder.kernels.bits import find_byte
from builder.kernels.jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

KEYWORDS: Final = (
    "licen",
    "creativecommons",
    "rsl+xml",
    "ld+json",
    "robots",
    "tdm-",
    "noai",
    "noima",
    "noind",
    "nosni",
    "noarc",
    "none",
    "max-snippet",
    "indexif",
    "rights",
    "copyright",
)
_FOR_ALL, _FOR_SCRIPTS = 2, 4

_OTHER, _META, _LINK, _SCRIPT, _ANCHOR = 0, 1, 2, 3, 4
"""Kinds of tags."""

ELSEWHERE, HEAD, FOOTER, ARTICLE = 0, 1, 2, 3
"""The part of the page that a tag is in: ``<head>``, ``<footer>``, else ``<article>`` or ``<main>``."""

MAX_NOTABLE: Final = 200
"""Notable tags of a page that are found; the rest is not looked at."""

NOTABLE_COLUMNS: Final = 5
"""Columns of a row: start and end of the tag, end of its content (of a script), kind, part of the page."""

_LONGEST = 16


def _table() -> NDArray[np.uint8]:
    table = np.zeros((len(KEYWORDS), _LONGEST), np.uint8)
    for row, word in enumerate(KEYWORDS):
        table[row, : len(word)] = np.frombuffer(word.encode(), np.uint8)
    return table


_WORDS = _table()
_LENGTHS = np.array([len(word) for word in KEYWORDS], np.int64)

_PAIRS = np.zeros(1 << 16, np.uint8)
"""For two bytes of a tag: the number of the first keyword, from 1, that begins with them; 0 if none does."""

for _row in range(len(KEYWORDS) - 1, -1, -1):
    for _first in (KEYWORDS[_row][0], KEYWORDS[_row][0].upper()):
        for _second in (KEYWORDS[_row][1], KEYWORDS[_row][1].upper()):
            _PAIRS[ord(_first) << 8 | ord(_second)] = _row + 1

_NAMES = (
    "meta",
    "link",
    "script",
    "a",
    "head",
    "body",
    "footer",
    "article",
    "main",
    "style",
    "title",
    "textarea",
)
_NAME_HEAD, _NAME_BODY, _NAME_FOOTER, _NAME_ARTICLE, _NAME_MAIN = 4, 5, 6, 7, 8
_NAME_SCRIPT, _FIRST_RAW = 2, 9
_NAME_TABLE = np.zeros((len(_NAMES), 8), np.uint8)
for _row, _word in enumerate(_NAMES):
    _NAME_TABLE[_row, : len(_word)] = np.frombuffer(_word.encode(), np.uint8)
_NAME_LENGTHS = np.array([len(name) for name in _NAMES], np.int64)


@kernel
def find_notable(data: Any, start: Any, end: Any, found: Any) -> Any:
    """Fill ``found`` with the notable tags of ``data[start:end]``; return how many there are.

    Args:
        data: uint8[n_bytes], HTML as UTF-8.
        found: int64[MAX_NOTABLE, NOTABLE_COLUMNS], overwritten.
    """
    n, at = 0, start
    in_head, footers, articles = False, 0, 0
    while n < len(found):
        at = find_byte(data, at, end, 0x3C)
        if at + 1 >= end:
            break
        if data[at + 1] == 0x21 and at + 3 < end and data[at + 2] == 0x2D and data[at + 3] == 0x2D:
            at = _after_comment(data, at + 4, end)
            continue
        closes = data[at + 1] == 0x2F
        first = at + 2 if closes else at + 1
        last = first
        while last < end and _is_name(data[last]):
            last += 1
        if last == first:
            at += 1
            continue
        name = _name(data, first, last)
        stop = _end_of_tag(data, last, end)
        step = -1 if closes else 1
        if name == _NAME_HEAD:
            in_head = not closes
        elif name == _NAME_BODY:
            in_head = False
        elif name == _NAME_FOOTER:
            footers = max(footers + step, 0)
        elif name in (_NAME_ARTICLE, _NAME_MAIN):
            articles = max(articles + step, 0)
        if closes:
            at = stop
            continue
        content = stop
        if name == _NAME_SCRIPT or name >= _FIRST_RAW:
            content = _end_of_raw(data, stop, end, first, last)
        kind = name + 1 if 0 <= name <= 3 else _OTHER
        n_words = len(_LENGTHS) if kind == _META else _FOR_SCRIPTS if kind == _SCRIPT else _FOR_ALL
        if _has_word(data, last, stop, n_words):
            part = HEAD if in_head else FOOTER if footers else ARTICLE if articles else ELSEWHERE
            found[n, 0], found[n, 1], found[n, 2], found[n, 3], found[n, 4] = at, stop, content, kind, part
            n += 1
        at = content
    return n


@kernel
def _is_name(byte: Any) -> Any:
    return (0x61 <= byte <= 0x7A) or (0x41 <= byte <= 0x5A) or (0x30 <= byte <= 0x39)


@kernel
def _name(data: Any, first: Any, last: Any) -> Any:
    """Return the position of a name in the table of names, or -1."""
    for row in range(len(_NAME_LENGTHS)):
        if _NAME_LENGTHS[row] == last - first:
            at = 0
            while at < last - first and (data[first + at] | 0x20) == _NAME_TABLE[row, at]:
                at += 1
            if at == last - first:
                return row
    return -1


@kernel
def _end_of_tag(data: Any, at: Any, end: Any) -> Any:
    """Return the position after the ``>`` of a tag; quotes that follow ``=`` hide it."""
    after_equals = False
    while at < end:
        byte = data[at]
        if byte == 0x3E:
            return at + 1
        if after_equals and (byte == 0x22 or byte == 0x27):
            at = find_byte(data, at + 1, end, byte)
            after_equals = False
        elif byte == 0x3D:
            after_equals = True
        elif not (byte == 0x20 or 0x09 <= byte <= 0x0D):
            after_equals = False
        at += 1
    return end


@kernel
def _after_comment(data: Any, at: Any, end: Any) -> Any:
    while True:
        at = find_byte(data, at, end, 0x3E)
        if at >= end:
            return end
        if data[at - 1] == 0x2D and data[at - 2] == 0x2D:
            return at + 1
        at += 1


@kernel
def _end_of_raw(data: Any, at: Any, end: Any, first: Any, last: Any) -> Any:
    """Return the position of the next ``</`` with the same name, or the end."""
    size = last - first
    while True:
        at = find_byte(data, at, end, 0x3C)
        if at + 2 + size > end:
            return end
        if data[at + 1] == 0x2F:
            same = 0
            while same < size and (data[at + 2 + same] | 0x20) == (data[first + same] | 0x20):
                same += 1
            if same == size:
                return at
        at += 1


@kernel
def _has_word(data: Any, at: Any, end: Any, n_words: Any) -> Any:
    before = np.int64(0)
    while at < end:
        byte = np.int64(data[at])
        first_word = np.int64(_PAIRS[(before << 8) | byte])
        if first_word and first_word <= n_words:
            for word in range(first_word - 1, n_words):
                size = _LENGTHS[word]
                same = 0
                while (
                    same < size and at - 1 + same < end and _lower(data[at - 1 + same]) == _WORDS[word, same]
                ):
                    same += 1
                if same == size:
                    return True
        before = np.int64(byte)
        at += 1
    return False


@kernel
def _lower(byte: Any) -> Any:
    return byte | 0x20 if 0x41 <= byte <= 0x5A else byte
