"""Which id each kept row gets, and which split it belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from blake3 import blake3

from builder.domain.document_ids import hash_to_id, id_hashes
from builder.domain.grouping import best_of_group

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray


def settle_ids(
    first: NDArray[np.uint64],
    second: NDArray[np.uint64],
    *,
    taken: Callable[[NDArray[np.uint64]], NDArray[np.bool_]] = lambda ids: np.zeros(len(ids), np.bool_),
) -> NDArray[np.uint64]:
    """Make ids unique in the order of the build: the first comer keeps the id of the URL.

    A row that would repeat an id takes its second candidate, and if that is taken too (the same URL with
    the same bytes, kept twice) a number is mixed in.

    Args:
        first: uint64[n_rows, 2], the 16 bytes of each row's candidate.
        second: uint64[n_rows, 2], likewise.
        taken: tells which ids published rows have: bool[n] of uint64[n, 2].
    """
    ids = first.copy()
    late = _repeats(ids) | taken(ids)
    ids[late] = second[late]
    turn = 0
    while (late := _repeats(ids) | taken(ids)).any():
        turn += 1
        for row in np.flatnonzero(late):
            mixed = hash_to_id(b"again", second[row].tobytes(), turn.to_bytes(8, "little"))
            ids[row] = np.frombuffer(mixed, np.uint64)
    return ids


def _repeats(ids: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Mark every row whose id an earlier row has."""
    rows = np.arange(len(ids))
    repeats: NDArray[np.bool_] = best_of_group(ids, rows) != rows
    return repeats


def assign_splits(ids: NDArray[np.uint64], *, shares: Mapping[str, float], name: str) -> NDArray[np.int16]:
    """Assign each id to a split, by a hash of the id and the recipe's name.

    Nothing but these two matters, so a document never moves when pages are added.

    Returns:
        int16[n_rows], positions in ``shares``.
    """
    seed = int.from_bytes(blake3(name.encode()).digest(length=8), "little")
    bounds = np.cumsum(list(shares.values()))
    place = id_hashes(ids, seed=seed).astype(np.float64) / 2.0**64
    return np.minimum(np.searchsorted(bounds, place, side="right"), len(shares) - 1).astype(np.int16)
