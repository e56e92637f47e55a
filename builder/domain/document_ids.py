"""Document ids: 16 bytes each; as words, as bytes in Arrow, and as the digits that people see."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from blake3 import blake3

if TYPE_CHECKING:
    from numpy.typing import NDArray


ID_BYTES = 16


def hash_to_id(*parts: bytes) -> bytes:
    """Return the 16 bytes of an id, from what it is made of."""
    return blake3(b"\0".join(parts)).digest(length=ID_BYTES)


def id_words(column: pa.ChunkedArray) -> NDArray[np.uint64]:
    """View a column of 16-byte ids as uint64[n_rows, 2]."""
    chunks = [
        np.frombuffer(c.buffers()[1], np.uint8)[c.offset * ID_BYTES :][: len(c) * ID_BYTES]
        for c in column.chunks
    ]
    data = np.concatenate(chunks) if chunks else np.empty(0, np.uint8)
    return data.view(np.uint64).reshape(-1, 2)


def id_strings(ids: NDArray[np.uint64]) -> pa.StringArray:
    """Write ids as people and rows see them: 32 hexadecimal digits."""
    raw = np.ascontiguousarray(ids).view(np.uint8).reshape(-1, ID_BYTES)
    digits = np.frombuffer(b"0123456789abcdef", np.uint8)
    text = np.empty((len(raw), 2 * ID_BYTES), np.uint8)
    text[:, 0::2], text[:, 1::2] = digits[raw >> 4], digits[raw & 15]
    offsets = np.arange(len(raw) + 1, dtype=np.int32) * (2 * ID_BYTES)
    return pa.StringArray.from_buffers(len(raw), pa.py_buffer(offsets), pa.py_buffer(text.tobytes()))


def id_keys(ids: pa.StringArray | pa.ChunkedArray) -> NDArray[np.uint64]:
    """Return 16 bytes for each id, the same for the same text: those that it was written from, else a hash.

    Returns:
        uint64[n_rows, 2].
    """
    if isinstance(ids, pa.ChunkedArray):
        ids = ids.combine_chunks() if ids.num_chunks != 1 else ids.chunk(0)
    offsets = np.frombuffer(ids.buffers()[1], np.int32, count=len(ids) + 1, offset=4 * ids.offset)
    keys = np.empty((len(ids), ID_BYTES), np.uint8)
    ours = np.diff(offsets) == 2 * ID_BYTES
    if ours.any():
        text = np.frombuffer(ids.buffers()[2], np.uint8)
        digits = _VALUES[text[offsets[:-1][ours, None] + np.arange(2 * ID_BYTES)]]
        keys[ours] = digits[:, 0::2] << 4 | digits[:, 1::2] & 15
        ours[ours] = (digits < 16).all(axis=1)
    for row in np.flatnonzero(~ours).tolist():
        keys[row] = np.frombuffer(hash_to_id(b"id", ids[row].as_py().encode()), np.uint8)
    return keys.view(np.uint64)


_VALUES = np.full(256, 255, np.uint8)
_VALUES[np.frombuffer(b"0123456789abcdef", np.uint8)] = np.arange(16)


def id_hashes(ids: NDArray[np.uint64], *, seed: int) -> NDArray[np.uint64]:
    """Mix ids (BLAKE3 output already, so uniform) with a seed: one round of splitmix64 on each half.

    Returns:
        uint64[n_rows].
    """
    with np.errstate(over="ignore"):
        return _mix(_mix(ids[:, 0] ^ np.uint64(seed)) + ids[:, 1])


def _mix(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Finalise 64 bits as splitmix64 does (Steele, Lea, Flood 2014, figure 17)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
