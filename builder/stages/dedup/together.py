"""Keepers of earlier versions and the rows of a build under one numbering, the keepers first."""

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
class Together:
    """What a corpus stage decides over: some keepers of earlier versions, then all rows of the spool.

    Sketches and texts are asked for by the numbers of both. A keeper of an earlier version comes before
    every row, so what was published stays.

    Attributes:
        chosen: int64[n_old], the keepers of ``memory`` that take part, ascending.
    """

    memory: Remembered | None
    chosen: MemoryRows
    sketches: Sketches
    texts: Texts | None = None

    @classmethod
    def choose(
        cls, memory: Remembered | None, sketches: Sketches, key: str, *, texts: Texts | None = None
    ) -> Together:
        """Let those keepers take part whose key is that of a row, as far as its first 8 bytes tell."""
        chosen = MemoryRows(np.empty(0, np.int64))
        if memory and sketches.n_rows:
            known = _first_words(memory.column(key))
            chosen = MemoryRows(np.flatnonzero(np.isin(known, _first_words(sketches.column(key)))))
        return cls(memory, chosen, sketches, texts)

    @property
    def n_old(self) -> int:
        """Keepers of earlier versions that take part."""
        return len(self.chosen)

    @property
    def n_rows(self) -> int:
        """Rows of both."""
        return self.n_old + self.sketches.n_rows

    def column(self, name: str) -> pa.ChunkedArray:
        """Return one column over both."""
        new = self.sketches.column(name)
        if not self.n_old or self.memory is None:
            return new
        old = self.memory.column(name).take(pa.array(self.chosen))
        return pa.chunked_array([*old.chunks, *new.cast(old.type).chunks], type=old.type)

    def release(self) -> None:
        """Hold nothing of the rows' columns in memory."""
        self.sketches.release()

    def alive(self, alive: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """bool[n_rows], with every keeper of an earlier version alive."""
        return np.concatenate([np.ones(self.n_old, np.bool_), alive])

    def order(self, order: NDArray[np.int64]) -> NDArray[np.int64]:
        """Put the keepers of earlier versions before the rows of the spool, given in order of priority."""
        return np.concatenate([np.arange(self.n_old), order + self.n_old])

    def take(self, rows: NDArray[np.int64]) -> pa.LargeBinaryArray:
        """Return the texts of some rows of either kind, in the order asked for."""
        if self.texts is None:
            raise TypeError("this stage asks for no texts")
        if not self.n_old or self.memory is None:
            return self.texts.take(rows)
        is_old = rows < self.n_old
        old = self.memory.texts.take(self.chosen[rows[is_old]])
        new = self.texts.take(rows[~is_old] - self.n_old)
        back = np.empty(len(rows), np.int64)
        back[np.concatenate([np.flatnonzero(is_old), np.flatnonzero(~is_old)])] = np.arange(len(rows))
        return pa.concat_arrays([old, new]).take(pa.array(back))

    def remembered(self, name: str, rows: NDArray[np.int64]) -> pa.Array:
        """Return one column of ``memory`` for some of its keepers, by their numbers here."""
        if self.memory is None:
            raise TypeError("there is no memory")
        return self.memory.column(name).take(pa.array(self.chosen[rows])).combine_chunks()

    def keepers(self, keeper: NDArray[np.int64]) -> BarrierOrMemory:
        """Turn keepers under the common numbering into those of ``Verdicts``, for the rows of the spool."""
        mine = keeper[self.n_old :]
        if not self.n_old:
            return BarrierOrMemory(mine)
        is_old = (mine >= 0) & (mine < self.n_old)
        old = encode_old(self.chosen[np.where(is_old, mine, 0)])
        return BarrierOrMemory(np.where(is_old, old, np.where(mine < 0, NO_ROW, mine - self.n_old)))


def _first_words(column: pa.ChunkedArray) -> NDArray[np.uint64]:
    """uint64[n_rows], the first 8 bytes of each key; null ones are whatever lies there."""
    words = [
        np.frombuffer(chunk.buffers()[1], np.uint64).reshape(-1, chunk.type.byte_width // 8)[
            chunk.offset : chunk.offset + len(chunk), 0
        ]
        for chunk in column.chunks
        if len(chunk)
    ]
    return np.concatenate(words) if words else np.empty(0, np.uint64)
