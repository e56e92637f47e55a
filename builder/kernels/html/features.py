"""Describe each block of a page by small numbers, from which a model decides what is main text."""

from __future__ import annotations

from typing import Any

import numpy as np

from builder.kernels.html.feature_names import N_ANCESTORS, N_DISTANCES
from builder.kernels.html.layout import (
    B_BOLD,
    B_END,
    B_IMAGES,
    B_LINKS,
    B_NODE,
    B_START,
    BLOCKS,
    N_DEPTH,
    N_PARENT,
    N_TAG,
)
from builder.kernels.html.numbers import CENTRE, WHOLE_SHARE, capped, log_code, share, signed
from builder.kernels.html.statistics import (
    S_ATS,
    S_CAPITAL_WORDS,
    S_CAPITALS,
    S_CHARS,
    S_COMMAS,
    S_COPYRIGHTS,
    S_DIGITS,
    S_FIRST,
    S_HIGH,
    S_IDEOGRAPHS,
    S_LAST,
    S_LINKED,
    S_OTHERS,
    S_SEPARATORS,
    S_STOPS,
    S_TITLE_WORDS,
    S_WORDS,
    measure_blocks,
    title_words,
)
from builder.kernels.html.surroundings import (
    G_PATH,
    G_SHAPE,
    G_TEXT,
    K_BLOCKS,
    K_CHARS,
    K_LINKED,
    U_BLOCKS,
    U_CHARS,
    U_FIRST,
    U_GOOD,
    U_LINKED,
    find_cores,
    is_good,
    measure_distances,
    measure_groups,
    measure_sums,
)
from builder.kernels.html.vocabulary import HEADING, N_GROUPS, TAG_KINDS, TAGS
from builder.kernels.jit import kernel

_H1, _P = TAGS["h1"], TAGS["p"]
_NEAR = 6
"""A block is within a group or structure if that is fewer levels above it."""


@kernel
def describe(data: Any, page: Any, around: Any) -> None:
    """Fill in the features of each block of a page that was parsed.

    Args:
        data: uint8[n_bytes], the page.
        page: what ``parse_page`` found.
        around: memory for at least so many blocks and nodes; ``features`` is overwritten.
    """
    n_words = title_words(data, page, around.title)
    measure_blocks(page, around.title, n_words, around.counts, around.hashes)
    measure_distances(page, around)
    measure_sums(page, around)
    find_cores(page, around)
    measure_groups(page, around)
    _describe_rows(page, around, n_words)


@kernel
def _describe_rows(page: Any, around: Any, n_words: Any) -> None:
    n_blocks = page.state[BLOCKS]
    if n_blocks == 0:
        return
    title = -1
    paragraphs = 0
    first_good = -1
    last_good = -1
    for i in range(n_blocks):
        tag = page.nodes[page.blocks[i, B_NODE], N_TAG]
        if tag == _H1 and title < 0:
            title = i
        if tag == _P:
            paragraphs += around.counts[i, S_CHARS]
        if is_good(around, i, page.blocks[i, B_NODE]):
            last_good = i
            first_good = i if first_good < 0 else first_good
    first = around.features[0]
    heading = -1
    following = 0
    for i in range(n_blocks):
        row = around.features[i]
        at = _own(page, around, i, row)
        at = _place(page, around, i, row, at, n_words, title, paragraphs)
        at = _alike(page, around, i, row, at)
        at = _above(page, around, i, row, at)
        following = _next_text(page, max(following, i + 1))
        at = _flow(page, around, i, row, at, heading, following)
        at = _neighbours(page, around, i, row, at)
        at = _windows(page, around, i, row, at)
        at = _ends(page, around, i, row, at, first_good, last_good)
        if i == 0:
            _whole_page(page, around, row, at)
        else:
            for place in range(at, len(row)):
                row[place] = first[place]
        if TAG_KINDS[page.nodes[page.blocks[i, B_NODE], N_TAG]] & HEADING:
            heading = i


@kernel
def _own(page: Any, around: Any, i: Any, row: Any) -> Any:
    counts = around.counts[i]
    block = page.blocks[i]
    chars = counts[S_CHARS]
    words = max(counts[S_WORDS], 1)
    row[0] = log_code(chars)
    row[1] = log_code(counts[S_WORDS])
    row[2] = counts[S_LINKED]
    row[3] = capped(block[B_LINKS])
    row[4] = share(np.int64(block[B_BOLD]), np.int64(block[B_END] - block[B_START]))
    row[5] = capped(chars * 8 // words)
    row[6] = share(counts[S_CAPITALS], chars)
    row[7] = share(counts[S_DIGITS], chars)
    row[8] = capped(counts[S_COMMAS] * 64 // words)
    row[9] = log_code(counts[S_STOPS])
    row[10] = share(counts[S_OTHERS], chars)
    row[11] = share(counts[S_CAPITAL_WORDS], words)
    row[12] = counts[S_LAST]
    row[13] = counts[S_FIRST]
    row[14] = share(counts[S_HIGH], chars)
    row[15] = capped(counts[S_SEPARATORS])
    row[16] = capped(counts[S_COPYRIGHTS])
    row[17] = capped(counts[S_ATS])
    row[18] = capped(block[B_IMAGES])
    row[19] = share(counts[S_IDEOGRAPHS], chars)
    return 20


@kernel
def _place(
    page: Any, around: Any, i: Any, row: Any, at: Any, n_words: Any, title: Any, paragraphs: Any
) -> Any:
    nodes = page.nodes
    node = page.blocks[i, B_NODE]
    parent = nodes[node, N_PARENT]
    counts = around.counts[i]
    total = around.sums[0]
    n_blocks = page.state[BLOCKS]
    before = around.running[i, 0]
    row[at] = nodes[node, N_TAG]
    row[at + 1] = nodes[parent, N_TAG]
    row[at + 2] = nodes[nodes[parent, N_PARENT], N_TAG]
    row[at + 3] = nodes[node, N_DEPTH]
    row[at + 4] = share(np.int64(i), n_blocks)
    row[at + 5] = share(before, total[U_CHARS])
    row[at + 6] = log_code(n_blocks)
    row[at + 7] = log_code(total[U_CHARS])
    row[at + 8] = share(total[U_LINKED], total[U_CHARS])
    row[at + 9] = share(np.int64(paragraphs), total[U_CHARS])
    row[at + 10] = share(total[U_GOOD], total[U_CHARS])
    row[at + 11] = share(counts[S_TITLE_WORDS], counts[S_WORDS])
    row[at + 12] = share(counts[S_TITLE_WORDS], np.int64(n_words))
    row[at + 13] = 0
    row[at + 14] = 0
    if title >= 0:
        row[at + 13] = signed(np.int64(i - title))
        row[at + 14] = signed(before - around.running[title, 0])
    row[at + 15] = log_code(around.group_sums[around.members[i, G_TEXT], G_TEXT, K_BLOCKS])
    return at + 16


@kernel
def _alike(page: Any, around: Any, i: Any, row: Any, at: Any) -> Any:
    for kind in range(G_TEXT):
        sums = around.group_sums[around.members[i, kind], kind]
        row[at] = log_code(sums[K_BLOCKS])
        row[at + 1] = log_code(sums[K_CHARS])
        at += 2
        if kind in (G_SHAPE, G_PATH):
            row[at] = share(sums[K_LINKED], sums[K_CHARS])
            at += 1
    row[at] = around.good[i, 0]
    row[at + 1] = around.good[i, 1]
    at += 2
    for core in range(4):
        row[at] = CENTRE + max(min(around.cores[page.blocks[i, B_NODE], core], 100), -100)
        at += 1
    return at


@kernel
def _above(page: Any, around: Any, i: Any, row: Any, at: Any) -> Any:
    """Write sums of the block's element and four above it, and the distances to groups and structures."""
    node = page.blocks[i, B_NODE]
    total = around.sums[0, U_GOOD]
    above = node
    for _ in range(N_ANCESTORS):
        sums = around.sums[above]
        row[at] = share(sums[U_GOOD], total)
        row[at + 1] = share(sums[U_LINKED], sums[U_CHARS])
        row[at + 2] = log_code(sums[U_BLOCKS])
        row[at + 3] = log_code(sums[U_CHARS] // sums[U_BLOCKS])
        at += 4
        above = page.nodes[above, N_PARENT]
    near = around.near[node]
    bits = page.block_bits[i]
    for group in range(N_DISTANCES):
        row[at] = near[group] + 1
        if group < N_GROUPS and (bits >> group) & 1:
            row[at] = 0
        at += 1
    return at


@kernel
def _next_text(page: Any, following: Any) -> Any:
    """Return the next block that is not a heading."""
    n_blocks = page.state[BLOCKS]
    while following < n_blocks and TAG_KINDS[page.nodes[page.blocks[following, B_NODE], N_TAG]] & HEADING:
        following += 1
    return following


@kernel
def _flow(page: Any, around: Any, i: Any, row: Any, at: Any, heading: Any, following: Any) -> Any:
    row[at : at + 6] = 0
    if heading >= 0:
        row[at] = page.nodes[page.blocks[heading, B_NODE], N_TAG]
        row[at + 1] = capped(i - heading)
        row[at + 2] = log_code(around.counts[heading, S_CHARS])
        row[at + 3] = log_code(around.running[i, 0] - around.running[heading + 1, 0])
    if following < page.state[BLOCKS]:
        row[at + 4] = log_code(around.counts[following, S_CHARS])
        row[at + 5] = around.counts[following, S_LINKED] + 1
    return at + 6


@kernel
def _neighbours(page: Any, around: Any, i: Any, row: Any, at: Any) -> Any:
    n_blocks = page.state[BLOCKS]
    own = page.shapes[page.blocks[i, B_NODE]]
    for step in range(6):
        distance = step // 2 + 1
        other = i - distance if step % 2 == 0 else i + distance
        row[at : at + 4] = 0
        if 0 <= other < n_blocks:
            node = page.blocks[other, B_NODE]
            row[at] = log_code(around.counts[other, S_CHARS])
            row[at + 1] = around.counts[other, S_LINKED] + 1
            row[at + 2] = page.nodes[node, N_TAG]
            row[at + 3] = 2 if page.shapes[node] == own else 1
        at += 4
    return at


@kernel
def _windows(page: Any, around: Any, i: Any, row: Any, at: Any) -> Any:
    n_blocks = page.state[BLOCKS]
    for step in range(2):
        reach = 4 if step == 0 else 10
        begin = around.running[max(0, i - reach)]
        end = around.running[min(n_blocks, i + reach + 1)]
        chars = end[0] - begin[0]
        row[at] = log_code(chars)
        row[at + 1] = share(end[1] - begin[1], chars)
        at += 2
    return at


@kernel
def _ends(page: Any, around: Any, i: Any, row: Any, at: Any, first_good: Any, last_good: Any) -> Any:
    nodes = page.nodes
    node = page.blocks[i, B_NODE]
    parent = nodes[node, N_PARENT]
    sums = around.sums[parent]
    row[at] = signed(np.int64(i - first_good)) if first_good >= 0 else 0
    row[at + 1] = signed(np.int64(last_good - i)) if first_good >= 0 else 0
    row[at + 2] = log_code(sums[U_BLOCKS])
    row[at + 3] = share(i - sums[U_FIRST], sums[U_BLOCKS])
    row[at + 4] = 0
    if i > 0:
        before = page.blocks[i - 1, B_NODE]
        same = nodes[before, N_PARENT] == parent and nodes[before, N_TAG] == nodes[node, N_TAG]
        row[at + 4] = 1 if same else 0
    return at + 5


@kernel
def _whole_page(page: Any, around: Any, row: Any, at: Any) -> None:
    """Write the shares of the page's words within each group and structure, and how its text is cut up."""
    n_blocks = page.state[BLOCKS]
    words = np.int64(0)
    for i in range(n_blocks):
        words += around.counts[i, S_WORDS]
    for group in range(N_DISTANCES):
        inside = np.int64(0)
        for i in range(n_blocks):
            if around.near[page.blocks[i, B_NODE], group] < _NEAR:
                inside += around.counts[i, S_WORDS]
        row[at] = share(inside, words)
        at += 1
    short = np.int64(0)
    long = np.int64(0)
    n_long = np.int64(0)
    n_stops = np.int64(0)
    n_links = np.int64(0)
    digits = np.int64(0)
    for i in range(n_blocks):
        counts = around.counts[i]
        if counts[S_WORDS] < 5:
            short += counts[S_WORDS]
        elif counts[S_WORDS] >= 40:
            long += counts[S_WORDS]
            n_long += 1
        n_stops += counts[S_STOPS] > 0
        n_links += counts[S_LINKED] > WHOLE_SHARE * 4 // 5
        digits += counts[S_DIGITS]
    row[at] = share(short, words)
    row[at + 1] = share(long, words)
    row[at + 2] = log_code(n_long)
    row[at + 3] = share(n_stops, n_blocks)
    row[at + 4] = share(n_links, n_blocks)
    row[at + 5] = share(digits, around.sums[0, U_CHARS])
