"""Arrange a fastText model for the kernels, and load models once in each process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from builder.kernels.language.model import (
    HIERARCHICAL,
    LANES,
    SIGMOID_RANGE,
    SIGMOID_SIZE,
    SMALLEST,
    Buckets,
    Layout,
    Matrices,
    Model,
    Vocabulary,
    fast_modulo,
)
from builder.stages.identification.model_file import LABEL_PREFIX, MAX_COUNT, read_model_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from builder.stages.identification.model_file import ModelFile

END = b"</s>"


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageModel:
    """A model for the kernels, and the names of its labels without ``__label__``."""

    arrays: Model
    labels: tuple[str, ...]


def arrange_model(data: bytes) -> LanguageModel:
    """Read a model file and arrange it for the kernels.

    Raises:
        ModelFileError: as ``read_model_file`` does.
    """
    file = read_model_file(data)
    rows, buckets = _arrange_rows(file)
    options = file.options
    output = _padded(file.output)
    children, depth = huffman_tree(file.label_counts.tolist())
    model = Model(
        vocabulary=_vocabulary(file.words, file.labels),
        buckets=buckets,
        layout=Layout(min_chars=options.min_chars, max_chars=options.max_chars, max_words=options.max_words),
        matrices=Matrices(
            rows=rows,
            output=output,
            loss=options.loss,
            children=children if options.loss == HIERARCHICAL else children[:0],
            sigmoids=_sigmoids(),
            slack=float((1 + SMALLEST) ** min(depth + 1, 10_000_000)),
        ),
    )
    names = tuple(label[len(LABEL_PREFIX) :].decode() for label in file.labels)
    return LanguageModel(arrays=model, labels=names)


def fnv(word: bytes) -> int:
    """Return the FNV-1a hash with 32 bits over signed bytes.

    >>> fnv(b"a"), fnv("é".encode())
    (3826002220, 1023043777)
    """
    h = 2166136261
    for byte in word:
        h = ((h ^ (byte if byte < 128 else byte | 0xFFFFFF00)) * 16777619) & 0xFFFFFFFF
    return h


def huffman_tree(counts: Sequence[int]) -> tuple[NDArray[np.int32], int]:
    """Return the children of the inner nodes of a Huffman tree, int32[n - 1, 2], and their depth.

    The labels are in the order of the file: the most frequent first. Each count is below ``MAX_COUNT``. Of a
    label and an inner node with equal counts, the inner node is taken.
    """
    n = len(counts)
    children = np.zeros((n - 1, 2), np.int32)
    sums, depths = [MAX_COUNT] * (n - 1), [0] * (n - 1)
    leaf, inner = n - 1, 0
    for i in range(n - 1):
        total = depth = 0
        for side in range(2):
            if leaf >= 0 and counts[leaf] < sums[inner]:
                children[i, side], total = leaf, total + counts[leaf]
                leaf -= 1
            else:
                children[i, side], total = n + inner, total + sums[inner]
                depth = max(depth, depths[inner] + 1)
                inner += 1
        sums[i], depths[i] = total, depth
    return children, max(depths, default=0)


def _arrange_rows(file: ModelFile) -> tuple[NDArray[np.float32], Buckets]:
    """Put the rows of n-grams into the order of their buckets, with a row of zeros at the end."""
    n_words, n_buckets = len(file.words), max(file.options.n_buckets, 1)
    has_row = np.zeros(-(-n_buckets // 64) * 64, np.uint8)
    if file.pruned is None:
        has_row[: file.options.n_buckets] = 1
        rows = file.rows
    else:
        order = np.argsort(file.pruned[:, 0], kind="stable")
        has_row[file.pruned[:, 0]] = 1
        rows = np.concatenate([file.rows[:n_words], file.rows[n_words + file.pruned[order, 1]]])
    words = np.packbits(has_row, bitorder="little").view("<u8").astype(np.uint64)
    in_group = has_row.reshape(-1, 64).sum(axis=1, dtype=np.int64)
    first = n_words + np.concatenate([[0], np.cumsum(in_group)[:-1]])
    reciprocal, shift = fast_modulo(n_buckets)
    buckets = Buckets(
        n_buckets=n_buckets,
        reciprocal=reciprocal,
        shift=shift,
        bits=np.stack([words, first.astype(np.uint64)], axis=1),
    )
    return _padded(rows, n_more=1), buckets


def _padded(matrix: NDArray[np.float32], *, n_more: int = 0) -> NDArray[np.float32]:
    """Pad the columns with zeros to a multiple of ``LANES``."""
    n_rows, n_columns = matrix.shape
    padded = np.zeros((n_rows + n_more, -(-n_columns // LANES) * LANES), np.float32)
    padded[:n_rows, :n_columns] = matrix
    return padded


def _vocabulary(words: Sequence[bytes], labels: Sequence[bytes]) -> Vocabulary:
    entries = [*words, *labels]
    n_slots = 8
    while n_slots < 2 * len(entries):
        n_slots *= 2
    slots = [-1] * n_slots
    known: dict[bytes, int] = {}
    hashes = [fnv(one) for one in entries]
    for i, one in enumerate(entries):
        slot = hashes[i] & (n_slots - 1)
        while slots[slot] >= 0 and entries[slots[slot]] != one:
            slot = (slot + 1) & (n_slots - 1)
        slots[slot] = known[one] = i  # of equal entries, fastText finds the last one
    return Vocabulary(
        slots=np.array(slots, np.int32),
        hashes=np.array(hashes, np.uint32),
        data=np.frombuffer(b"".join(entries) + b"\0", np.uint8).copy(),
        ends=np.cumsum([0, *map(len, entries)]).astype(np.int64),
        rows=np.array([*range(len(words)), *[-1] * len(labels)], np.int32),
        end_row=known.get(END, -1) if known.get(END, -1) < len(words) else -1,
    )


def _sigmoids() -> NDArray[np.float64]:
    """Return fastText's table of the sigmoid, which it computes in single precision."""
    x = (
        np.arange(SIGMOID_SIZE + 1, dtype=np.float32)
        * np.float32(2 * SIGMOID_RANGE)
        / np.float32(SIGMOID_SIZE)
    )
    x -= np.float32(SIGMOID_RANGE)
    return (1.0 / (1.0 + np.exp(-x.astype(np.float64)))).astype(np.float32).astype(np.float64)
