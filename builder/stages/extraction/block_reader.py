"""Read pages into blocks and their features, with working memory that serves one page after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from builder.kernels.html.features import describe
from builder.kernels.html.layout import B_END, B_START, BLOCKS, MAX_NODES, NODES, ParsedPage, allocate
from builder.kernels.html.parse import parse_page
from builder.kernels.html.surroundings import BlockSurroundings, allocate_surroundings

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(slots=True)
class BlockReader:
    """Reads one page after the other. What it returns is overwritten by the next page.

    The memory grows to twice what the largest page so far needs: the bytes of its text, and rows for its
    block elements and blocks, at most ``MAX_NODES`` of each.
    """

    _n_bytes: int = 0
    _n_tags: int = 0
    _n_rows: int = 0
    _page: ParsedPage | None = None
    _around: BlockSurroundings | None = None

    def parse(self, html: bytes) -> tuple[NDArray[np.uint8], ParsedPage]:
        """Read a page into text, blocks and elements; also return its bytes as an array."""
        data = np.frombuffer(html or b" ", np.uint8)
        n_tags = html.count(b"<")
        if self._page is None or len(html) > self._n_bytes or n_tags > self._n_tags:
            self._n_bytes = max(2 * len(html), self._n_bytes, 1 << 16)
            self._n_tags = max(2 * n_tags, self._n_tags, 1 << 10)
            self._page = allocate(self._n_bytes, self._n_tags)
        parse_page(data, 0, len(html), self._page)
        return data, self._page

    def describe(self, html: bytes) -> tuple[ParsedPage, BlockSurroundings]:
        """Read a page, and describe its blocks by features."""
        data, page = self.parse(html)
        n_rows = int(max(page.state[BLOCKS], page.state[NODES]))
        if self._around is None or n_rows > self._n_rows:
            self._n_rows = min(max(2 * n_rows, 1 << 10), MAX_NODES)
            self._around = allocate_surroundings(self._n_rows, self._n_rows)
        describe(data, page, self._around)
        return page, self._around


def block_texts(page: ParsedPage) -> list[str]:
    """Return the text of each block of a page that was read."""
    text = page.out[: int(page.blocks[page.state[BLOCKS] - 1, B_END]) if page.state[BLOCKS] else 0].tobytes()
    blocks = page.blocks[: page.state[BLOCKS]]
    return [
        text[start:end].decode("utf-8", "replace")
        for start, end in zip(blocks[:, B_START].tolist(), blocks[:, B_END].tolist(), strict=True)
    ]
