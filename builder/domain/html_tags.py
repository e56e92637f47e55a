"""Find the tags at the beginning of a page without an HTML parser: in linear time, without native code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

_PIECE = re.compile(rb"<!--.*?(?:-->|\Z)|<[!/?](?![A-Za-z])[^>]*>?|<(/?)([A-Za-z][^\s/>]*)", re.DOTALL)
_ONE = rb"""[\s/]*([^\s/>=][^\s/>=]*)(?:\s*=\s*(?:"([^"]*)"?|'([^']*)'?|([^\s>"'][^\s>]*))|\s*=(?=\s*>))?"""
_ATTRIBUTE = re.compile(_ONE)
_ATTRIBUTES = re.compile(rb"(?:(?>" + _ONE.replace(b"([^", b"(?:[^") + rb"))*+[ \t\n\f\r/]*+")
"""Matches all attributes of a tag at once, for tags whose attributes are not wanted."""

_RAW = {name: re.compile(rb"</" + name + rb"[\s/>]", re.I) for name in (b"script", b"style", b"title")}


def tags(
    head: bytes, *, wanted: Container[bytes], raw_text: bool = True
) -> Iterator[tuple[bytes, dict[bytes, bytes]]]:
    """Yield the name of each complete start tag and its attributes, all names in lower case.

    If a tag has an attribute twice, the first value counts.

    Args:
        wanted: names of tags, in lower case; all other tags are skipped.
        raw_text: skip the content of scripts, styles and the title.
    """
    position = 0
    while (piece := _PIECE.search(head, position)) is not None:
        position = piece.end()
        if piece[2] is None:
            continue
        name = piece[2].lower()
        if piece[1] or name not in wanted:
            position = _ATTRIBUTES.match(head, position).end()  # type: ignore[union-attr] # always matches
            if piece[1] or not head.startswith(b">", position):
                continue
        else:
            attributes, position = _attributes(head, position)
            if not head.startswith(b">", position):
                continue
            yield name, attributes
        if raw_text and name in _RAW:
            end = _RAW[name].search(head, position)
            position = end.start() if end else len(head)


def tag_attributes(tag: bytes) -> dict[bytes, bytes]:
    """Return the attributes of one complete start tag, all names in lower case.

    >>> tag_attributes(b"<a HREF=x rel='author'>")
    {b'href': b'x', b'rel': b'author'}
    """
    name = _PIECE.match(tag)
    return _attributes(tag, name.end())[0] if name else {}


def _attributes(head: bytes, position: int) -> tuple[dict[bytes, bytes], int]:
    attributes: dict[bytes, bytes] = {}
    while (found := _ATTRIBUTE.match(head, position)) is not None and found.end() > position:
        name, *values = found.groups()
        attributes.setdefault(name.lower(), values[0] or values[1] or values[2] or b"")
        position = found.end()
    while head[position : position + 1] in (b" ", b"\t", b"\n", b"\f", b"\r", b"/"):
        position += 1
    return attributes, position
