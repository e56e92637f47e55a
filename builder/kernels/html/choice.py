"""Choose the blocks of the main text, tell comments from it, and write the text."""

from __future__ import annotations

from typing import Any

import numpy as np

from builder.kernels.html.layout import (
    B_END,
    B_NODE,
    B_START,
    BLOCKS,
    N_FLAGS,
    N_PARENT,
    N_TAG,
    NODES,
    PRE,
)
from builder.kernels.html.statistics import S_LINKED, S_WORDS
from builder.kernels.html.surroundings import FAR
from builder.kernels.html.trees import best_cut, score
from builder.kernels.html.vocabulary import COMMENT_GROUP, TAGS
from builder.kernels.jit import kernel

LEFT_OUT, MAIN_TEXT, COMMENT = range(3)
"""Classes of a block."""

ITEM, TABLE_ROW, TABLE_CELL, N_LINES = range(4)

_MAX_LEVELS = 12
_MIN_WORDS, _MAX_LINKED = 3, 100
_LI, _DT, _DD, _TD, _TH, _TR, _TABLE, _H1 = (
    TAGS[name] for name in ["li", "dt", "dd", "td", "th", "tr", "table", "h1"]
)


@kernel
def choose_blocks(
    page: Any, around: Any, trees: Any, limits: Any, scores: Any, open_rows: Any, buckets: Any, classes: Any
) -> None:
    """Fill in the class of each block.

    Args:
        page: a page that was parsed.
        around: the features of its blocks.
        trees: the model.
        limits: int64[2]; the cut is not below the first and not above the second, in 1/1000.
        scores: int32[n_blocks], overwritten: the probability of each block, in 1/1000.
        open_rows: int32[n_blocks], working memory.
        buckets: int64[CERTAIN + 1], working memory.
        classes: uint8[n_blocks], overwritten.
    """
    n_blocks = page.state[BLOCKS]
    score(around.features, n_blocks, trees, scores, open_rows)
    words = around.counts[:, S_WORDS]
    cut = best_cut(scores, words, n_blocks, limits[0], limits[1], buckets)
    for i in range(n_blocks):
        classes[i] = MAIN_TEXT if scores[i] >= cut else LEFT_OUT
    _find_comments(page, around, classes)


@kernel
def _find_comments(page: Any, around: Any, classes: Any) -> None:
    """Tell the comments under an article from the article.

    A block is within a thread if an element above it is named so. If a third of the main text or more is
    within threads, the page is a forum, and its posts are the main text.
    """
    n_blocks = page.state[BLOCKS]
    _forget_page_containers(page, around, classes)
    inside = np.int64(0)
    outside = np.int64(0)
    for i in range(n_blocks):
        if classes[i] == MAIN_TEXT:
            if around.near[page.blocks[i, B_NODE], COMMENT_GROUP] < FAR:
                inside += around.counts[i, S_WORDS]
            else:
                outside += around.counts[i, S_WORDS]
    if 2 * inside >= outside:
        return
    for i in range(n_blocks):
        if around.near[page.blocks[i, B_NODE], COMMENT_GROUP] < FAR:
            counts = around.counts[i]
            is_text = counts[S_WORDS] >= _MIN_WORDS and counts[S_LINKED] < _MAX_LINKED
            classes[i] = COMMENT if is_text or classes[i] == MAIN_TEXT else LEFT_OUT


@kernel
def _forget_page_containers(page: Any, around: Any, classes: Any) -> None:
    """Do not take the elements around the first block of the main text, or around the first h1, for threads.

    Many pages say on ``body`` or ``article`` whether comments are open. ``near`` is changed in place, after
    the features were made of it.
    """
    nodes = page.nodes
    has_text: Any = False
    has_title: Any = False
    for i in range(page.state[BLOCKS]):
        node = page.blocks[i, B_NODE]
        is_title = not has_title and nodes[node, N_TAG] == _H1
        is_text = not has_text and classes[i] == MAIN_TEXT
        has_title = has_title or is_title
        has_text = has_text or is_text
        while (is_title or is_text) and node > 0:
            around.near[node, COMMENT_GROUP] = FAR
            node = nodes[node, N_PARENT]
    for node in range(1, page.state[NODES]):
        near = around.near[node]
        if (page.bits[node] >> COMMENT_GROUP) & 1 == 0:
            above = around.near[nodes[node, N_PARENT], COMMENT_GROUP]
            near[COMMENT_GROUP] = min(above + 1, FAR)


@kernel
def find_line_parents(page: Any, lines: Any) -> None:
    """Fill in the list item, table row and table cell that each block is in; 0 without one.

    Args:
        page: a page that was parsed.
        lines: int32[n_blocks, N_LINES], overwritten with nodes.
    """
    nodes = page.nodes
    for i in range(page.state[BLOCKS]):
        row = lines[i]
        row[ITEM] = 0
        row[TABLE_ROW] = 0
        row[TABLE_CELL] = 0
        node = page.blocks[i, B_NODE]
        for _ in range(_MAX_LEVELS):
            tag = nodes[node, N_TAG]
            if node == 0 or tag == _TABLE:
                break
            if tag in (_LI, _DT, _DD):
                row[ITEM] = node
                break
            if tag == _TR:
                row[TABLE_ROW] = node
                break
            if (tag in (_TD, _TH)) and row[TABLE_CELL] == 0:
                row[TABLE_CELL] = node
            node = nodes[node, N_PARENT]


@kernel
def write_plain(page: Any, classes: Any, wanted: Any, lines: Any, bullets: Any, written: Any) -> Any:
    """Write the blocks of one class as plain text, and return the number of bytes.

    Paragraphs are apart by a blank line. Items of lists, rows of tables and lines of code are lines, the
    cells of a row are apart by a tab.

    Args:
        page: a page that was parsed.
        classes: uint8[n_blocks].
        wanted: the class that is written.
        lines: int32[n_blocks, N_LINES], from ``find_line_parents``.
        bullets: whether the items of lists begin with a dash.
        written: uint8[n], overwritten; five bytes more for each block than the text has.
    """
    o = 0
    before = -1
    for i in range(page.state[BLOCKS]):
        if classes[i] != wanted:
            continue
        if before >= 0:
            o = _separate(page, lines, before, i, written, o)
        item = lines[i, ITEM]
        is_new = before < 0 or lines[before, ITEM] != item
        if bullets and item > 0 and is_new and page.nodes[item, N_TAG] == _LI:
            written[o] = 0x2D
            written[o + 1] = 0x20
            o += 2
        for at in range(page.blocks[i, B_START], page.blocks[i, B_END]):
            written[o] = page.out[at]
            o += 1
        before = i
    return o


@kernel
def _separate(page: Any, lines: Any, before: Any, i: Any, written: Any, o: Any) -> Any:
    last = lines[before]
    now = lines[i]
    if now[TABLE_ROW] > 0 and now[TABLE_ROW] == last[TABLE_ROW]:
        written[o] = 0x09 if now[TABLE_CELL] != last[TABLE_CELL] else 0x20
        return o + 1
    written[o] = 0x0A
    is_line = (now[ITEM] > 0 and last[ITEM] > 0) or (now[TABLE_ROW] > 0 and last[TABLE_ROW] > 0)
    if is_line or _is_code(page, before, i):
        return o + 1
    written[o + 1] = 0x0A
    return o + 2


@kernel
def _is_code(page: Any, before: Any, i: Any) -> Any:
    """Return whether two blocks are within the same ``<pre>``."""
    nodes = page.nodes
    last = page.blocks[before, B_NODE]
    now = page.blocks[i, B_NODE]
    if not nodes[last, N_FLAGS] & nodes[now, N_FLAGS] & PRE:
        return False
    return nodes[last, N_PARENT] == nodes[now, N_PARENT] or last == nodes[now, N_PARENT] or last == now
