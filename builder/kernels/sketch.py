"""Fast Similarity Sketching, and the band keys that documents are compared by.

Dahlgaard, Knudsen, Thorup, "Fast Similarity Sketching", FOCS 2017 (arXiv 1704.04370): one-permutation
hashing in rounds until every bin is filled, so that a document of three shingles has a sketch as exact as
one of three thousand, at a cost of little more than one hash a shingle. With ``t`` bins, round ``i`` of
``0 .. 2t - 1`` gives each shingle ``x``

    v     = x in round 0, else mix(x + i * SEED)
    bin   = the upper half of v, scaled to 0 .. t - 1, while i < t; after that i - t
    value = i * 2 ** 32 + the lower half of v

and each bin takes the least value; no round is begun once all bins are filled. Two sketches agree in a bin
with a probability that is the Jaccard similarity of the two sets.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from builder.kernels.bits import mix
from builder.kernels.jit import kernel
from builder.kernels.shingles import FIRST_TABLE, distinct_shingles, short_hash
from builder.kernels.words import SEED

_SEED = np.uint64(SEED)
_EMPTY = np.uint64(0xFFFFFFFFFFFFFFFF)
_HALF = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)


@kernel
def fill_bins(shingles: Any, n_shingles: Any, bins: Any) -> Any:
    """Fill ``bins`` (uint64[t], overwritten) with the sketch of ``shingles[:n_shingles]``, at least one."""
    n_bins = len(bins)
    wide = np.uint64(n_bins)
    bins[:] = _EMPTY
    n_empty: Any = n_bins
    for turn in range(2 * n_bins):
        tag = np.uint64(turn) << _32
        step = np.uint64(turn) * _SEED
        for i in range(n_shingles):
            v = shingles[i]
            if turn > 0:
                v = mix(v + step)
            value = tag | (v & _HALF)
            place = ((v >> _32) * wide) >> _32 if turn < n_bins else np.uint64(turn - n_bins)
            before = bins[place]
            bins[place] = min(before, value)
            n_empty -= np.int64(before == _EMPTY)
        if n_empty == 0:
            break


@kernel
def band_keys(bins: Any, rows: Any, keys: Any) -> Any:
    """Hash ``rows`` bins to a key, for each band: ``k = mix(k ^ bin)`` from ``k = band * SEED``.

    The number of the band goes in, so keys of different bands can share a table.
    """
    for band in range(len(keys)):
        k = np.uint64(band) * _SEED
        for row in range(rows):
            k = mix(k ^ bins[band * rows + row])
        keys[band] = k


@kernel
def sketch_texts(
    data: Any, offsets: Any, width: Any, rows: Any, folding: Any, room: Any,
    keys: Any, n_words: Any, n_shingles: Any, words_hash: Any,
) -> Any:  # fmt: skip
    """Sketch documents, from the two buffers of an Arrow string column.

    A document of fewer than ``width`` words has no shingle; its keys are all 0 and callers must not band
    it, or every short document would be a candidate of every other.

    Args:
        data: uint8[n_bytes], read-only or not.
        offsets: int64[n_docs + 1]; document ``i`` is ``data[offsets[i]:offsets[i + 1]]``.
        width: words in a shingle.
        rows: bins in a band.
        keys: uint64[n_docs, n_bands], overwritten.
        n_words: int64[n_docs], overwritten.
        n_shingles: int64[n_docs], overwritten; distinct ones.
        words_hash: uint64[n_docs, 2], overwritten; see ``short_hash``; 0 for documents with shingles.
    """
    bins = np.empty(keys.shape[1] * rows, np.uint64)
    table = np.empty(FIRST_TABLE, np.uint64)
    found = np.empty(FIRST_TABLE, np.uint64)
    for doc in range(len(offsets) - 1):
        start, end = offsets[doc], offsets[doc + 1]
        n_words[doc], n_shingles[doc], table, found = distinct_shingles(
            data, start, end, width, folding, room, table, found
        )
        keys[doc] = 0
        words_hash[doc] = 0
        if n_shingles[doc] > 0:
            fill_bins(found, n_shingles[doc], bins)
            band_keys(bins, rows, keys[doc])
        else:
            words_hash[doc, 0], words_hash[doc, 1] = short_hash(data, start, end, n_words[doc], folding, room)
