"""Fold text and split it into words, straight from the bytes of an Arrow string column.

``folding.py`` defines the rule. A word is represented by a 64-bit hash of its folded UTF-8 bytes:

    lanes(word) = the bytes, padded with zeros to a multiple of 8, as little-endian uint64
    hash(word)  = h after: h = seed; for each lane: h = mix(h ^ lane)

No folded byte is zero, so the padding is not ambiguous, and words of up to 8 bytes have no collisions.

Text is folded piece by piece into a small buffer in which a zero byte ends a word, so a document of any
length takes the same memory. Invalid UTF-8, which Arrow strings never hold, gives arbitrary words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from builder.kernels.bits import load8, mix, store8, trailing_zeros
from builder.kernels.jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

BUFFER = 8192
"""Folded bytes at a time: with the hashes of their words, they fit in the L1 cache of a core."""

ROOM = 64
"""Spare bytes of the buffer: one code point adds at most 36, and loads and stores reach 8 past the end."""

SEED = 0x9E3779B97F4A7C15
"""The initial value of word hashes (the golden ratio in 64 bits)."""

_ONES = np.uint64(0x0101010101010101)
_HIGH = np.uint64(0x8080808080808080)
_CASE = np.uint64(0x2020202020202020)
_FROM_A = np.uint64(0x1F1F1F1F1F1F1F1F)  # 0x80 - ord("a") in each byte
_PAST_Z = np.uint64(0x0505050505050505)  # 0x80 - (ord("z") + 1)
_FROM_0 = np.uint64(0x5050505050505050)  # 0x80 - ord("0")
_PAST_9 = np.uint64(0x4646464646464646)  # 0x80 - (ord("9") + 1)


class Buffers(NamedTuple):
    """Work buffers of one thread; one set serves any number of documents, one after another.

    Attributes:
        folded: uint8[BUFFER + ROOM], folded bytes; a zero byte ends a word.
        words: uint64[BUFFER + 1024], hashes; callers may keep hashes of the last piece at the front.
    """

    folded: NDArray[np.uint8]
    words: NDArray[np.uint64]


def buffers() -> Buffers:
    """Allocate the work buffers of one thread."""
    return Buffers(np.zeros(BUFFER + ROOM, np.uint8), np.zeros(BUFFER + 1024, np.uint64))


@kernel
def fold_ascii(x: Any) -> Any:
    """Fold 8 bytes below 0x80 at once: letters become lower case, digits stay, all else becomes zero.

    A byte of 0x80 or more makes the bytes above it (later in the text) wrong, and no others.
    """
    lower = x | _CASE
    letter = (lower + _FROM_A) & ~(lower + _PAST_Z)
    digit = (x + _FROM_0) & ~(x + _PAST_9)
    marked = ((letter | digit) & _HIGH) >> np.uint64(7)
    return lower & (marked * np.uint64(0xFF))


@kernel
def load_rest(data: Any, at: Any, end: Any) -> Any:
    """Return ``data[at:end]``, cut or zero-padded to 8 bytes, as ``load8`` returns it."""
    if at + 8 <= end:
        return load8(data, at)
    x = np.uint64(0)
    for i in range(end - at):
        x |= np.uint64(data[at + i]) << np.uint64(8 * i)
    return x


@kernel
def decode_code_point(x: Any) -> Any:
    """Return the code point whose UTF-8 begins with the lowest byte of ``x`` (0x80 or more), and its length.

    Invalid UTF-8 gives an arbitrary code point, which may be 0x110000 or more.
    """
    lead = x & np.uint64(0xFF)
    second = (x >> np.uint64(8)) & np.uint64(0x3F)
    if lead < 0xE0:
        return np.int64(((lead & np.uint64(0x1F)) << np.uint64(6)) | second), 2
    third = (x >> np.uint64(16)) & np.uint64(0x3F)
    if lead < 0xF0:
        high = ((lead & np.uint64(0x0F)) << np.uint64(12)) | (second << np.uint64(6))
        return np.int64(high | third), 3
    high = ((lead & np.uint64(0x07)) << np.uint64(18)) | (second << np.uint64(12))
    return np.int64(high | (third << np.uint64(6)) | ((x >> np.uint64(24)) & np.uint64(0x3F))), 4


@kernel
def put_folded(x: Any, code: Any, length: Any, out: Any, n_out: Any, folding: Any) -> Any:
    """Append a folded code point to ``out``; its UTF-8 is the lowest bytes of ``x``. Return ``n_out``."""
    entry = np.int64(0)
    if code < 0x110000:
        leaf = (np.int64(folding.blocks[code >> 7]) << 7) | (code & 127)
        entry = np.int64(folding.leaves[leaf])
    if entry == 1:
        store8(out, n_out, x)
        return n_out + length
    if entry == 2:
        if n_out > 0 and out[n_out - 1] != 0:
            out[n_out] = 0
            n_out += 1
        store8(out, n_out, x)
        out[n_out + length] = 0
        return n_out + length + 1
    if entry == 0:
        out[n_out] = 0
        return n_out + 1
    start = entry >> 8
    size = entry & 0xFF
    for i in range(size):
        out[n_out + i] = folding.pool[start + i]
    return n_out + size


@kernel
def fold(data: Any, at: Any, end: Any, out: Any, n_out: Any, folding: Any) -> Any:
    """Append the folded ``data[at:end]`` to ``out[:n_out]`` until data or buffer ends.

    Returns:
        The new ``at`` and the new ``n_out``.
    """
    while at < end and n_out < BUFFER:
        x = load_rest(data, at, end)
        n_ascii = min(8, end - at)
        store8(out, n_out, fold_ascii(x))
        high = x & _HIGH
        if high == 0:
            at += n_ascii
            n_out += n_ascii
            continue
        n_ascii = trailing_zeros(high) >> 3
        at += n_ascii
        n_out += n_ascii
        # characters of scripts other than Latin come in runs
        while at < end and n_out < BUFFER and data[at] >= 0x80:
            x = load_rest(data, at, end)
            code, length = decode_code_point(x)
            n_out = put_folded(x, code, length, out, n_out, folding)
            at += length
    return at, n_out


@kernel
def hash_words(folded: Any, stop: Any, words: Any, n_words: Any, seed: Any, begun: Any, h: Any) -> Any:
    """Hash the words of ``folded``, 8 bytes at a time, as long as the 8 bytes begin below ``stop``.

    Args:
        words: uint64[...], hashes are appended to ``words[:n_words]``.
        begun: 1 if ``h`` is the partial hash of a word whose first lanes are already consumed, else 0.

    Returns:
        The position in ``folded`` of the next 8 bytes, ``n_words``, ``begun`` and ``h``.
    """
    at = 0
    while at < stop:
        x = load8(folded, at)
        # the lowest set bit belongs to the lowest zero byte; the bits above it may be wrong
        zeros = (x - _ONES) & ~x & _HIGH
        if zeros == 0:
            h = mix(h ^ x)
            begun = 1
            at += 8
        else:
            size = trailing_zeros(zeros) >> 3
            below = ((zeros & (np.uint64(0) - zeros)) >> np.uint64(7)) - np.uint64(1)
            last = mix(h ^ (x & below))
            # no branches, because neither word lengths nor two ends in a row are predictable; if no word
            # ends here, the next word overwrites what this writes
            some = np.int64(size > 0)
            words[np.uint64(n_words)] = h ^ ((h ^ last) & (np.uint64(0) - np.uint64(some)))
            n_words += some | begun
            begun = 0
            h = seed
            at += size + 1
    return at, n_words, begun, h


@kernel
def next_words(
    data: Any, at: Any, end: Any, room: Any, n_words: Any, seed: Any, folding: Any, state: Any
) -> Any:
    """Fold and hash the next piece of a document.

    Args:
        room: ``Buffers``; hashes are appended to ``room.words[:n_words]``.
        state: the state that the last call returned, ``(0, 0, seed)`` at the start of a document: the number
            of bytes of ``room.folded`` that are not hashed yet, and the unfinished word.

    Returns:
        The position in ``data`` of the next piece, ``n_words``, and the next ``state``.
    """
    n_folded, begun, h = state
    folded = room.folded
    at, n_folded = fold(data, at, end, folded, n_folded, folding)
    stop = n_folded - 7
    if at >= end:
        for i in range(n_folded, n_folded + 16):
            folded[i] = 0
        stop = n_folded + 1
    done, n_words, begun, h = hash_words(folded, stop, room.words, n_words, seed, begun, h)
    rest = max(n_folded - done, 0)
    for i in range(rest):
        folded[i] = folded[done + i]
    return at, n_words, (rest, begun, h)
