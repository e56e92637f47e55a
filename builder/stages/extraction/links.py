"""The links of a page by block, and texts with the addresses of links."""

from __future__ import annotations

import html
from bisect import bisect_right
from typing import TYPE_CHECKING

import numpy as np

from builder.kernels.html.layout import (
    B_END,
    B_START,
    BLOCKS,
    L_END,
    L_HREF_END,
    L_HREF_START,
    L_START,
    LINK_ROWS,
)

if TYPE_CHECKING:
    from builder.kernels.html.layout import ParsedPage

BlockLinks = dict[int, list[tuple[int, int, str]]]
"""For a block: start and end of each link within its text in bytes, and the address."""


def links_of(page_bytes: bytes, page: ParsedPage) -> BlockLinks:
    """Return the links of each block; a link to a place in the same page, or to a script, is left out."""
    starts = page.blocks[: page.state[BLOCKS], B_START].tolist()
    found: BlockLinks = {}
    for row in page.links[: page.state[LINK_ROWS]].tolist():
        address = _address(page_bytes[row[L_HREF_START] : row[L_HREF_END]])
        place = bisect_right(starts, row[L_START]) - 1
        if address is None or place < 0:
            continue
        start, end = (int(page.blocks[place, column]) for column in (B_START, B_END))
        first, last = max(row[L_START], start), min(row[L_END], end)
        if first < last:
            found.setdefault(place, []).append((first - start, last - start, address))
    return found


def with_addresses(text: bytes, links: list[tuple[int, int, str]]) -> list[tuple[bytes, str]]:
    """Return the pieces of a text, each with the address that it links to; "" for text without a link.

    White space at both ends of a link is not part of it.
    """
    pieces: list[tuple[bytes, str]] = []
    at = 0
    for start, end, address in links:
        link = text[start:end]
        start += len(link) - len(link.lstrip())
        end -= len(link) - len(link.rstrip())
        if start >= end or start < at:
            continue
        pieces += [(text[at:start], ""), (text[start:end], address)]
        at = end
    return [*pieces, (text[at:], "")]


def add_addresses(page: ParsedPage, chosen: list[int], links: BlockLinks) -> ParsedPage:
    """Return a page whose chosen blocks have the address of each link after its text, in parentheses."""
    blocks = page.blocks[: page.state[BLOCKS]].copy()
    written = bytearray()
    for block in chosen:
        text = page.out[blocks[block, B_START] : blocks[block, B_END]].tobytes()
        blocks[block, B_START] = len(written)
        for piece, address in with_addresses(text, links.get(block, [])):
            written += piece + (f" ({address})".encode() if address else b"")
        blocks[block, B_END] = len(written)
    return page._replace(out=np.frombuffer(written or bytearray(1), np.uint8), blocks=blocks)


def _address(raw: bytes) -> str | None:
    address = "".join(html.unescape(raw.decode("utf-8", "replace")).split())
    is_page = (
        address and not address.startswith("#") and not address.lower().startswith(("javascript:", "data:"))
    )
    return address if is_page else None
