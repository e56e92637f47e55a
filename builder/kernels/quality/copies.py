"""Find equal items, and equal runs of words, in one document.

Runs of ``n + 1`` words are found from runs of ``n``: a run has a copy only if both its parts of ``n`` words
have copies, and two runs are equal if these parts are. So a run is compared by two numbers of places, never
by a hash of its words, and the number of candidates falls quickly with ``n``. The work is linear in the
number of words.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from builder.kernels.jit import kernel


@kernel
def _clear(copies: Any, n_items: Any) -> Any:
    """Empty enough slots for ``n_items`` items; return how many bits of 64 do not number the slots."""
    size, shift = 8, 61
    while size < 2 * n_items:
        size *= 2
        shift -= 1
    for i in range(size):
        copies.slots[i] = 0
    return np.uint64(shift)


@kernel
def _insert(copies: Any, i: Any, shift: Any) -> None:
    """Set ``first[i]``, and count the copy; items come in ascending order.

    The highest bits of the key times an odd seed number the slot (multiply-shift hashing: Dietzfelbinger and
    others 1997, "A Reliable Randomized Algorithm for the Closest-Pair Problem").
    """
    key, mask = copies.keys[i], ~np.uint64(0) >> shift
    at = (key * copies.seed[0]) >> shift
    while copies.slots[at] != 0:
        j = copies.slots[at] - 1
        if copies.keys[j] == key:
            copies.first[i] = j
            copies.counts[j] += 1
            return
        at = (at + np.uint64(1)) & mask
    copies.slots[at] = i + 1
    copies.first[i] = i
    copies.counts[i] = 1


@kernel
def find_copies(keys: Any, n_items: Any, copies: Any) -> Any:
    """Find equal keys; return the number of different ones, and the number of items that have copies.

    ``copies.first``, ``copies.counts`` and ``copies.places`` have the result.
    """
    shift = _clear(copies, n_items)
    for i in range(n_items):
        copies.keys[i] = keys[i]
        _insert(copies, i, shift)
    n_different, n_places = 0, 0
    for i in range(n_items):
        j = copies.first[i]
        n_different += j == i
        if copies.counts[j] > 1:
            copies.places[n_places] = i
            n_places += 1
    return n_different, n_places


@kernel
def lengthen(copies: Any, n_places: Any) -> Any:
    """Find equal runs of one word more; return the number of runs that have copies.

    Before the call, ``copies`` describes the runs of ``n`` words by the place of their first word, after it
    those of ``n + 1`` words.
    """
    n_candidates = 0
    for k in range(n_places - 1):
        i = copies.places[k]
        if copies.places[k + 1] == i + 1:
            copies.keys[i] = (np.uint64(copies.first[i]) << np.uint64(32)) | np.uint64(copies.first[i + 1])
            copies.places[n_candidates] = i
            n_candidates += 1
    shift = _clear(copies, n_candidates)
    for k in range(n_candidates):
        _insert(copies, copies.places[k], shift)
    n_places = 0
    for k in range(n_candidates):
        i = copies.places[k]
        if copies.counts[copies.first[i]] > 1:
            copies.places[n_places] = i
            n_places += 1
    return n_places


@kernel
def sum_before(chars: Any, n_words: Any, before: Any) -> None:
    """Fill ``before`` with the code points of all words before each word, and of all words at the end."""
    total = np.int64(0)
    for i in range(n_words):
        before[i] = total
        total += chars[i]
    before[n_words] = total


@kernel
def covered(copies: Any, n_places: Any, n: Any, only_later: Any, only_first: Any) -> Any:
    """Return the code points of all words in runs of ``n`` words that have copies; each word counts once.

    Args:
        only_later: whether the first copy of a run does not count.
        only_first: the first copy of the only run that counts, or -1.
    """
    total, until = np.int64(0), 0
    for k in range(n_places):
        i = copies.places[k]
        j = copies.first[i]
        if (only_later and j == i) or (only_first >= 0 and j != only_first):
            continue
        total += copies.before[i + n] - copies.before[max(i, until)]
        until = i + n
    return total


@kernel
def skipped_over(copies: Any, n_places: Any, n: Any) -> Any:
    """Return the code points of later copies, when reading goes on behind each copy that was found.

    A run that begins inside of a copy is not seen, and so is not a first copy of a later one. This uses up
    ``copies.counts``.
    """
    total, until = np.int64(0), 0
    for k in range(n_places):
        i = copies.places[k]
        if i < until:
            continue
        j = copies.first[i]
        if copies.counts[j] < 0:
            total += copies.before[i + n] - copies.before[i]
            until = i + n
        else:
            copies.counts[j] = -1
    return total


@kernel
def summed(copies: Any, n_places: Any, n: Any) -> Any:
    """Return the code points of all runs that have copies; a word counts once for each run that it is in."""
    total = np.int64(0)
    for k in range(n_places):
        i = copies.places[k]
        total += copies.before[i + n] - copies.before[i]
    return total


@kernel
def most_frequent(copies: Any, n_places: Any, n: Any) -> Any:
    """Find the run with the most copies.

    Returns:
        Its first copy if the longest wins a tie (then the first in the text), its first copy if the first in
        the text wins, and the number of copies; -1, -1 and 1 if no run has a copy.
    """
    longest, earliest, most, length = -1, -1, 1, np.int64(0)
    for k in range(n_places):
        i = copies.places[k]
        if copies.first[i] != i:
            continue
        chars = copies.before[i + n] - copies.before[i]
        if copies.counts[i] > most:
            longest, earliest, most, length = i, i, copies.counts[i], chars
        elif copies.counts[i] == most and chars > length:
            longest, length = i, chars
    return longest, earliest, most
