"""The arrays of a fastText model, in the form that the kernels read."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LANES = 16
"""Columns that are added at once; each row of the matrix is padded with zeros to a multiple of it."""

MAX_GRAM = 64
"""The largest number of characters of a character n-gram, and of words of a word n-gram."""

HIERARCHICAL, NEGATIVE, SOFTMAX, ONE_VS_ALL = 1, 2, 3, 4
"""The numbers of losses in a model file."""

SIGMOID_SIZE, SIGMOID_RANGE = 512, 8.0
"""fastText reads the sigmoid of the losses ``ns`` and ``ova`` from a table of this size and range."""

SMALLEST = 1e-5
"""fastText adds this to a probability before its logarithm, so that a probability can be 1.00001."""


class Vocabulary(NamedTuple):
    """Words of a model, as a hash table with open addressing.

    Attributes:
        slots: int32[n_slots], the entry at each slot, or -1; ``n_slots`` is a power of two.
        hashes: uint32[n_entries], FNV-1a hashes of the entries.
        data: uint8[n_bytes], the bytes of all entries, end to end.
        ends: int64[n_entries + 1]; entry ``i`` is ``data[ends[i]:ends[i + 1]]``.
        rows: int32[n_entries], the row of a word; -1 for a label.
        end_row: the row of the token that ends a text, or -1 if the model does not know it.
    """

    slots: NDArray[np.int32]
    hashes: NDArray[np.uint32]
    data: NDArray[np.uint8]
    ends: NDArray[np.int64]
    rows: NDArray[np.int32]
    end_row: int


class Buckets(NamedTuple):
    """Rows of n-grams: a hash modulo ``n_buckets`` is a bucket, and a bucket has a row or none.

    Attributes:
        n_buckets: number of buckets, at least 1.
        reciprocal: ``2 ** (32 + k) // n_buckets`` with the largest ``k`` for which it is below ``2 ** 32``.
        shift: ``32 + k``.
        bits: uint64[n, 2]: whether each of 64 buckets has a row, and the row of the first of them that has
            one. Rows of n-grams are in the order of the buckets.
    """

    n_buckets: int
    reciprocal: int
    shift: int
    bits: NDArray[np.uint64]


class Layout(NamedTuple):
    """Options of a model that decide which rows a text has."""

    min_chars: int
    max_chars: int
    max_words: int


class Matrices(NamedTuple):
    """What is computed from the rows of a text.

    Attributes:
        rows: float32[n_rows + 1, width]; ``width`` is a multiple of ``LANES``.
        output: float32[n_labels, width].
        loss: the number of the loss.
        children: int32[n_labels - 1, 2], the left and right child of each inner node of the Huffman tree, the
            root last; a child below ``n_labels`` is a label, and the inner node ``i`` is ``n_labels + i``.
        sigmoids: float64[SIGMOID_SIZE + 1], the table of the sigmoid.
        slack: how much larger the probability of a label can be than that of an inner node above it.
    """

    rows: NDArray[np.float32]
    output: NDArray[np.float32]
    loss: int
    children: NDArray[np.int32]
    sigmoids: NDArray[np.float64]
    slack: float


class ModelRoom(NamedTuple):
    """Work buffers of one thread; one set serves any number of texts, one after another.

    Attributes:
        word: uint8[ROOM_BYTES], a word with its borders.
        rows: int32[ROOM_ROWS + 2 * ROOM_BYTES * MAX_GRAM], rows that are not added yet.
        counts: int64[1], the number of rows that are added.
        words: uint64[MAX_GRAM], hashes of the last words.
        scores: float64[n_labels], probabilities.
        nodes: int32[n_labels], inner nodes of the tree that remain to be visited.
        reached: float64[n_labels], their probabilities.
        sums: float64[width], the sum of rows.
    """

    word: NDArray[np.uint8]
    rows: NDArray[np.int32]
    counts: NDArray[np.int64]
    words: NDArray[np.uint64]
    scores: NDArray[np.float64]
    nodes: NDArray[np.int32]
    reached: NDArray[np.float64]
    sums: NDArray[np.float64]


class Model(NamedTuple):
    """A fastText model for the kernels."""

    vocabulary: Vocabulary
    buckets: Buckets
    layout: Layout
    matrices: Matrices


ROOM_BYTES = 1024
ROOM_ROWS = 8192


def make_room(model: Model) -> ModelRoom:
    """Allocate the work buffers of one thread."""
    n_labels, width = model.matrices.output.shape
    return ModelRoom(
        word=np.zeros(ROOM_BYTES, np.uint8),
        rows=np.zeros(ROOM_ROWS + 2 * ROOM_BYTES * MAX_GRAM, np.int32),
        counts=np.zeros(1, np.int64),
        words=np.zeros(MAX_GRAM, np.uint64),
        scores=np.zeros(n_labels, np.float64),
        nodes=np.zeros(n_labels, np.int32),
        reached=np.zeros(n_labels, np.float64),
        sums=np.zeros(width, np.float64),
    )


def fast_modulo(n_buckets: int) -> tuple[int, int]:
    """Return reciprocal and shift for the remainder of 32-bit hashes without a division.

    ``hash - (hash * reciprocal >> shift) * n_buckets`` is the remainder, or larger by ``n_buckets``; with one
    bucket it can be larger by 2.

    >>> fast_modulo(2_000_000)
    (2251799813, 52)
    """
    k = n_buckets.bit_length() - 1
    if (1 << 32 + k) // n_buckets >= 1 << 32:
        k -= 1
    return (1 << 32 + k) // n_buckets, 32 + k
