"""Group rows by a key of fixed width: by sorting, without a Python object for each row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from builder.domain.merging import NO_INSTANT, instants

if TYPE_CHECKING:
    from numpy.typing import NDArray

KEY_TYPE = pa.binary(16)
"""The type of a key in a sketch column; a key is null if its row takes no part."""


def key_words(column: pa.ChunkedArray) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """Return the keys as uint64[n_rows, 2], 0 for null, and which rows have a key as bool[n_rows]."""
    words = np.zeros((len(column), 2), dtype=np.uint64)
    has_key = np.ones(len(column), dtype=np.bool_)
    first = 0
    for chunk in column.chunks:
        rows = slice(first, first + len(chunk))
        raw = np.frombuffer(chunk.buffers()[1], dtype=np.uint64) if len(chunk) else words[:0].ravel()
        words[rows] = raw.reshape(-1, 2)[chunk.offset : chunk.offset + len(chunk)]
        if chunk.null_count:
            has_key[rows] = chunk.is_valid().to_numpy(zero_copy_only=False)
        first += len(chunk)
    words[~has_key] = 0
    return words, has_key


def best_of_group(keys: NDArray[np.uint64], rank: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return, for each row, the row with the same key that has the lowest rank.

    Args:
        keys: uint64[n_rows, n_words]; rows belong to one group if all their words are equal.
        rank: int64[n_rows], all different; 0 is the best.

    >>> best_of_group(np.array([[7], [8], [7]], dtype=np.uint64), np.array([2, 1, 0])).tolist()
    [2, 1, 2]
    """
    best = np.arange(len(keys), dtype=np.int64)
    repeated = _repeated(np.ascontiguousarray(keys[:, 0]))
    best[repeated] = repeated[_best_by_sorting(keys[repeated], rank[repeated])]
    return best


def _repeated(words: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return the positions of all words that occur more than once.

    Most keys differ in their first word, so few rows remain to be sorted by the whole key.
    """
    order = np.argsort(words)
    ordered = words[order]
    twice = np.zeros(len(words) + 1, dtype=np.bool_)
    twice[1:-1] = ordered[1:] == ordered[:-1]
    found: NDArray[np.int64] = order[twice[1:] | twice[:-1]]
    return found


def _best_by_sorting(keys: NDArray[np.uint64], rank: NDArray[np.int64]) -> NDArray[np.int64]:
    order = np.lexsort((rank, *keys.T))
    ordered = keys[order]
    starts = np.ones(len(order), dtype=np.bool_)
    starts[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    best = np.empty(len(order), dtype=np.int64)
    best[order] = order[starts][np.cumsum(starts) - 1]
    return best


def ranks(order: NDArray[np.int64]) -> NDArray[np.int64]:
    """Convert row numbers, best first, to the rank of each row."""
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order), dtype=np.int64)
    return rank


def instants_of(batch: pa.RecordBatch, name: str | None) -> pa.Array:
    """Return a timestamp column as ``instants`` does; without one, ``NO_INSTANT`` for every row."""
    if name in batch.schema.names and pa.types.is_timestamp(batch.schema.field(name).type):
        return instants(batch.column(name))
    return pa.repeat(pa.scalar(int(NO_INSTANT), pa.int64()), batch.num_rows)
