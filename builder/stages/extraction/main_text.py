"""Extract the main text of pages with the kernels and the model of this package."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from builder.kernels.html.choice import (
    COMMENT,
    LEFT_OUT,
    MAIN_TEXT,
    N_LINES,
    choose_blocks,
    find_line_parents,
    write_plain,
)
from builder.kernels.html.layout import BLOCKS
from builder.kernels.html.trees import CERTAIN
from builder.stages.extraction.block_reader import BlockReader
from builder.stages.extraction.links import add_addresses, links_of
from builder.stages.extraction.markdown import write_markdown
from builder.stages.extraction.model import main_text_model
from builder.stages.extraction.selection import leave_out_tables, leave_out_title

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from builder.kernels.html.layout import ParsedPage

LIMITS: Mapping[str, tuple[int, int]] = {
    "balance": (200, 500),
    "precision": (500, 650),
    "recall": (80, 200),
}
"""The least and the greatest probability from which on a block is main text, in 1/1000."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MainText:
    """The texts of one page.

    Attributes:
        text: the main text; the whole text if no block is main text.
        comments: the comments under an article, None without any, or if they are not asked for apart.
        is_whole: whether ``text`` is the whole text.
    """

    text: str
    comments: str | None
    is_whole: bool


@dataclass(slots=True, kw_only=True)
class Extractor:
    """Extracts the main text of one page after the other, with the same options.

    Attributes:
        favor: a key of ``LIMITS``.
        comments: ``drop`` the comments under an article, ``keep`` them in the text, or return them apart
            (``column``).
        tables: whether cells of tables are text.
        links: whether the address of a link is written after its text.
        markdown: whether headings, lists, quotes, code and tables are written as Markdown.
        bullets: whether the items of lists begin with a dash.
        title: whether a heading that repeats the title of the page stays.
    """

    favor: str = "balance"
    comments: str = "drop"
    tables: bool = True
    links: bool = False
    markdown: bool = False
    bullets: bool = True
    title: bool = True
    _reader: BlockReader = field(default_factory=BlockReader, init=False)
    _rows: _Rows | None = field(default=None, init=False)

    def read(self, html: bytes) -> tuple[MainText, ParsedPage]:
        """Extract the main text of a page; also return what was parsed, until the next page.

        Args:
            html: the page as UTF-8.
        """
        page, around = self._reader.describe(html)
        n_blocks = int(page.state[BLOCKS])
        if n_blocks == 0:
            return MainText(text="", comments=None, is_whole=True), page
        rows = self._rows_for(n_blocks, len(page.out))
        limits = np.array(LIMITS[self.favor], np.int64)
        choose_blocks(
            page, around, main_text_model(), limits, rows.scores, rows.open_rows, rows.buckets, rows.classes
        )
        classes = rows.classes[:n_blocks]
        is_whole = not (classes == MAIN_TEXT).any()
        if is_whole:
            classes[:] = MAIN_TEXT
        elif self.comments == "keep":
            classes[classes == COMMENT] = MAIN_TEXT
        find_line_parents(page, rows.lines)
        self._leave_out(html, page, classes, rows.lines)
        written = self._write(html, page, rows, MAIN_TEXT)
        comments = self._write(html, page, rows, COMMENT) if self.comments == "column" else None
        return MainText(text=written, comments=comments or None, is_whole=is_whole), page

    def _leave_out(
        self, html: bytes, page: ParsedPage, classes: NDArray[np.uint8], lines: NDArray[np.int32]
    ) -> None:
        if not self.tables:
            leave_out_tables(classes, lines)
        if not self.title:
            leave_out_title(html, page, classes)

    def _write(self, html: bytes, page: ParsedPage, rows: _Rows, wanted: int) -> str:
        links = links_of(html, page) if self.links else {}
        if self.markdown:
            return write_markdown(page, self._chosen(page, rows, wanted), links)
        room = rows.written
        if links:
            page = add_addresses(page, self._chosen(page, rows, wanted), links)
            room = np.empty(len(page.out) + 5 * len(page.blocks), np.uint8)
        length = write_plain(page, rows.classes, wanted, rows.lines, self.bullets, room)
        text: bytes = room[:length].tobytes()
        return text.decode("utf-8", "replace")

    def _chosen(self, page: ParsedPage, rows: _Rows, wanted: int) -> list[int]:
        chosen: list[int] = (rows.classes[: page.state[BLOCKS]] == wanted).nonzero()[0].tolist()
        return chosen

    def _rows_for(self, n_blocks: int, n_bytes: int) -> _Rows:
        """Return working memory for so many blocks, and for a text of so many bytes."""
        rows = self._rows
        if rows is None or len(rows.classes) < n_blocks or len(rows.written) < n_bytes + 5 * n_blocks:
            n_blocks = max(2 * n_blocks, 1 << 10)
            rows = self._rows = _Rows(
                scores=np.empty(n_blocks, np.int32),
                open_rows=np.empty(n_blocks, np.int32),
                buckets=np.empty(CERTAIN + 1, np.int64),
                classes=np.full(n_blocks, LEFT_OUT, np.uint8),
                lines=np.empty((n_blocks, N_LINES), np.int32),
                written=np.empty(n_bytes + 5 * n_blocks, np.uint8),
            )
        return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    scores: Any
    open_rows: Any
    buckets: Any
    classes: Any
    lines: Any
    written: Any
