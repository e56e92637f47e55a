"""Leave out blocks that options do not want: tables, and headings that repeat the title."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from builder.kernels.html.choice import LEFT_OUT, MAIN_TEXT, TABLE_CELL, TABLE_ROW
from builder.kernels.html.layout import B_END, B_NODE, B_START, N_TAG, TITLE_END, TITLE_START
from builder.kernels.html.vocabulary import HEADING, TAG_KINDS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from builder.kernels.html.layout import ParsedPage

_NOT_A_WORD = re.compile(r"[\W_]+")
_MIN_SHARE = 0.4
"""A heading is the title if it is at least this share of the ``<title>``, which also names the site."""


def leave_out_tables(classes: NDArray[np.uint8], lines: NDArray[np.int32]) -> None:
    """Leave out the cells of tables with more than one cell; a table of one cell is a frame around text."""
    cells = lines[: len(classes), TABLE_CELL]
    rows = lines[: len(classes), TABLE_ROW]
    several = {row for row in set(rows.tolist()) if row and len(set(cells[rows == row].tolist())) > 1}
    for place in range(len(classes)):
        if int(rows[place]) in several:
            classes[place] = LEFT_OUT


def leave_out_title(page_bytes: bytes, page: ParsedPage, classes: NDArray[np.uint8]) -> None:
    """Leave out the headings that repeat the title, also where quotes or dashes differ.

    The title with the name of a site before or after it counts as well. If nothing but the title is there, it
    stays.
    """
    start, end = int(page.state[TITLE_START]), int(page.state[TITLE_END])
    title = _folded(html.unescape(page_bytes[start:end].decode("utf-8", "replace")))
    if not title:
        return
    found = []
    for place in (classes == MAIN_TEXT).nonzero()[0].tolist():
        block = page.blocks[place]
        if not TAG_KINDS[page.nodes[block[B_NODE], N_TAG]] & HEADING:
            continue
        text = _folded(page.out[block[B_START] : block[B_END]].tobytes().decode("utf-8", "replace"))
        if text and _is_title(text, title):
            found.append(place)
    if len(found) < int((classes == MAIN_TEXT).sum()):
        classes[found] = LEFT_OUT


def _is_title(text: str, title: str) -> bool:
    padded = f" {title} "
    at_an_end = padded.startswith(f" {text} ") or padded.endswith(f" {text} ")
    return at_an_end and len(text) >= _MIN_SHARE * len(title)


def _folded(text: str) -> str:
    """Return the words of a text in lower case, one space between them."""
    return _NOT_A_WORD.sub(" ", text.casefold()).strip()
