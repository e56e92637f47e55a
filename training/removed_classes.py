"""Learn what words and shapes say about the class of text that leaves a page.

The containers of HTML pages are the labels: the closest element around a block whose class, id or role has a
word of a group, such as ``share`` or ``comments``, names the class of the block.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba
import numpy as np

from builder.kernels.html.layout import B_END, B_NODE, B_START, BLOCKS, N_PARENT, N_TAG, NODES
from builder.kernels.html.letters import CAPITAL, DIGIT, IDEOGRAPH, LETTER, category, decode_point
from builder.kernels.html.vocabulary import BASIS, TAGS
from builder.kernels.plain.classes import (
    AUTHOR,
    CLASS_WORD_BITS,
    COMMENT_THREAD,
    COOKIES,
    LEARNED,
    MAX_CLASS_WORDS,
    N_LEARNED,
    N_SHAPES,
    NAVIGATION,
    RELATED,
    SHARE_LINE,
    class_place_of,
    unit_shape,
)
from builder.kernels.plain.layout import H_WORDS, U_END, U_START, UNIT_STOPS
from builder.kernels.plain.statistics import add_character, hash_of_pair, hash_of_words
from builder.stages.extraction.block_reader import BlockReader

if TYPE_CHECKING:
    from collections.abc import Iterable

    from builder.stages.cleaning.unit_reader import UnitReader
    from training.pages import GoldPage
    from training.plain_text import CutPage

_GROUPS = {
    8: SHARE_LINE,
    16: SHARE_LINE,
    9: RELATED,
    10: COMMENT_THREAD,
    12: COOKIES,
    24: AUTHOR,
    4: NAVIGATION,
    13: NAVIGATION,
    6: NAVIGATION,
}
"""The class of a group of words (``WORD_GROUPS``); the first group that a container has counts."""

_TAGS = {TAGS["nav"]: NAVIGATION, TAGS["footer"]: NAVIGATION}
_STEP, _PRIOR, _SHAPE_PRIOR, _RARE = 16, 1.0, 20.0, 3
_BAD = 0.2


def classes_of(page: GoldPage, reader: BlockReader) -> dict[int, int]:
    """Return the place in ``LEARNED`` of the texts of a page's blocks, by the hash of their words."""
    read, _ = reader.describe(page.html)
    nodes, bits = read.nodes[: read.state[NODES]], read.bits[: read.state[NODES]]
    of_node: list[int] = []
    for tag, parent, groups in zip(
        nodes[:, N_TAG].tolist(), nodes[:, N_PARENT].tolist(), bits.tolist(), strict=True
    ):
        own = next((kind for group, kind in _GROUPS.items() if groups >> group & 1), _TAGS.get(tag, 0))
        of_node.append(own or (of_node[parent] if 0 <= parent < len(of_node) else 0))
    found: dict[int, int] = {}
    for block in read.blocks[: read.state[BLOCKS]]:
        kind = of_node[block[B_NODE]]
        if kind:
            found[int(hash_of_words(read.out, block[B_START], block[B_END]))] = LEARNED.index(kind)
    return found


@numba.njit(cache=False)
def _places(data: Any, at: Any, end: Any, places: Any) -> Any:
    """Write the place in the table of classes of the first words of a unit; return their number."""
    n = 0
    value = np.uint64(BASIS)
    inside = False
    before = np.int64(0)
    while at < end and n < MAX_CLASS_WORDS:
        point, length = decode_point(data, at, end)
        kind = category(point)
        if kind in (LETTER, CAPITAL, DIGIT):
            value = add_character(value if inside else np.uint64(BASIS), data, at, length)
            inside = True
        else:
            if inside:
                places[n] = class_place_of(value)
                n += 1
            inside = False
            if kind == IDEOGRAPH and n < MAX_CLASS_WORDS:
                places[n] = class_place_of(hash_of_pair(before, point))
                n += 1
        before = point
        at += length
    if inside and n < MAX_CLASS_WORDS:
        places[n] = class_place_of(value)
        n += 1
    return n


def learn_classes(
    gold: Iterable[GoldPage], pages: Iterable[CutPage], reader: UnitReader
) -> tuple[np.ndarray, np.ndarray]:
    """Return int8[1 << CLASS_WORD_BITS, N_LEARNED] for words, and int16[N_SHAPES, N_LEARNED] for shapes.

    A domain counts once for each word and class. Values are logarithms of the share of a class's domains that
    have a word, against the mean of all classes.
    """
    blocks = BlockReader()
    known = {(page.source, page.id): classes_of(page, blocks) for page in gold}
    words = np.zeros((1 << CLASS_WORD_BITS, N_LEARNED))
    shapes = np.zeros((N_SHAPES, N_LEARNED))
    seen: dict[str, set[tuple[int, int]]] = {}
    places = np.empty(MAX_CLASS_WORDS, np.int64)
    for page in pages:
        of_text = known.get((page.page.source, page.page.id), {})
        if page.page.converter == "beautifulsoup" or not of_text:
            continue
        data = np.frombuffer(page.data or b" ", np.uint8)
        n, memory = reader.read(data, 0, len(page.data))
        main = np.flatnonzero((page.labels > 1 - _BAD) & (memory.counts[:n, UNIT_STOPS] > 0))
        first, last = (int(main[0]), int(main[-1])) if len(main) else (n, -1)
        own = np.zeros((N_SHAPES, N_LEARNED))
        for i in np.flatnonzero(page.labels < _BAD).tolist():
            kind = of_text.get(int(memory.hashes[i, H_WORDS]))
            if kind is None:
                continue
            own[unit_shape(memory.counts[i], 0 if i < first else 1 if i < last else 2), kind] += 1
            n_words = _places(data, memory.units[i, U_START], memory.units[i, U_END], places)
            seen.setdefault(page.page.domain, set()).update(
                (place, kind) for place in places[:n_words].tolist()
            )
        shapes += np.sqrt(own)
    for pairs in seen.values():
        for place, kind in pairs:
            words[place, kind] += 1
    odds = np.log((words + _PRIOR) / (words.sum(0) + _PRIOR * len(words)))
    odds -= odds.mean(1, keepdims=True)
    odds[words.sum(1) < _RARE] = 0
    prior = np.log((shapes + _SHAPE_PRIOR) / (shapes + _SHAPE_PRIOR).sum(1, keepdims=True))
    return _steps(odds, 127, np.int8), _steps(prior, 32_000, np.int16)


def _steps(values: np.ndarray, most: int, kind: type) -> np.ndarray:
    return np.clip(np.round(_STEP * values), -most, most).astype(kind)
