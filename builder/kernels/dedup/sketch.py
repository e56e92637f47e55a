"""Compute sketches by Fast Similarity Sketching, and the band keys by which documents are compared.

Dahlgaard, Knudsen, Thorup, "Fast Similarity Sketching", FOCS 2017 (arXiv 1704.04370): one-permutation
hashing in rounds until every bin is filled. So the sketch of a document of three shingles is as exact as that
of one with three thousand, at a cost of little more than one hash for each shingle. With ``t`` bins, round
``i`` of ``0 .. 2t - 1`` gives each shingle ``x``

    v     = x in round 0, else mix(x + i * SEED)
    bin   = the upper half of v, scaled to 0 .. t - 1, while i < t; after that i - t
    value = i * 2 ** 32 + the lower half of v

and each bin takes the least value. No round starts after all bins are filled. The probability that two
sketches agree in a bin is the Jaccard similarity of the two sets.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from builder.kernels.bits import mix
from builder.kernels.dedup.shingles import FIRST_TABLE, distinct_shingles, short_hash
from builder.kernels.jit import array_kernel, kernel
from builder.kernels.text.words import SEED

_SEED = np.uint64(SEED)
_EMPTY = np.uint64(0xFFFFFFFFFFFFFFFF)
_HALF = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)
_MIXED = 256


@kernel
def fill_bins(shingles: Any, n_shingles: Any, bins: Any, mixed: Any) -> Any:
    """Fill ``bins`` with the sketch of ``shingles[:n_shingles]``; there is at least one shingle.

    Args:
        bins: uint64[t], overwritten.
        mixed: uint64[any], a work buffer. The kernel first mixes a piece of the shingles, because a separate
            loop can be vectorised, and then puts the piece into the bins.
    """
    n_bins = len(bins)
    bins[:] = _EMPTY
    throw(shingles, n_shingles, 0, bins)
    for turn in range(1, 2 * n_bins):
        if not has_empty(bins):
            break
        step = np.uint64(turn) * _SEED
        for start in range(0, n_shingles, len(mixed)):
            n_mixed = min(n_shingles - start, len(mixed))
            for i in range(n_mixed):
                mixed[i] = mix(shingles[start + i] + step)
            if turn < n_bins:
                throw(mixed, n_mixed, turn, bins)
            else:
                put_least(mixed, n_mixed, turn, bins)


@kernel
def throw(values: Any, n_values: Any, turn: Any, bins: Any) -> Any:
    """Put each of ``values[:n_values]`` into its own bin, in one of the first ``t`` rounds."""
    tag = np.uint64(turn) << _32
    wide = np.uint64(len(bins))
    for i in range(n_values):
        place = ((values[i] >> _32) * wide) >> _32
        bins[place] = min(bins[place], tag | (values[i] & _HALF))


@kernel
def put_least(values: Any, n_values: Any, turn: Any, bins: Any) -> Any:
    """Put the least of ``values[:n_values]`` into the single bin of one of the last ``t`` rounds."""
    least = _HALF
    for i in range(n_values):
        least = min(least, values[i] & _HALF)
    place = turn - len(bins)
    bins[place] = min(bins[place], (np.uint64(turn) << _32) | least)


@kernel
def has_empty(bins: Any) -> Any:
    """Return whether a bin is still empty."""
    n_empty: Any = 0
    for i in range(len(bins)):
        n_empty += np.int64(bins[i] == _EMPTY)
    return n_empty > 0


@kernel
def band_keys(bins: Any, rows: Any, keys: Any) -> Any:
    """Hash the ``rows`` bins of each band to a key: ``k = mix(k ^ bin)``, starting from ``k = band * SEED``.

    A key depends on the number of its band, so keys of different bands can share a table.
    """
    for band in range(len(keys)):
        k = np.uint64(band) * _SEED
        for row in range(rows):
            k = mix(k ^ bins[band * rows + row])
        keys[band] = k


@array_kernel
def sketch_texts(
    data: Any, offsets: Any, width: Any, rows: Any, folding: Any, room: Any,
    keys: Any, n_words: Any, n_shingles: Any, words_hash: Any,
) -> Any:  # fmt: skip
    """Sketch documents from the two buffers of an Arrow string column.

    A document with fewer than ``width`` words has no shingle. Its keys are all 0, and callers must not use
    them; otherwise every short document would be a candidate of every other one.

    Args:
        data: uint8[n_bytes], read-only or not.
        offsets: int64[n_docs + 1]; document ``i`` is ``data[offsets[i]:offsets[i + 1]]``.
        width: words in a shingle.
        rows: bins in a band.
        keys: uint64[n_docs, n_bands], overwritten.
        n_words: int64[n_docs], overwritten.
        n_shingles: int64[n_docs], overwritten; counts distinct shingles.
        words_hash: uint64[n_docs, 2], overwritten; see ``short_hash``; 0 for documents with shingles.
    """
    bins = np.empty(keys.shape[1] * rows, np.uint64)
    table = np.empty(FIRST_TABLE, np.uint64)
    found = np.empty(FIRST_TABLE, np.uint64)
    mixed = np.empty(_MIXED, np.uint64)
    for doc in range(len(offsets) - 1):
        start, end = offsets[doc], offsets[doc + 1]
        n_words[doc], n_shingles[doc], table, found = distinct_shingles(
            data, start, end, width, folding, room, table, found
        )
        keys[doc] = 0
        words_hash[doc] = 0
        if n_shingles[doc] > 0:
            fill_bins(found, n_shingles[doc], bins, mixed)
            band_keys(bins, rows, keys[doc])
        else:
            words_hash[doc, 0], words_hash[doc, 1] = short_hash(data, start, end, n_words[doc], folding, room)
