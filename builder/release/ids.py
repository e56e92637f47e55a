"""Choose the id and the split of each kept row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from blake3 import blake3

from builder.domain.document_ids import DocumentIds, hash_to_id
from builder.domain.grouping import best_of_group

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray


def settle_ids(
    first: DocumentIds,
    second: DocumentIds,
    *,
    taken: Callable[[DocumentIds], NDArray[np.bool_]] = lambda ids: np.zeros(len(ids), np.bool_),
) -> DocumentIds:
    """Make ids unique, in the order of the build: the first row with an id keeps it.

    A row that would repeat an id takes its second candidate. If that is taken too (the same URL with the same
    bytes is kept twice), the id is hashed again with a number.

    Args:
        first: the first candidate of each row: the id of its URL.
        second: the second candidate of each row.
        taken: returns which ids published rows have: bool[n].
    """
    late = _repeats(first) | taken(first)
    ids = first.replaced(late, second[late])
    turn = 0
    while (late := _repeats(ids) | taken(ids)).any():
        turn += 1
        number = turn.to_bytes(8, "little")
        mixed = [hash_to_id(b"again", one, number) for one in second[late]]
        ids = ids.replaced(late, DocumentIds.from_bytes(mixed))
    return ids


def _repeats(ids: DocumentIds) -> NDArray[np.bool_]:
    """Return which rows have the id of an earlier row: bool[n]."""
    rows = np.arange(len(ids))
    repeats: NDArray[np.bool_] = best_of_group(ids.words, rows) != rows
    return repeats


def assign_splits(ids: DocumentIds, *, shares: Mapping[str, float], name: str) -> NDArray[np.int16]:
    """Assign each id to a split, by a hash of the id and the recipe's name.

    The split depends on nothing else, so a document never moves to another split when pages are added.

    Returns:
        int16[n_rows], positions in ``shares``.
    """
    seed = int.from_bytes(blake3(name.encode()).digest(length=8), "little")
    bounds = np.cumsum(list(shares.values()))
    place = ids.hashes(seed=seed).astype(np.float64) / 2.0**64
    return np.minimum(np.searchsorted(bounds, place, side="right"), len(shares) - 1).astype(np.int16)
