"""Allocate the arrays in which one document at a time is measured."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


_SEED = 0x9E3779B97F4A7C15
"""Added to each seed, so that any seed spreads small numbers."""

_LOGS = np.array([0.0, *(n * math.log(n) for n in range(1, 256))])


class WordArrays(NamedTuple):
    """The words of one document; all arrays have the same length, and the first ``n_words`` values count.

    Attributes:
        starts: int64[n], the first byte of each word.
        stops: int64[n], the byte behind it.
        chars: int32[n], code points.
        flags: int32[n], ``IS_LETTER``, ``IS_NUMBER``, ``IS_UPPER``, ``IS_LOWER``: whether a character is of
            this kind; ``IS_ALONE``: whether the first one is of a script without spaces.
        hashes: uint64[n].
    """

    starts: NDArray[np.int64]
    stops: NDArray[np.int64]
    chars: NDArray[np.int32]
    flags: NDArray[np.int32]
    hashes: NDArray[np.uint64]


class LineArrays(NamedTuple):
    """The lines of one document that are not blank, without white space at their ends.

    Attributes:
        starts: int64[n], the first byte of each line.
        stops: int64[n], the byte behind it.
        chars: int64[n], code points.
        flags: int32[n], see ``builder.kernels.quality.lines``.
        paragraphs: int32[n], the number of the paragraph.
        hashes: uint64[n].
        state: int64[16], the state of the line that is read.
    """

    starts: NDArray[np.int64]
    stops: NDArray[np.int64]
    chars: NDArray[np.int64]
    flags: NDArray[np.int32]
    paragraphs: NDArray[np.int32]
    hashes: NDArray[np.uint64]
    state: NDArray[np.int64]


class Copies(NamedTuple):
    """Work arrays to find equal items in one document.

    Attributes:
        keys: uint64[n], what is compared.
        first: int32[n], for each item the number of its first copy.
        counts: int32[n], for each first copy the number of copies.
        places: int32[n], the items that have copies, ascending.
        before: int64[n + 1], code points of all words before each word.
        slots: int32[n_slots], a hash table of at least twice as many slots as items, a power of two.
        seed: uint64[1], odd; decides where a key is in the table, and nothing else.
        logs: float64[256], ``n ln n``; 0 for 0.
    """

    keys: NDArray[np.uint64]
    first: NDArray[np.int32]
    counts: NDArray[np.int32]
    places: NDArray[np.int32]
    before: NDArray[np.int64]
    slots: NDArray[np.int32]
    seed: NDArray[np.uint64]
    logs: NDArray[np.float64]


class Room(NamedTuple):
    """All arrays for one document; they serve any number of documents, one after another."""

    words: WordArrays
    lines: LineArrays
    copies: Copies


def room_for(n_words: int, n_lines: int, *, seed: int = 0) -> Room:
    """Allocate the arrays for a document of at most this size."""
    n_items = max(n_words, n_lines, 1)
    n_slots = max(8, 1 << (2 * n_items - 1).bit_length())
    return Room(
        WordArrays(
            np.empty(n_words, np.int64),
            np.empty(n_words, np.int64),
            np.empty(n_words, np.int32),
            np.empty(n_words, np.int32),
            np.empty(n_words, np.uint64),
        ),
        LineArrays(
            np.empty(n_lines, np.int64),
            np.empty(n_lines, np.int64),
            np.empty(n_lines, np.int64),
            np.empty(n_lines, np.int32),
            np.empty(n_lines, np.int32),
            np.empty(n_lines, np.uint64),
            np.zeros(16, np.int64),
        ),
        Copies(
            np.empty(n_items, np.uint64),
            np.empty(n_items, np.int32),
            np.empty(n_items, np.int32),
            np.empty(n_items, np.int32),
            np.empty(n_items + 1, np.int64),
            np.empty(n_slots, np.int32),
            np.array([(seed ^ _SEED) | 1], np.uint64),
            _LOGS,
        ),
    )
