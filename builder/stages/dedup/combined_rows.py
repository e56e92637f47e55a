"""Number the keepers of earlier versions and the rows of a build together, the keepers first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from builder.domain.row_numbers import NO_ROW, BarrierOrMemory, MemoryRows, encode_old

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from builder.protocols import Remembered, Sketches, Texts


@dataclass(frozen=True)
class CombinedRows:
    """The rows on which a corpus stage decides: some keepers of earlier versions, then all rows of the spool.

    Sketches and texts are read by these common row numbers. Keepers of earlier versions have priority over
    all rows of the spool, so that published documents stay.

    Attributes:
        chosen: int64[n_old], the rows of ``memory`` that take part, ascending.
    """

    memory: Remembered | None
    chosen: MemoryRows
    sketches: Sketches
    texts: Texts | None = None

    @classmethod
    def choose(
        cls, memory: Remembered | None, sketches: Sketches, key: str, *, texts: Texts | None = None
    ) -> CombinedRows:
        """Select the keepers of ``memory`` whose key has the same first 8 bytes as the key of a row."""
        chosen = MemoryRows(np.empty(0, np.int64))
        if memory and sketches.n_rows:
            known = _first_words(memory.column(key))
            chosen = MemoryRows(np.flatnonzero(np.isin(known, _first_words(sketches.column(key)))))
        return cls(memory, chosen, sketches, texts)

    @property
    def n_old(self) -> int:
        """Number of keepers of earlier versions that take part."""
        return len(self.chosen)

    @property
    def n_rows(self) -> int:
        """Number of rows of both kinds."""
        return self.n_old + self.sketches.n_rows

    def column(self, name: str) -> pa.ChunkedArray:
        """Return one column over the rows of both kinds."""
        new = self.sketches.column(name)
        if not self.n_old or self.memory is None:
            return new
        old = self.memory.column(name).take(pa.array(self.chosen))
        return pa.chunked_array([*old.chunks, *new.cast(old.type).chunks], type=old.type)

    def release(self) -> None:
        """Release the memory of the sketch columns."""
        self.sketches.release()

    def alive(self, alive: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Extend ``alive`` to bool[n_rows]; all keepers of earlier versions are alive."""
        return np.concatenate([np.ones(self.n_old, np.bool_), alive])

    def order(self, order: NDArray[np.int64]) -> NDArray[np.int64]:
        """Put the keepers of earlier versions before the rows of the spool in their order of priority."""
        return np.concatenate([np.arange(self.n_old), order + self.n_old])

    def take(self, rows: NDArray[np.int64]) -> pa.LargeBinaryArray:
        """Return the texts of ``rows``, of both kinds, in that order."""
        if self.texts is None:
            raise TypeError("this stage does not read texts; pass texts= to read them")
        if not self.n_old or self.memory is None:
            return self.texts.take(rows)
        is_old = rows < self.n_old
        old = self.memory.texts.take(self.chosen[rows[is_old]])
        new = self.texts.take(rows[~is_old] - self.n_old)
        back = np.empty(len(rows), np.int64)
        back[np.concatenate([np.flatnonzero(is_old), np.flatnonzero(~is_old)])] = np.arange(len(rows))
        return pa.concat_arrays([old, new]).take(pa.array(back))

    def remembered(self, name: str, rows: NDArray[np.int64]) -> pa.Array:
        """Return one column of ``memory`` for some of its keepers, by their common row numbers."""
        if self.memory is None:
            raise TypeError("the corpus has no earlier version, so no keeper is remembered")
        return self.memory.column(name).take(pa.array(self.chosen[rows])).combine_chunks()

    def keepers(self, keeper: NDArray[np.int64]) -> BarrierOrMemory:
        """Convert keepers from common row numbers to those of ``Verdicts``, for the rows of the spool."""
        mine = keeper[self.n_old :]
        if not self.n_old:
            return BarrierOrMemory(mine)
        is_old = (mine >= 0) & (mine < self.n_old)
        old = encode_old(self.chosen[np.where(is_old, mine, 0)])
        return BarrierOrMemory(np.where(is_old, old, np.where(mine < 0, NO_ROW, mine - self.n_old)))


def _first_words(column: pa.ChunkedArray) -> NDArray[np.uint64]:
    """Return the first 8 bytes of each key as uint64[n_rows]; the value of a null key is undefined."""
    words = [
        np.frombuffer(chunk.buffers()[1], np.uint64).reshape(-1, chunk.type.byte_width // 8)[
            chunk.offset : chunk.offset + len(chunk), 0
        ]
        for chunk in column.chunks
        if len(chunk)
    ]
    return np.concatenate(words) if words else np.empty(0, np.uint64)
