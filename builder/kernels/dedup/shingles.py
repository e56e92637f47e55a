"""Compute shingles (runs of ``width`` words) of documents as 64-bit hashes, and hashes of short documents.

    shingle(w[i:i + width]) = mix(sum of hash(w[i + j]) * BASE ** (width - 1 - j), modulo 2 ** 64), or 1 if 0

A document has the *set* of its shingles: each shingle once, in the order of first occurrence. A document with
fewer than ``width`` words has no shingle; ``short_hash`` distinguishes such documents.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from builder.kernels.bits import load8, mix, power_of_two
from builder.kernels.jit import array_kernel, kernel
from builder.kernels.text.words import SEED, next_words

BASE = 0xD1342543DE82EF95
"""The multiplier of a full-period generator; odd (Steele, Vigna 2021, "Computationally easy, spectrally good
multipliers for congruential pseudorandom number generators")."""


_BASE = np.uint64(BASE)
_SEED = np.uint64(SEED)
FIRST_TABLE = 1 << 14
"""Slots of the first table of a document, at most; the table grows if it is too small."""


@kernel
def roll(words: Any, stop: Any, width: Any, rolled: Any) -> Any:
    """Write the hashes of the shingles that end in ``words[width:stop]`` to ``words[:stop - width]``.

    Args:
        words: uint64[...]; the first ``width`` are the preceding words. Each word is read before it is
            overwritten.
        rolled: the polynomial over the first ``width`` words.

    Returns:
        The polynomial over the last ``width`` words.
    """
    oldest = np.uint64(1)
    for _ in range(width):
        oldest *= _BASE
    for i in range(stop - width):
        leaving = words[i]
        rolled = rolled * _BASE + (words[np.uint64(i + width)] - leaving * oldest)
        value = mix(rolled)
        words[i] = value if value != 0 else np.uint64(1)
    return rolled


@kernel
def room_in(size: Any) -> Any:
    """Return the number of members at which a table of this size must grow."""
    return size - size // 4


@kernel
def add_to_set(values: Any, start: Any, stop: Any, table: Any, size: Any, found: Any, n_found: Any) -> Any:
    """Add ``values[start:stop]`` to a set until it fills three quarters of its table; no value is 0.

    Args:
        table: uint64[>= size], a hash table with open addressing and linear probing, 0 in empty slots.
        size: a power of two.
        found: uint64[>= n_found + stop - start], the members of the set in the order of their arrival.

    Returns:
        The position in ``values`` of the first value that was not added, and the new ``n_found``.
    """
    mask = np.uint64(size - 1)
    limit = room_in(size)
    while start < stop and n_found < limit:
        value = values[start]
        slot = value & mask
        there = table[slot]
        # whether a value is new is unpredictable, so both cases take the same path; a collision is rare
        while there != 0 and there != value:
            slot = (slot + np.uint64(1)) & mask
            there = table[slot]
        table[slot] = value
        found[np.uint64(n_found)] = value
        n_found += np.int64(there == 0)
        start += 1
    return start, n_found


@array_kernel
def grown(array: Any, used: Any, size: Any) -> Any:
    """Copy ``array[:used]`` to the front of a new array of ``size`` elements."""
    larger = np.empty(size, array.dtype)
    larger[:used] = array[:used]
    return larger


@array_kernel
def distinct_shingles(
    data: Any, start: Any, end: Any, width: Any, folding: Any, room: Any, table: Any, found: Any
) -> Any:
    """Collect the set of shingles of ``data[start:end]``.

    Args:
        table: uint64[at least 8], a work buffer, overwritten.
        found: uint64[any]; the set is written to its front.

    Returns:
        The number of words, the number of distinct shingles, and ``table`` and ``found``, which may be new,
        larger arrays.
    """
    # English has about one shingle for every 6 bytes; a larger set makes its table grow
    size = min(power_of_two((end - start) // 2), len(table))
    table[:size] = 0
    words = room.words
    words[:width] = 0  # as if zero words preceded the first one
    n_words = 0
    n_found = 0
    rolled = np.uint64(0)
    at = start
    state = (0, 0, _SEED)
    while True:
        at, stop, state = next_words(data, at, end, room, width, _SEED, folding, state)
        rolled = roll(words, stop, width, rolled)
        if n_found + stop > len(found):
            found = grown(found, n_found, 2 * (n_found + stop))
        # no shingle ends at the first width - 1 words of a document
        i = max(0, min(width - 1 - n_words, stop - width))
        n_words += stop - width
        while i < stop - width:
            i, n_found = add_to_set(words, i, stop - width, table, size, found, n_found)
            if n_found >= room_in(size):
                size *= 2
                table = np.zeros(size, np.uint64)
                add_to_set(found, 0, n_found, table, size, found, 0)
        if at >= end:
            return n_words, n_found, table, found
        words[:width] = words[stop - width : stop]


@kernel
def sequence_hash(data: Any, start: Any, end: Any, seed: Any, folding: Any, room: Any) -> Any:
    """Return a hash of all folded words in their order: ``c = mix(c ^ hash(word))`` from ``c = seed``."""
    chain = seed
    at = start
    state = (0, 0, seed)
    while True:
        at, n_words, state = next_words(data, at, end, room, 0, seed, folding, state)
        for i in range(n_words):
            chain = mix(chain ^ room.words[i])
        if at >= end:
            return chain


@kernel
def bytes_hash(data: Any, start: Any, end: Any, seed: Any) -> Any:
    """Return a hash of bytes: of their lanes, which are hashed like those of a word, and of their number."""
    h = seed
    at = start
    while at + 8 <= end:
        h = mix(h ^ load8(data, at))
        at += 8
    rest = np.uint64(0)
    for i in range(end - at):
        rest |= np.uint64(data[at + i]) << np.uint64(8 * i)
    return mix(mix(h ^ rest) ^ np.uint64(end - start))


@kernel
def short_hash(data: Any, start: Any, end: Any, n_words: Any, folding: Any, room: Any) -> Any:
    """Return a hash of 128 bits that distinguishes documents without shingles.

    The hash is over the folded words, or over the bytes if a document has no word. The two halves use
    different seeds, also for the hashes of single words, so that they do not collide together.
    """
    first = np.uint64(0)
    second = np.uint64(0)
    seed = _SEED
    # a loop instead of two calls: code that is inlined twice is compiled twice
    for _ in range(2):
        first = second
        if n_words > 0:
            second = sequence_hash(data, start, end, seed, folding, room)
        else:
            second = bytes_hash(data, start, end, seed)
        seed = mix(seed)
    return first, second


@array_kernel
def shingle_sets(data: Any, offsets: Any, width: Any, folding: Any, room: Any) -> Any:
    """Return the concatenated shingle sets of some documents.

    Args:
        data: uint8[n_bytes], read-only or not.
        offsets: int64[n_docs + 1]; document ``i`` is ``data[offsets[i]:offsets[i + 1]]``.
        width: words in a shingle, 1 to 64.

    Returns:
        ``hashes``, uint64[n_hashes], and ``starts``, int64[n_docs + 1]: document ``i`` has
        ``hashes[starts[i]:starts[i + 1]]``.
    """
    n_docs = len(offsets) - 1
    starts = np.zeros(n_docs + 1, np.int64)
    hashes = np.empty((offsets[n_docs] - offsets[0]) // 4 + 64, np.uint64)
    table = np.empty(FIRST_TABLE, np.uint64)
    found = np.empty(FIRST_TABLE, np.uint64)
    for doc in range(n_docs):
        _, n_found, table, found = distinct_shingles(
            data, offsets[doc], offsets[doc + 1], width, folding, room, table, found
        )
        stop = starts[doc] + n_found
        if stop > len(hashes):
            hashes = grown(hashes, starts[doc], 2 * stop)
        hashes[starts[doc] : stop] = found[:n_found]
        starts[doc + 1] = stop
    return hashes[: starts[n_docs]], starts
