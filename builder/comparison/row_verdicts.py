"""Store the verdict on each row on disk, and return the verdicts in the order of the rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from builder.comparison.buckets import BucketFiles

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from builder.comparison.sides import ShardRange, Side

NOWHERE = -1

NEW = np.dtype(
    [
        ("place", "<i8"),
        ("old_place", "<i8"),
        ("old_split", "<i2"),
        ("bytes", "<i8"),
        ("differs", "?"),
        ("reordered", "?"),
    ]
)
"""The verdict on a row of the new side.

It has the row's place, its old place and split (NOWHERE if it was added), the bytes of the new and the old
row together, whether any value differs, and whether the row comes after a row that it came before.
"""

OLD = np.dtype([("place", "<i8"), ("new_place", "<i8"), ("new_split", "<i2"), ("why", "<i2")])
"""The verdict on a row of the old side that was removed (``new_split`` is NOWHERE) or has changed values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The verdicts on some rows of a shard, in the order of their places."""

    shard_range: ShardRange
    rows: NDArray[Any]


class RowVerdicts:
    """The verdicts on all rows of two sides, except the rows of shards that both sides have."""

    def __init__(
        self,
        folder: Path,
        *,
        names: Sequence[str],
        sides: tuple[Side, Side],
        shared: set[tuple[str, str]],
        block_rows: int,
    ) -> None:
        self.names = names
        self._sides = sides
        self._shared = shared
        self._block_rows = block_rows
        self._stores = BucketFiles(folder / "old-verdicts", OLD), BucketFiles(folder / "new-verdicts", NEW)
        self._loaded: dict[int, tuple[int, NDArray[Any]]] = {}
        self._first_block = np.cumsum([0, *(self._n_blocks(i) for i in range(len(names)))])
        self._old_first = {
            (s.shard.split, s.shard.sha256): s.first for s in sides[0].ranges(names) if self._is_shared(s)
        }

    def _n_blocks(self, split: int) -> int:
        stops = [s.stop for side in self._sides for s in side.ranges(self.names) if s.split == split]
        return max(stops, default=0) // self._block_rows + 1

    def _is_shared(self, shard_range: ShardRange) -> bool:
        return (shard_range.shard.split, shard_range.shard.sha256) in self._shared

    def add_old(self, splits: NDArray[np.int16], rows: NDArray[Any]) -> None:
        """Add verdicts on rows of the old side, in any order."""
        self._stores[0].add(self._blocks(splits, rows), rows)

    def add_new(self, splits: NDArray[np.int16], rows: NDArray[Any]) -> None:
        """Add verdicts on rows of the new side, in any order."""
        self._stores[1].add(self._blocks(splits, rows), rows)

    def _blocks(self, splits: NDArray[np.int16], rows: NDArray[Any]) -> NDArray[np.int64]:
        blocks: NDArray[np.int64] = self._first_block[splits] + rows["place"] // self._block_rows
        return blocks

    def old(self) -> Iterator[Judged]:
        """Yield the verdicts for each shard of the old side with removed or changed rows."""
        for shard_range in self._sides[0].ranges(self.names):
            rows = self._cut(0, shard_range)
            if len(rows):
                yield Judged(shard_range=shard_range, rows=rows)

    def new(self) -> Iterator[Judged]:
        """Yield the verdicts for each shard of the new side; a shared shard only if it is reordered."""
        split, last = NOWHERE, NOWHERE
        for shard_range in self._sides[1].ranges(self.names):
            if shard_range.split != split:
                split, last = shard_range.split, NOWHERE
            if not self._is_shared(shard_range):
                rows = self._cut(1, shard_range)
                last = _mark_reordered(rows, split, last)
                yield Judged(shard_range=shard_range, rows=rows)
                continue
            first = self._old_first[shard_range.shard.split, shard_range.shard.sha256]
            if first < last:
                yield Judged(shard_range=shard_range, rows=_as_a_whole(shard_range, first))
            last = max(last, first + shard_range.shard.rows - 1)

    def count_reordered(self) -> list[int]:
        """Count, for each split, the rows that stayed in it and come after a row that they came before."""
        counts = [0] * len(self.names)
        for judged in self.new():
            counts[judged.shard_range.split] += int(judged.rows["reordered"].sum())
        return counts

    def _cut(self, side: int, shard_range: ShardRange) -> NDArray[Any]:
        """Return the verdicts on the rows of one shard, in the order of their places."""
        first, last = (place // self._block_rows for place in (shard_range.first, shard_range.stop - 1))
        start = int(self._first_block[shard_range.split])
        found = []
        for block in range(start + first, start + last + 1):
            rows = self._block(side, block)
            found.append(rows[slice(*np.searchsorted(rows["place"], [shard_range.first, shard_range.stop]))])
        return np.concatenate(found)

    def _block(self, side: int, block: int) -> NDArray[Any]:
        """Return one block in the order of places; cache it, because the next shard often begins in it."""
        if self._loaded.get(side, (NOWHERE,))[0] != block:
            rows = self._stores[side].read(block)
            self._loaded[side] = block, rows[np.argsort(rows["place"])]
        return self._loaded[side][1]


def _mark_reordered(rows: NDArray[Any], split: int, last: int) -> int:
    """Mark the reordered rows of one shard, and return the highest old place so far.

    ``last`` is the highest old place of the rows before this shard.
    """
    stayed = rows["old_split"] == split
    places = rows["old_place"][stayed]
    reached = np.maximum.accumulate(np.concatenate([[last], places]))
    rows["reordered"] = False
    rows["reordered"][stayed] = places < reached[:-1]
    return int(reached[-1])


def _as_a_whole(shard_range: ShardRange, old_first: int) -> NDArray[Any]:
    """Return verdicts on a shard whose rows are unchanged, but come after rows that they came before."""
    rows = np.zeros(shard_range.shard.rows, NEW)
    rows["place"] = np.arange(shard_range.first, shard_range.stop)
    rows["old_place"] = np.arange(old_first, old_first + shard_range.shard.rows)
    rows["old_split"] = shard_range.split
    rows["reordered"] = True
    return rows
