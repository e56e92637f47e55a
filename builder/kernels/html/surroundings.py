"""What is around each block: distances to words and elements above it, and sums over each element."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from builder.kernels.html.feature_names import N_DISTANCES, N_FEATURES, STRUCTURES
from builder.kernels.html.layout import (
    ARIA_HIDDEN,
    B_NODE,
    BLOCKS,
    INVISIBLE,
    N_DEPTH,
    N_FLAGS,
    N_PARENT,
    N_TAG,
    NODES,
)
from builder.kernels.html.numbers import WHOLE_SHARE
from builder.kernels.html.statistics import MAX_TITLE_WORDS, N_STATISTICS, S_CHARS, S_LINKED
from builder.kernels.html.vocabulary import N_GROUPS, N_TAGS, PRIME, TAGS
from builder.kernels.jit import kernel

N_WORDS = (N_DISTANCES + 7) // 8
FAR = 31
"""The distance of what is not there, or 31 levels above."""

GOOD_CHARS, GOOD_LINKED = 60, 70
"""A block with so many characters, and less of them in links (1/200), is good text outside nav and footer."""

MAX_PROBES = 64
_ONES = np.uint64(0x0101010101010101)

_SAME = {"dialog": "aside", "label": "button", "th": "td", "menu": "ul", "dt": "li", "dd": "li"}
_STRUCTURE = np.full(N_TAGS, -1, np.int64)
for _name in (*STRUCTURES, *_SAME):
    if _name in TAGS:
        _STRUCTURE[TAGS[_name]] = N_GROUPS + STRUCTURES.index(_SAME.get(_name, _name))
_NAV, _FOOTER, _INVISIBLE, _ARIA_HIDDEN = (
    N_GROUPS + STRUCTURES.index(name) for name in ("nav", "footer", "invisible", "ariahidden")
)

(U_CHARS, U_LINKED, U_GOOD, U_BLOCKS, U_FIRST, N_SUMS) = range(6)
G_SHAPE, G_PATH, G_TAGS, G_TEXT, N_KEYS = range(5)
K_BLOCKS, K_CHARS, K_LINKED, N_GROUP_SUMS = range(4)


class BlockSurroundings(NamedTuple):
    """Working memory for the features of a page's blocks.

    Attributes:
        title: uint64[48], hashes of the title's words.
        counts: int64[n_blocks, N_STATISTICS].
        hashes: uint64[n_blocks], of each block's words.
        distances: uint64[n_nodes, N_WORDS]; byte ``i`` of a row is the distance to group or structure ``i``.
        near: uint8[n_nodes, N_WORDS * 8], the same bytes.
        sums: int64[n_nodes, N_SUMS], over all blocks within each node.
        paths: uint64[n_nodes, 2], hashes of shapes and of tags above each node.
        cores: int32[n_nodes, 4], levels below the cores of the good text, negative outside of them.
        keys: uint64[n_blocks].
        slots: int32[n_slots].
        members: int32[n_blocks, N_KEYS], the group of each block for each kind of key.
        group_sums: int64[n_blocks, N_KEYS, N_GROUP_SUMS].
        running: int64[n_blocks + 1, 2], characters and characters in links before each block.
        good: int32[n_blocks, 2], blocks since the last good one, and to the next.
        features: uint8[n_blocks, N_FEATURES].
    """

    title: Any
    counts: Any
    hashes: Any
    distances: Any
    near: Any
    sums: Any
    paths: Any
    cores: Any
    keys: Any
    slots: Any
    members: Any
    group_sums: Any
    running: Any
    good: Any
    features: Any


def allocate_surroundings(n_blocks: int, n_nodes: int) -> BlockSurroundings:
    """Return memory for pages of at most so many blocks and block elements."""
    slots = 64
    while slots < 4 * n_blocks:
        slots *= 2
    distances = np.empty((n_nodes, N_WORDS), np.uint64)
    return BlockSurroundings(
        title=np.empty(MAX_TITLE_WORDS, np.uint64),
        counts=np.empty((n_blocks, N_STATISTICS), np.int64),
        hashes=np.empty(n_blocks, np.uint64),
        distances=distances,
        near=distances.view(np.uint8),
        sums=np.empty((n_nodes, N_SUMS), np.int64),
        paths=np.empty((n_nodes, 2), np.uint64),
        cores=np.empty((n_nodes, 4), np.int32),
        keys=np.empty(n_blocks, np.uint64),
        slots=np.empty(slots, np.int32),
        members=np.empty((n_blocks, N_KEYS), np.int32),
        group_sums=np.empty((n_blocks, N_KEYS, N_GROUP_SUMS), np.int64),
        running=np.empty((n_blocks + 1, 2), np.int64),
        good=np.empty((n_blocks, 2), np.int32),
        features=np.empty((n_blocks, N_FEATURES), np.uint8),
    )


@kernel
def measure_distances(page: Any, around: Any) -> None:
    """Fill in how many levels above each node the nearest element of each group and structure is."""
    for node in range(page.state[NODES]):
        row = around.distances[node]
        near = around.near[node]
        if node == 0:
            near[:] = FAR
            continue
        above = around.distances[page.nodes[node, N_PARENT]]
        for i in range(N_WORDS):
            grown = above[i] + _ONES
            row[i] = grown - ((grown >> np.uint64(5)) & _ONES)
        bits = page.bits[node]
        group = 0
        while bits:
            if bits & 1:
                near[group] = 0
            bits >>= 1
            group += 1
        structure = _STRUCTURE[page.nodes[node, N_TAG]]
        if structure >= 0:
            near[structure] = 0
        if page.nodes[node, N_FLAGS] & INVISIBLE:
            near[_INVISIBLE] = 0
        if page.nodes[node, N_FLAGS] & ARIA_HIDDEN:
            near[_ARIA_HIDDEN] = 0


@kernel
def is_good(around: Any, block: Any, node: Any) -> Any:
    """Return whether a block looks like running text."""
    near = around.near[node]
    counts = around.counts[block]
    return (
        counts[S_CHARS] >= GOOD_CHARS
        and counts[S_LINKED] < GOOD_LINKED
        and near[_NAV] == FAR
        and near[_FOOTER] == FAR
    )


@kernel
def measure_sums(page: Any, around: Any) -> None:
    """Fill in the sums over each node, the running sums, and the distances between good blocks."""
    n_blocks = page.state[BLOCKS]
    n_nodes = page.state[NODES]
    sums = around.sums
    sums[:n_nodes] = 0
    sums[:n_nodes, U_FIRST] = n_blocks
    around.running[0] = 0
    since: Any = np.int64(255)
    for i in range(n_blocks):
        node = page.blocks[i, B_NODE]
        chars = around.counts[i, S_CHARS]
        linked = chars * around.counts[i, S_LINKED] // WHOLE_SHARE
        row = sums[node]
        row[U_CHARS] += chars
        row[U_LINKED] += linked
        row[U_BLOCKS] += 1
        row[U_FIRST] = min(row[U_FIRST], i)
        around.running[i + 1, 0] = around.running[i, 0] + chars
        around.running[i + 1, 1] = around.running[i, 1] + linked
        since = min(since + 1, np.int64(255))
        around.good[i, 0] = since
        if is_good(around, i, node):
            row[U_GOOD] += chars
            since = np.int64(0)
    until: Any = np.int64(255)
    for i in range(n_blocks - 1, -1, -1):
        until = min(until + 1, np.int64(255))
        around.good[i, 1] = until
        if is_good(around, i, page.blocks[i, B_NODE]):
            until = np.int64(0)
    for node in range(n_nodes - 1, 0, -1):
        above = sums[page.nodes[node, N_PARENT]]
        row = sums[node]
        for i in range(U_FIRST):
            above[i] += row[i]
        above[U_FIRST] = min(above[U_FIRST], row[U_FIRST])


@kernel
def find_cores(page: Any, around: Any) -> None:
    """Fill in how far each node is from four cores: elements with 90, 70, 50 and 35 % of the good text.

    A core is the deepest such element, the last of several. A node within it gets the number of levels below
    it. Any other node gets, as a negative number, the levels from the core up to the element that holds both.
    """
    n_nodes = page.state[NODES]
    nodes = page.nodes
    total = around.sums[0, U_GOOD]
    for i in range(4):
        percent = 90 if i == 0 else 70 if i == 1 else 50 if i == 2 else 35
        core = 0
        for node in range(n_nodes):
            enough = around.sums[node, U_GOOD] * 100 >= total * percent
            if total > 0 and enough and nodes[node, N_DEPTH] >= nodes[core, N_DEPTH]:
                core = node
        for node in range(n_nodes):
            around.cores[node, i] = -1 if node else -2
        node = core
        while node > 0:  # mark the way from the core to the page
            around.cores[node, i] = -2
            node = nodes[node, N_PARENT]
        for node in range(n_nodes):
            depth = nodes[node, N_DEPTH]
            if node == core:
                around.cores[node, i] = 0
            elif around.cores[node, i] == -2:
                around.cores[node, i] = depth - nodes[core, N_DEPTH]
            else:
                above = around.cores[nodes[node, N_PARENT], i]
                around.cores[node, i] = above + 1 if above >= 0 else above


@kernel
def measure_groups(page: Any, around: Any) -> None:
    """Group blocks of one shape, of one shape with two levels above, of the same tags, and of equal words."""
    for node in range(page.state[NODES]):
        parent = page.nodes[node, N_PARENT]
        value = page.shapes[node]
        value = (value * np.uint64(PRIME)) ^ page.shapes[parent]
        value = (value * np.uint64(PRIME)) ^ page.shapes[page.nodes[parent, N_PARENT]]
        around.paths[node, 0] = value
        tag = np.uint64(page.nodes[node, N_TAG] + 1)
        above = around.paths[parent, 1] if node else np.uint64(0)
        around.paths[node, 1] = (above ^ tag) * np.uint64(PRIME)
    for kind in range(N_KEYS):
        for i in range(page.state[BLOCKS]):
            node = page.blocks[i, B_NODE]
            if kind == G_SHAPE:
                around.keys[i] = page.shapes[node]
            elif kind == G_TEXT:
                around.keys[i] = around.hashes[i]
            else:
                around.keys[i] = around.paths[node, kind - G_PATH]
        _group(page, around, kind)


@kernel
def _group(page: Any, around: Any, kind: Any) -> None:
    """Sum over blocks with the same key; a block that finds no slot within 64 is a group of its own."""
    n_blocks = page.state[BLOCKS]
    size = np.int64(64)
    while size < 4 * n_blocks:
        size *= 2
    around.slots[:size] = -1
    for i in range(n_blocks):
        mixed = around.keys[i] * np.uint64(0x9E3779B97F4A7C15)
        slot = np.int64(mixed >> np.uint64(32)) & (size - 1)
        probes = 0
        while (
            around.slots[slot] >= 0
            and around.keys[around.slots[slot]] != around.keys[i]
            and probes < MAX_PROBES
        ):
            slot = (slot + 1) & (size - 1)
            probes += 1
        if around.slots[slot] < 0:
            around.slots[slot] = i
        group = around.slots[slot] if probes < MAX_PROBES else i
        around.members[i, kind] = group
        sums = around.group_sums[group, kind]
        if group == i:
            sums[:] = 0
        chars = around.counts[i, S_CHARS]
        sums[K_BLOCKS] += 1
        sums[K_CHARS] += chars
        sums[K_LINKED] += chars * around.counts[i, S_LINKED] // WHOLE_SHARE
