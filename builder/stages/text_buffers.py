"""Arrow columns as the arrays that kernels read, without a copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from numpy.typing import NDArray


def text_buffers(column: pa.Array) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return bytes and offsets of a column of strings or binaries; a null is whatever lies there.

    Document ``i`` is ``data[offsets[i]:offsets[i + 1]]``; offsets may begin above 0. ``data`` is always
    read-only, so that a kernel is compiled for one type and not for two.
    """
    wide = pa.types.is_large_string(column.type) or pa.types.is_large_binary(column.type)
    if not (wide or pa.types.is_string(column.type) or pa.types.is_binary(column.type)):
        column, wide = column.cast(pa.large_string()), True
    _, ends, data = column.buffers()
    if len(column) == 0 or ends is None:
        offsets = np.zeros(len(column) + 1, np.int64)
    else:
        stored = np.frombuffer(ends, np.int64 if wide else np.int32)
        offsets = stored[column.offset : column.offset + len(column) + 1].astype(np.int64)
    array = np.frombuffer(data, np.uint8) if data is not None and data.size else np.zeros(0, np.uint8)
    array.flags.writeable = False
    return array, offsets


class BandKeys:
    """A column of band keys over all rows of a spool, of which parts are read as asked for."""

    def __init__(self, column: pa.ChunkedArray) -> None:
        self._chunks = [_words(chunk) for chunk in column.chunks if len(chunk)]
        self._starts = np.cumsum([0, *(len(chunk) for chunk in self._chunks)])

    def band(self, band: int, rows: NDArray[np.int64]) -> NDArray[np.uint64]:
        """Return uint64[n], the keys of one band."""
        if not self._chunks:
            return np.zeros(0, np.uint64)
        return np.concatenate([chunk[:, band] for chunk in self._chunks])[rows]

    def rows(self, rows: NDArray[np.int64]) -> NDArray[np.uint64]:
        """Return uint64[n, n_bands], all keys of some rows."""
        owner = np.searchsorted(self._starts, rows, side="right") - 1
        out = np.empty((len(rows), self._chunks[0].shape[1]), np.uint64)
        for number in np.unique(owner):
            here = owner == number
            out[here] = self._chunks[number][rows[here] - self._starts[number]]
        return out


def _words(chunk: pa.FixedSizeBinaryArray) -> NDArray[np.uint64]:
    """View a chunk as uint64[n_rows, n_bands]."""
    words = np.frombuffer(chunk.buffers()[1], np.uint64).reshape(-1, chunk.type.byte_width // 8)
    return words[chunk.offset : chunk.offset + len(chunk)]
