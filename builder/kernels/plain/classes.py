"""Name the class of each unit that leaves: what kind of page furniture it is."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from builder.kernels.html.letters import CATEGORIES, DIGIT, IDEOGRAPH, LETTER, category, decode_point
from builder.kernels.html.vocabulary import BASIS
from builder.kernels.jit import kernel
from builder.kernels.plain.layout import (
    U_BLANK,
    U_END,
    U_START,
    UNIT_AMOUNTS,
    UNIT_STOPS,
    UNIT_WORDS,
)
from builder.kernels.plain.statistics import add_character, hash_of_pair

(
    KEPT,
    TITLE,
    DONATION,
    NAVIGATION,
    SHARE_LINE,
    COOKIES,
    RELATED,
    AUTHOR,
    COMMENT_THREAD,
    TEASERS,
) = range(10)
"""Classes of a unit."""

CLASS_NAMES = (
    "kept",
    "title",
    "donation",
    "navigation",
    "share",
    "cookies",
    "related",
    "author",
    "comments",
    "teasers",
)

LEARNED = (NAVIGATION, SHARE_LINE, COOKIES, RELATED, AUTHOR, COMMENT_THREAD)
"""Classes that words and shapes tell apart. ``TEASERS`` are ``RELATED`` with a sentence."""

N_LEARNED = len(LEARNED)
CLASS_WORD_BITS = 12
MAX_CLASS_WORDS = 16
N_ZONES, N_LENGTHS = 3, 3
N_SHAPES = N_ZONES * N_LENGTHS * 2

_MAX_BLOCK = 12
_FEW_WORDS, _SOME_WORDS = 3, 8
_NEAR_AMOUNTS, _SENTENCE_WORDS, _TEASER_WORDS = 2, 5, 6


class ClassWords(NamedTuple):
    """What words and shapes say about the class of a unit, as logarithms in steps of 1/16.

    Attributes:
        words: int8[1 << CLASS_WORD_BITS, N_LEARNED].
        shapes: int16[N_SHAPES, N_LEARNED].
    """

    words: Any
    shapes: Any


@kernel
def class_place_of(value: Any) -> Any:
    """Return the place of a word's hash in the table of classes."""
    return np.int64((value ^ (value >> np.uint64(29))) >> np.uint64(13)) & ((1 << CLASS_WORD_BITS) - 1)


@kernel
def unit_shape(row: Any, zone: Any) -> Any:
    """Return the shape of a unit: where it is, how long it is, and whether it has a sentence.

    Args:
        row: int32[N_UNIT_STATISTICS].
        zone: 0 before the main text, 1 within, 2 after it.
    """
    length = 0 if row[UNIT_WORDS] <= _FEW_WORDS else 1 if row[UNIT_WORDS] <= _SOME_WORDS else 2
    return (zone * N_LENGTHS + length) * 2 + (row[UNIT_STOPS] > 0)


@kernel
def name_classes(data: Any, n: Any, memory: Any, learned: Any, votes: Any, classes: Any) -> None:
    """Fill in the class of each unit that leaves.

    Units that leave next to each other, without a blank line between them, vote together. If one of them
    has a sentence, they are not navigation, the first of ``LEARNED``.

    Args:
        data: uint8[n_bytes], UTF-8.
        n: number of units.
        memory: ``Units`` that are described.
        learned: ``ClassWords``.
        votes: int64[N_LEARNED], working memory.
        classes: uint8[n]; ``NAVIGATION`` is replaced, ``KEPT`` and ``TITLE`` stay as they are.
    """
    first = n
    last = -1
    for i in range(n):
        if classes[i] == KEPT and memory.counts[i, UNIT_STOPS] > 0:
            first = min(first, i)
            last = i
    start = 0
    while start < n:
        if classes[start] != NAVIGATION:
            start += 1
            continue
        end = start + 1
        while (
            end < n
            and classes[end] == NAVIGATION
            and memory.units[end, U_BLANK] == 0
            and end - start < _MAX_BLOCK
        ):
            end += 1
        votes[:] = 0
        winner = 0
        for i in range(start, end):
            row = memory.counts[i]
            if row[UNIT_STOPS] > 0 and row[UNIT_WORDS] >= _SENTENCE_WORDS:
                winner = 1
            zone = 0 if i < first else 1 if i < last else 2
            _add(learned.shapes[unit_shape(memory.counts[i], zone)], votes)
            _add_words(data, memory.units[i, U_START], memory.units[i, U_END], learned.words, votes)
        for k in range(winner + 1, N_LEARNED):
            if votes[k] > votes[winner]:
                winner = k
        for i in range(start, end):
            classes[i] = LEARNED[winner]
        start = end
    _name_by_marks(n, memory, classes)


@kernel
def _name_by_marks(n: Any, memory: Any, classes: Any) -> None:
    """Tell donation bars by their amounts, and teasers by their sentences.

    A donation bar has at least two amounts in a unit or in units next to each other.
    """
    for i in range(n):
        if classes[i] in (KEPT, TITLE):
            continue
        row = memory.counts[i]
        if classes[i] == RELATED and row[UNIT_STOPS] > 0 and row[UNIT_WORDS] >= _TEASER_WORDS:
            classes[i] = TEASERS
        near = 0
        for k in range(max(i - _NEAR_AMOUNTS, 0), min(i + _NEAR_AMOUNTS + 1, n)):
            if classes[k] != KEPT:
                near += memory.counts[k, UNIT_AMOUNTS]
        if near >= 2 and (row[UNIT_AMOUNTS] > 0 or row[UNIT_WORDS] <= _SOME_WORDS):
            classes[i] = DONATION


@kernel
def _add(row: Any, votes: Any) -> None:
    for k in range(N_LEARNED):
        votes[k] += row[k]


@kernel
def _add_words(data: Any, at: Any, end: Any, words: Any, votes: Any) -> None:
    """Add what the first words of a unit say."""
    value = np.uint64(BASIS)
    inside = False
    before = np.int64(0)
    n_words = 0
    while at < end and n_words < MAX_CLASS_WORDS:
        point = np.int64(data[at])
        length = 1
        kind = np.int64(CATEGORIES[data[at]])
        if point >= 0x80:
            point, length = decode_point(data, at, end)
            kind = category(point)
        if LETTER <= kind <= DIGIT:
            value = add_character(value if inside else np.uint64(BASIS), data, at, length)
            inside = True
        else:
            if inside:
                _add(words[class_place_of(value)], votes)
                n_words += 1
            inside = False
            if kind == IDEOGRAPH and n_words < MAX_CLASS_WORDS:
                _add(words[class_place_of(hash_of_pair(before, point))], votes)
                n_words += 1
        before = point
        at += length
    if inside and n_words < MAX_CLASS_WORDS:
        _add(words[class_place_of(value)], votes)
