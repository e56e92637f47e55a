"""Choose the number of bands and of rows in a band: the arithmetic of locality-sensitive hashing.

Two documents with Jaccard similarity ``s`` agree in one bin of a sketch with probability ``s``, in all rows
of a band with probability ``s ** rows``, and in at least one band with probability
``1 - (1 - s ** rows) ** bands`` (Leskovec, Rajaraman, Ullman, "Mining of Massive Datasets", section 3.4).
"""

from __future__ import annotations

import math

RECALL = 0.99
"""The least probability of finding a pair at the threshold."""

MAX_BANDS = 1024
MAX_ROWS = 16
MAX_WIDTH = 64
"""Words in a shingle, at most."""

_BIN_NS = 20.0
_BAND_NS = 20.0
_PROOF_NS = 13_000.0
_UNRELATED = 0.05
_DOCUMENTS = 100_000


def found(similarity: float, *, bands: int, rows: int) -> float:
    """Return the probability that a pair shares a band.

    >>> round(found(0.8, bands=16, rows=6), 4)
    0.9923
    """
    shared = similarity**rows
    # with logarithms, because 1 - shared rounds to 1.0 if shared is small
    return 1.0 if shared >= 1.0 else -math.expm1(bands * math.log1p(-shared))


def bands_needed(threshold: float, rows: int) -> int:
    """Return the least number of bands that finds a pair at the threshold, at most ``MAX_BANDS`` + 1."""
    shared = threshold**rows
    if shared >= 1.0:
        return 1
    if found(threshold, bands=MAX_BANDS, rows=rows) < RECALL:
        return MAX_BANDS + 1
    bands = max(1, math.ceil(math.log(1.0 - RECALL) / math.log1p(-shared)))
    # the logarithms may be off by one at a whole number
    return bands if found(threshold, bands=bands, rows=rows) >= RECALL else bands + 1


def choose(threshold: float, *, bands: int | None = None, rows: int | None = None) -> tuple[int, int]:
    """Choose bands and rows for a threshold; given values are kept.

    The result is the cheapest choice that finds a pair at the threshold with probability ``RECALL``. The cost
    is an estimate for one document in a corpus of 100,000: 20 ns for a bin, 20 ns for a band, and
    13 microseconds for the proof of each unrelated document (similarity 0.05) that shares a band with it.
    If only ``bands`` is given, the result has the most rows that still find the pair, at least 1.

    >>> choose(0.8)
    (16, 6)
    """
    if bands is not None and rows is not None:
        return bands, rows
    if rows is not None:
        return bands_needed(threshold, rows), rows
    wanted = {r: bands_needed(threshold, r) for r in range(1, MAX_ROWS + 1)}
    if bands is not None:
        return bands, max((r for r, b in wanted.items() if b <= bands), default=1)
    rows = min(wanted, key=lambda r: _cost(wanted[r], r) if wanted[r] <= MAX_BANDS else math.inf)
    return wanted[rows], rows


def _cost(bands: int, rows: int) -> float:
    false_candidates = _DOCUMENTS * found(_UNRELATED, bands=bands, rows=rows)
    return _BIN_NS * bands * rows + _BAND_NS * bands + _PROOF_NS * false_candidates
