"""What became of each row, on disk, and given back in the order of the rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from builder.comparison.buckets import BucketFiles

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from builder.comparison.sides import Side, Stretch

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
"""Of a row of the new side: where it is and was (NOWHERE if it was added), its bytes and those of the row
that it was, and whether any of its values differs."""

OLD = np.dtype([("place", "<i8"), ("new_place", "<i8"), ("new_split", "<i2"), ("why", "<i2")])
"""Of a row of the old side that was removed (``new_split`` is NOWHERE) or that differs on the new side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The verdicts on some rows of a shard, by place."""

    stretch: Stretch
    rows: NDArray[Any]


class RowVerdicts:
    """The verdicts on all rows of two sides, but those of shards that both have."""

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
            (s.shard.split, s.shard.sha256): s.first for s in sides[0].stretches(names) if self._is_shared(s)
        }

    def _n_blocks(self, split: int) -> int:
        stops = [s.stop for side in self._sides for s in side.stretches(self.names) if s.split == split]
        return max(stops, default=0) // self._block_rows + 1

    def _is_shared(self, stretch: Stretch) -> bool:
        return (stretch.shard.split, stretch.shard.sha256) in self._shared

    def add_old(self, splits: NDArray[np.int16], rows: NDArray[Any]) -> None:
        """Take verdicts on rows of the old side, of any places."""
        self._stores[0].add(self._blocks(splits, rows), rows)

    def add_new(self, splits: NDArray[np.int16], rows: NDArray[Any]) -> None:
        """Take verdicts on rows of the new side, of any places."""
        self._stores[1].add(self._blocks(splits, rows), rows)

    def _blocks(self, splits: NDArray[np.int16], rows: NDArray[Any]) -> NDArray[np.int64]:
        blocks: NDArray[np.int64] = self._first_block[splits] + rows["place"] // self._block_rows
        return blocks

    def old(self) -> Iterator[Judged]:
        """Go through the old side's shards that have rows which were removed or differ."""
        for stretch in self._sides[0].stretches(self.names):
            rows = self._cut(0, stretch)
            if len(rows):
                yield Judged(stretch=stretch, rows=rows)

    def new(self) -> Iterator[Judged]:
        """Go through the new side's shards; those that the old side has only where they are reordered."""
        split, last = NOWHERE, NOWHERE
        for stretch in self._sides[1].stretches(self.names):
            if stretch.split != split:
                split, last = stretch.split, NOWHERE
            if not self._is_shared(stretch):
                rows = self._cut(1, stretch)
                last = _mark_reordered(rows, split, last)
                yield Judged(stretch=stretch, rows=rows)
                continue
            first = self._old_first[stretch.shard.split, stretch.shard.sha256]
            if first < last:
                yield Judged(stretch=stretch, rows=_as_a_whole(stretch, first))
            last = max(last, first + stretch.shard.rows - 1)

    def count_reordered(self) -> list[int]:
        """Count, for each split, the rows that stayed and now stand behind one that they stood before."""
        counts = [0] * len(self.names)
        for judged in self.new():
            counts[judged.stretch.split] += int(judged.rows["reordered"].sum())
        return counts

    def _cut(self, side: int, stretch: Stretch) -> NDArray[Any]:
        """Return the verdicts on the rows of one shard, by place."""
        first, last = (place // self._block_rows for place in (stretch.first, stretch.stop - 1))
        start = int(self._first_block[stretch.split])
        found = []
        for block in range(start + first, start + last + 1):
            rows = self._block(side, block)
            found.append(rows[slice(*np.searchsorted(rows["place"], [stretch.first, stretch.stop]))])
        return np.concatenate(found)

    def _block(self, side: int, block: int) -> NDArray[Any]:
        """Return one block, by place; the next shard begins most often in the one that was read last."""
        if self._loaded.get(side, (NOWHERE,))[0] != block:
            rows = self._stores[side].read(block)
            self._loaded[side] = block, rows[np.argsort(rows["place"])]
        return self._loaded[side][1]


def _mark_reordered(rows: NDArray[Any], split: int, last: int) -> int:
    """Mark the rows of one shard, and return the last place so far; ``last`` is that of the rows before."""
    stayed = rows["old_split"] == split
    places = rows["old_place"][stayed]
    reached = np.maximum.accumulate(np.concatenate([[last], places]))
    rows["reordered"] = False
    rows["reordered"][stayed] = places < reached[:-1]
    return int(reached[-1])


def _as_a_whole(stretch: Stretch, old_first: int) -> NDArray[Any]:
    """Make verdicts on a shard whose rows are all as they were, but behind others now."""
    rows = np.zeros(stretch.shard.rows, NEW)
    rows["place"] = np.arange(stretch.first, stretch.stop)
    rows["old_place"] = np.arange(old_first, old_first + stretch.shard.rows)
    rows["old_split"] = stretch.split
    rows["reordered"] = True
    return rows
