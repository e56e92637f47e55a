"""View Arrow columns as the arrays that kernels read, without a copy."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from builder.domain.grouping import KEY_TYPE

if TYPE_CHECKING:
    from numpy.typing import NDArray

DIGEST_TYPE = pa.binary(32)


def text_buffers(column: pa.Array) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the bytes and the offsets of a column of strings or binaries.

    Document ``i`` is ``data[offsets[i]:offsets[i + 1]]``; offsets may begin above 0. The bytes of a null
    have no meaning. ``data`` is always read-only, so that each kernel is compiled for one type, not for two.
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


def text_keys(column: pa.Array) -> pa.Array:
    """Hash texts to 16 bytes (XXH3) without copying them; null stays null."""
    from xxhash import xxh3_128_digest

    column = column.cast(pa.large_binary())
    _, offsets, data = column.buffers()
    ends = np.frombuffer(offsets, dtype=np.int64)[column.offset : column.offset + len(column) + 1].tolist()
    view = memoryview(data) if data is not None else memoryview(b"")
    keys = [xxh3_128_digest(view[start:end]) for start, end in pairwise(ends)]
    mask = column.is_null().to_numpy(zero_copy_only=False) if column.null_count else None
    return pa.array(keys, KEY_TYPE, mask=mask)


def text_digests(column: pa.LargeBinaryArray) -> pa.FixedSizeBinaryArray:
    """Digest texts to 32 bytes (BLAKE3): equal digests mean equal texts, even if an attacker wrote them."""
    from blake3 import blake3

    data, offsets = text_buffers(column)
    view = memoryview(data)  # type: ignore[arg-type]
    digests = [blake3(view[start:end]).digest() for start, end in pairwise(offsets.tolist())]
    return pa.array(digests, DIGEST_TYPE)


class BandKeys:
    """A column of band keys over all rows of a spool; each call reads the part that it needs."""

    def __init__(self, column: pa.ChunkedArray) -> None:
        self._chunks = [_words(chunk) for chunk in column.chunks if len(chunk)]
        self._starts = np.cumsum([0, *(len(chunk) for chunk in self._chunks)])

    def band(self, band: int, rows: NDArray[np.int64]) -> NDArray[np.uint64]:
        """Return uint64[n], the keys of some rows in one band."""
        if not self._chunks:
            return np.zeros(0, np.uint64)
        return np.concatenate([chunk[:, band] for chunk in self._chunks])[rows]

    def rows(self, rows: NDArray[np.int64]) -> NDArray[np.uint64]:
        """Return uint64[n, n_bands], the keys of some rows in all bands."""
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
