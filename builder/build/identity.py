"""Who a document is, and which split it belongs to: by its URL, else by its bytes; never by its place.

The id survives better cleaning and, with a URL, recrawls. Two candidates are kept for each row, because a
second kept record of a URL takes URL and content together; which rows need the second is known only when
it is known which rows are kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from blake3 import blake3

from builder.domain.grouping import best_of_group
from builder.domain.record import PAGE_KEY
from builder.domain.url import canonical_url

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from builder.protocols import Resources

ID = "_id"
SECOND_ID = "_second_id"
ID_BYTES = 16


def identify(batch: pa.RecordBatch, *, resources: Resources) -> pa.RecordBatch:
    """Add the two candidate ids of each row, 16 bytes each."""
    urls = batch.column(resources.columns.url).to_pylist() if resources.columns.url else [None] * len(batch)
    pages = batch.column(PAGE_KEY).to_pylist()
    first, second = [], []
    for url, page in zip(urls, pages, strict=True):
        canonical = canonical_url(url) if url else None
        first.append(_key(b"url", canonical.encode()) if canonical else _key(b"page", page))
        second.append(_key(b"both", (canonical or "").encode(), page))
    batch = batch.append_column(ID, pa.array(first, pa.binary(ID_BYTES)))
    return batch.append_column(SECOND_ID, pa.array(second, pa.binary(ID_BYTES)))


def _key(*parts: bytes) -> bytes:
    return blake3(b"\0".join(parts)).digest(length=ID_BYTES)


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
            mixed = _key(b"again", second[row].tobytes(), turn.to_bytes(8, "little"))
            ids[row] = np.frombuffer(mixed, np.uint64)
    return ids


def _repeats(ids: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Mark every row whose id an earlier row has."""
    rows = np.arange(len(ids))
    repeats: NDArray[np.bool_] = best_of_group(ids, rows) != rows
    return repeats


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
        keys[row] = np.frombuffer(_key(b"id", ids[row].as_py().encode()), np.uint8)
    return keys.view(np.uint64)


_VALUES = np.full(256, 255, np.uint8)
_VALUES[np.frombuffer(b"0123456789abcdef", np.uint8)] = np.arange(16)


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


def split_names(shares: Mapping[str, float]) -> Sequence[str]:
    """List the splits in the order of the recipe."""
    return list(shares)
