"""Which id each kept row gets, and which split it belongs to."""

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
    """Make ids unique in the order of the build: the first comer keeps the id of the URL.

    A row that would repeat an id takes its second candidate, and if that is taken too (the same URL with
    the same bytes, kept twice) a number is mixed in.

    Args:
        first: each row's candidate.
        second: each row's second candidate.
        taken: tells which ids published rows have: bool[n].
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
    """Mark every row whose id an earlier row has."""
    rows = np.arange(len(ids))
    repeats: NDArray[np.bool_] = best_of_group(ids.words, rows) != rows
    return repeats


def assign_splits(ids: DocumentIds, *, shares: Mapping[str, float], name: str) -> NDArray[np.int16]:
    """Assign each id to a split, by a hash of the id and the recipe's name.

    Nothing but these two matters, so a document never moves when pages are added.

    Returns:
        int16[n_rows], positions in ``shares``.
    """
    seed = int.from_bytes(blake3(name.encode()).digest(length=8), "little")
    bounds = np.cumsum(list(shares.values()))
    place = ids.hashes(seed=seed).astype(np.float64) / 2.0**64
    return np.minimum(np.searchsorted(bounds, place, side="right"), len(shares) - 1).astype(np.int16)
