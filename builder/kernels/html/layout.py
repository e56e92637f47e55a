"""The arrays that one pass over a page fills, and the scalars that it keeps."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

MAX_NODES = 1 << 18
"""A page with more block elements or blocks keeps its text; further elements get no node of their own."""

MAX_NODE_DEPTH = 250
"""Elements that are nested deeper belong to the node above them."""

MAX_CLIMB = 100
"""An end tag, or a tag that implies one, looks for its element at most this many levels up."""

MAX_FACT_MARKS = 1024
MAX_LINKS = 1 << 18

# Scalars of the pass, each a place in ``ParsedPage.state``.
(
    OUT,  # bytes of text written
    START,  # where the open block begins in the text
    SPACE,  # 1 if white space that follows is not written
    LINE_BREAK,  # where the text was after the last <br>
    LINK,  # where the open link begins in the text, -1 outside a link
    BOLD,  # where the open bold text begins, -1 outside
    BOLDS,  # open <b> and <strong>
    LINKED,  # bytes of the open block in links
    LINKS,  # links that began in the open block
    BOLDED,  # bytes of the open block in bold text
    IMAGES,  # images since the last block
    BITS,  # word groups of links and spans in the open block
    NODE,  # the open block element
    NODES,
    BLOCKS,
    OPEN_BEYOND,  # open elements beyond MAX_NODE_DEPTH or MAX_NODES
    MUTE,  # the name of the element whose text is not read, 0 outside
    MUTE_KIND,
    MUTE_COUNT,  # open elements of that name
    MUTE_BLOCKS,  # open blocks within it
    MUTE_OUT,  # OUT where it began
    MUTE_SPACE,  # SPACE where it began
    XHTML,  # 1 after signs of XHTML, 2 after an XML declaration
    MATH,  # open <math>
    TITLE_START,
    TITLE_END,
    HREF_START,
    HREF_END,
    LINK_ROWS,
    MARKS,
    STEPS,  # bytes and nodes looked at
    TAG_BITS,  # of the tag that was read last: word groups,
    TAG_SHAPE,  # a hash of its name and classes,
    TAG_FLAGS,
    N_SCALARS,
) = range(35)

# Flags of a tag and of a node.
HIDDEN_TAG, INVISIBLE, ARIA_HIDDEN, HAS_HREF, SHADOW_ROOT, LINKED_DATA, IS_FACT, SELF_CLOSED, PRE = (
    1 << i for i in range(9)
)
"""``HIDDEN_TAG``: the attribute; its text is not read. ``INVISIBLE``: by its style; only a feature."""

# Columns of ``ParsedPage.blocks``.
B_NODE, B_START, B_END, B_LINKED, B_LINKS, B_BOLD, B_IMAGES, N_BLOCK = range(8)

# Columns of ``ParsedPage.nodes``.
N_TAG, N_PARENT, N_DEPTH, N_FLAGS, N_NODE = range(5)

# Columns of ``ParsedPage.links`` and ``ParsedPage.marks``.
L_START, L_END, L_HREF_START, L_HREF_END = range(4)
M_TAG, M_START, M_END, M_OUT = range(4)


class ParsedPage(NamedTuple):
    """Working memory for one page; ``allocate`` makes it, and it serves any number of pages in turn.

    Attributes:
        state: int64[N_SCALARS], the scalars.
        out: uint8[n_out], the text; blocks are apart by a newline.
        nodes: int32[n_nodes, N_NODE], block elements in the order of their start tags; node 0 is the page.
        bits: int64[n_nodes], word groups of each node.
        shapes: uint64[n_nodes], a hash of each node's name and classes.
        names: uint64[n_nodes], the hash of each node's name.
        blocks: int32[n_blocks, N_BLOCK], runs of text within one node.
        block_bits: int64[n_blocks], word groups of links and spans in each block.
        links: int32[n_links, 4], parts of links within a block: place in the text, place of the URL.
        marks: int32[MAX_FACT_MARKS, 4], tags that can hold a fact of the page: tag, place, place in the text.
        written: uint8[8], the text of one character reference.
    """

    state: Any
    out: Any
    nodes: Any
    bits: Any
    shapes: Any
    names: Any
    blocks: Any
    block_bits: Any
    links: Any
    marks: Any
    written: Any


def allocate(n_bytes: int, n_tags: int) -> ParsedPage:
    """Return memory for pages of at most so many bytes and ``<`` characters."""
    n_nodes = min(n_tags + 2, MAX_NODES)
    n_links = min(n_tags + 2, MAX_LINKS)
    return ParsedPage(
        state=np.zeros(N_SCALARS, np.int64),
        out=np.empty(n_bytes + n_bytes // 5 + 64, np.uint8),
        nodes=np.empty((n_nodes, N_NODE), np.int32),
        bits=np.empty(n_nodes, np.int64),
        shapes=np.empty(n_nodes, np.uint64),
        names=np.empty(n_nodes, np.uint64),
        blocks=np.empty((n_nodes, N_BLOCK), np.int32),
        block_bits=np.empty(n_nodes, np.int64),
        links=np.empty((n_links, 4), np.int32),
        marks=np.empty((MAX_FACT_MARKS, 4), np.int32),
        written=np.empty(8, np.uint8),
    )
