"""Read the tags of a page that may say how its text may be used."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from builder.domain.html_tags import tag_attributes

if TYPE_CHECKING:
    from collections.abc import Iterator

_KINDS: Final = ("", "meta", "link", "script", "a")
PARTS: Final = ("elsewhere", "head", "footer", "article")
"""Parts of a page, by their numbers in the kernel."""

_MAX_CONTENT_BYTES: Final = 1 << 18
_MAX_TAG_BYTES: Final = 1 << 14


@dataclass(frozen=True, slots=True, kw_only=True)
class PageTag:
    """A tag with its attributes, names in lower case.

    Attributes:
        name: ``meta``, ``link``, ``script``, ``a``, or an empty text for another element.
        part: one of ``PARTS``.
        text: the tag as it came.
        content: what a script contains.
    """

    name: str
    part: str
    attributes: dict[str, str]
    text: str
    content: str


def tags_of_pages(column: pa.Array) -> Iterator[list[PageTag]]:
    """Yield the notable tags of each page of a column of HTML; none for a null."""
    from builder.kernels.html.notable import MAX_NOTABLE, NOTABLE_COLUMNS, find_notable

    column = column.cast(pa.large_string())
    _, offset_buffer, buffer = column.buffers()
    offsets = np.frombuffer(offset_buffer, np.int64)[column.offset : column.offset + len(column) + 1]
    data = np.frombuffer(buffer, np.uint8) if buffer is not None and buffer.size else np.empty(0, np.uint8)
    found = np.empty((MAX_NOTABLE, NOTABLE_COLUMNS), np.int64)
    is_given = column.is_valid().to_numpy(zero_copy_only=False)
    for row in range(len(column)):
        if not is_given[row] or offsets[row] == offsets[row + 1]:
            yield []
            continue
        n = find_notable(data, int(offsets[row]), int(offsets[row + 1]), found)
        yield [_tag(data, *places) for places in found[:n].tolist()]


def _tag(data: np.ndarray, start: int, stop: int, end: int, kind: int, part: int) -> PageTag:
    raw = data[start : min(stop, start + _MAX_TAG_BYTES)].tobytes()
    content = data[stop:end].tobytes() if end - stop <= _MAX_CONTENT_BYTES else b""
    return PageTag(
        name=_KINDS[kind],
        part=PARTS[part],
        attributes={_text(name): html.unescape(_text(value)) for name, value in tag_attributes(raw).items()},
        text=_text(raw),
        content=_text(content),
    )


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")
