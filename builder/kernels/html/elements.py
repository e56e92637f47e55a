"""Open and close the block elements of a page, with the ends that HTML implies."""

from __future__ import annotations

from typing import Any

import numpy as np

from builder.kernels.html.characters import trim, without_blank_lines
from builder.kernels.html.layout import (
    B_BOLD,
    B_END,
    B_IMAGES,
    B_LINKED,
    B_LINKS,
    B_NODE,
    B_START,
    BITS,
    BLOCKS,
    BOLD,
    BOLDED,
    BOLDS,
    HIDDEN_TAG,
    HREF_END,
    HREF_START,
    IMAGES,
    L_END,
    L_HREF_END,
    L_HREF_START,
    L_START,
    LINE_BREAK,
    LINK,
    LINK_ROWS,
    LINKED,
    LINKS,
    MAX_CLIMB,
    MAX_NODE_DEPTH,
    N_DEPTH,
    N_FLAGS,
    N_PARENT,
    N_TAG,
    NODE,
    NODES,
    OPEN_BEYOND,
    OUT,
    PRE,
    SPACE,
    START,
    STEPS,
    TAG_BITS,
    TAG_FLAGS,
    TAG_SHAPE,
)
from builder.kernels.html.vocabulary import (
    CELL_TAG,
    CLOSES_P,
    HEADING,
    SCOPE,
    SPECIAL,
    TAG_KINDS,
    TAGS,
    is_table_part,
)
from builder.kernels.jit import kernel

_P, _LI, _DT, _DD, _TR, _TABLE, _BUTTON, _PRE, _TEXT = (
    TAGS[name] for name in ["p", "li", "dt", "dd", "tr", "table", "button", "pre", "plaintext"]
)
_LISTING, _XMP, _CAPTION, _BODY, _HTML = (
    TAGS[name] for name in ["listing", "xmp", "caption", "body", "html"]
)
_TBODY, _TFOOT, _THEAD = (TAGS[name] for name in ["tbody", "tfoot", "thead"])


@kernel
def end_block(page: Any) -> None:
    """End the run of text of the open block; a run without text leaves nothing."""
    state = page.state
    trim(page, state[START])
    if page.nodes[state[NODE], N_FLAGS] & HIDDEN_TAG:
        state[OUT] = state[START]
    if state[OUT] > state[START]:
        end_link(page, False)
        if state[BOLD] >= 0:
            state[BOLDED] += max(state[OUT] - max(state[BOLD], state[START]), 0)
        _write_block(page)
        page.out[state[OUT]] = 0x0A
        state[OUT] += 1
        state[IMAGES] = 0
        state[BITS] = 0
    state[START] = state[OUT]
    state[SPACE] = 1
    state[LINE_BREAK] = -1
    state[LINKED] = 0
    state[LINKS] = 0
    state[BOLDED] = 0
    if state[LINK] >= 0:
        state[LINK] = state[OUT]
    if state[BOLD] >= 0:
        state[BOLD] = state[OUT]


@kernel
def _write_block(page: Any) -> None:
    state = page.state
    row = state[BLOCKS]
    if row == len(page.blocks):
        page.blocks[row - 1, B_END] = state[OUT]
        return
    block = page.blocks[row]
    start = without_blank_lines(page.out, state[START], state[OUT])
    block[B_NODE] = state[NODE]
    block[B_START] = start
    block[B_END] = state[OUT]
    block[B_LINKED] = state[LINKED]
    block[B_LINKS] = state[LINKS]
    block[B_BOLD] = state[BOLDED]
    block[B_IMAGES] = state[IMAGES]
    page.block_bits[row] = state[BITS]
    state[BLOCKS] = row + 1


@kernel
def end_link(page: Any, is_closed: Any) -> None:
    """Count the text of the open link; the part in this block is a row of ``links``."""
    state = page.state
    if state[LINK] < 0:
        return
    begin = max(state[LINK], state[START])
    if state[OUT] > begin:
        state[LINKED] += state[OUT] - begin
        row = state[LINK_ROWS]
        if row < len(page.links):
            link = page.links[row]
            link[L_START] = begin
            link[L_END] = state[OUT]
            link[L_HREF_START] = state[HREF_START]
            link[L_HREF_END] = state[HREF_END]
            state[LINK_ROWS] = row + 1
    if is_closed:
        state[LINK] = -1


@kernel
def open_block(page: Any, tag: Any, name: Any) -> None:
    """Open a block element; ends that it implies come first."""
    end_block(page)
    _imply_ends(page, tag)
    state = page.state
    parent = state[NODE]
    depth = page.nodes[parent, N_DEPTH] + 1
    row = state[NODES]
    if depth > MAX_NODE_DEPTH or row == len(page.nodes):
        state[OPEN_BEYOND] += 1
        return
    node = page.nodes[row]
    flags = state[TAG_FLAGS] | (page.nodes[parent, N_FLAGS] & (HIDDEN_TAG | PRE))
    if tag in (_PRE, _TEXT, _LISTING, _XMP):
        flags |= PRE
    node[N_TAG] = tag
    node[N_PARENT] = parent
    node[N_DEPTH] = depth
    node[N_FLAGS] = flags
    page.bits[row] = state[TAG_BITS]
    page.shapes[row] = np.uint64(state[TAG_SHAPE])
    page.names[row] = name
    state[NODE] = row
    state[NODES] = row + 1


@kernel
def close_block(page: Any, tag: Any, name: Any) -> None:
    """Close the nearest open element of an end tag; one that closes nothing changes nothing."""
    state = page.state
    if tag in (_BODY, _HTML):
        end_block(page)
        return
    if state[OPEN_BEYOND] > 0:
        end_block(page)
        state[OPEN_BEYOND] -= 1
        return
    found = _find_open(page, tag, name)
    if found > 0:
        end_block(page)
        _close_to(page, found)
    elif tag == _P:
        end_block(page)


@kernel
def _find_open(page: Any, tag: Any, name: Any) -> Any:
    """Return the open element that an end tag closes, 0 without one within reach."""
    nodes = page.nodes
    in_table = is_table_part(tag)
    node = page.state[NODE]
    for _ in range(MAX_CLIMB):
        if node == 0:
            break
        page.state[STEPS] += 1
        own = nodes[node, N_TAG]
        if page.names[node] == name or TAG_KINDS[tag] & TAG_KINDS[own] & HEADING:
            return node
        if (
            own == _TABLE
            or (TAG_KINDS[own] & CELL_TAG and not in_table)
            or (own == _CAPTION and not in_table)
        ):
            break
        if tag == _P and own == _BUTTON:
            break
        node = nodes[node, N_PARENT]
    return np.int64(0)


@kernel
def _close_to(page: Any, node: Any) -> None:
    """Close an element and all that are open within it."""
    state = page.state
    state[NODE] = page.nodes[node, N_PARENT]
    state[BOLD] = -1
    state[BOLDS] = 0


@kernel
def _imply_ends(page: Any, tag: Any) -> None:
    """Close the elements that the start of another one ends (HTML standard, 13.2.6.4.7 to 13.2.6.4.15)."""
    state = page.state
    if state[OPEN_BEYOND] > 0:
        return
    kinds = TAG_KINDS[tag]
    if tag == _LI:
        _close_item(page, _LI, _LI)
    elif tag in (_DT, _DD):
        _close_item(page, _DT, _DD)
    elif is_table_part(tag):
        _close_table_part(page, tag)
    if kinds & CLOSES_P:
        _close_in_scope(page, _P)
    elif tag == _BUTTON:
        _close_in_scope(page, _BUTTON)
    if kinds & HEADING and TAG_KINDS[page.nodes[state[NODE], N_TAG]] & HEADING:
        _close_to(page, state[NODE])


@kernel
def _close_item(page: Any, tag: Any, other: Any) -> None:
    nodes = page.nodes
    node = page.state[NODE]
    for _ in range(MAX_CLIMB):
        page.state[STEPS] += 1
        own = nodes[node, N_TAG]
        if own in (tag, other):
            _close_to(page, node)
            return
        if node == 0 or TAG_KINDS[own] & SPECIAL:
            return
        node = nodes[node, N_PARENT]


@kernel
def _close_table_part(page: Any, tag: Any) -> None:
    """Close the cell, row or group that ends where another one begins in the same table."""
    nodes = page.nodes
    node = page.state[NODE]
    last = np.int64(0)
    for _ in range(MAX_CLIMB):
        page.state[STEPS] += 1
        own = nodes[node, N_TAG]
        if node == 0 or own == _TABLE or tag == _TABLE:
            break
        if TAG_KINDS[own] & CELL_TAG or own == _CAPTION:
            last = node
        elif own == _TR:
            if TAG_KINDS[tag] & CELL_TAG:
                break
            last = node
        elif own in (_TBODY, _THEAD, _TFOOT):
            if TAG_KINDS[tag] & CELL_TAG or tag == _TR:
                break
            last = node
        node = nodes[node, N_PARENT]
    if last > 0 and node > 0:
        _close_to(page, last)


@kernel
def _close_in_scope(page: Any, tag: Any) -> None:
    """Close the open element of a tag, unless a table, cell or button is between."""
    nodes = page.nodes
    node = page.state[NODE]
    for _ in range(MAX_CLIMB):
        page.state[STEPS] += 1
        own = nodes[node, N_TAG]
        if own == tag:
            _close_to(page, node)
            return
        if node == 0 or TAG_KINDS[own] & SCOPE:
            return
        node = nodes[node, N_PARENT]
