"""Allocate the working memory for the units of texts, and read single texts into units and features."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from builder.kernels.html.trees import CERTAIN
from builder.kernels.plain.classes import N_LEARNED
from builder.kernels.plain.features import FEATURE_COLUMNS, FEATURE_SHIFTS, N_COLUMNS
from builder.kernels.plain.layout import (
    MARGIN,
    MAX_TITLE_HASHES,
    N_HASHES,
    N_UNIT,
    N_UNIT_STATISTICS,
    N_UNIT_SUMS,
    Units,
)
from builder.kernels.plain.leaves import UNITS_AT_ONCE
from builder.kernels.plain.texts import Choice, read_units

if TYPE_CHECKING:
    from numpy.typing import NDArray

FIRST_ROOM = 1 << 10
_CACHE_LINE = 64


@dataclass(slots=True)
class UnitReader:
    """Reads one text after the other. What it returns is overwritten by the next text.

    The memory grows to twice what the text with the most units so far needs.
    """

    vocabulary: NDArray[np.int8]
    _memory: Units = field(default_factory=lambda: allocate_units(FIRST_ROOM))
    _title: NDArray[np.uint64] = field(default_factory=lambda: np.empty(MAX_TITLE_HASHES, np.uint64))

    def read(self, data: NDArray[np.uint8], start: int, end: int, title: bytes = b"") -> tuple[int, Units]:
        """Cut a text into units and describe them; return their number and the memory.

        Args:
            data: UTF-8 bytes.
            start: the first byte of the text.
            end: the end of the text.
            title: the title of the page; if empty, the first unit counts as the title.
        """
        words = np.frombuffer(title, np.uint8)
        while True:
            n = int(read_units(data, start, end, words, self.vocabulary, self._memory, self._title))
            if n <= len(self._memory.units):
                return n, self._memory
            self._memory = allocate_units(2 * n)


def features_of_units(n: int, memory: Units) -> NDArray[np.uint8]:
    """Return uint8[n, N_UNIT_FEATURES]: a copy of the features, one row for each unit."""
    places = MARGIN + np.arange(n)[:, None] + np.array(FEATURE_SHIFTS)
    features: NDArray[np.uint8] = memory.columns[np.array(FEATURE_COLUMNS), places]
    return features


def allocate_units(n: int) -> Units:
    """Return working memory for a number of units."""
    n_places = 1 << (2 * n - 1).bit_length()
    # an odd number of cache lines, so that the columns of a unit are not all in the same place of the cache
    stride = ((n + 2 * MARGIN + UNITS_AT_ONCE + _CACHE_LINE - 1) // _CACHE_LINE | 1) * _CACHE_LINE
    return Units(
        units=np.empty((n, N_UNIT), np.int64),
        counts=np.empty((n, N_UNIT_STATISTICS), np.int32),
        hashes=np.empty((n, N_HASHES), np.uint64),
        sums=np.empty((n + 1, N_UNIT_SUMS), np.int64),
        columns=np.zeros((N_COLUMNS, stride), np.uint8),
        keys=np.empty(n_places, np.uint64),
        places=np.empty(n_places, np.int32),
        steps=np.zeros(1, np.int64),
    )


def allocate_choice(n: int) -> Choice:
    """Return working memory for decisions on a number of units."""
    return Choice(
        title=np.empty(MAX_TITLE_HASHES, np.uint64),
        scores=np.empty(n, np.int32),
        words=np.empty(n, np.int64),
        steps=np.empty(n, np.uint8),
        classes=np.empty(n, np.uint8),
        buckets=np.empty(CERTAIN + 1, np.int64),
        left=np.empty(UNITS_AT_ONCE, np.uint16),
        votes=np.empty(N_LEARNED, np.int64),
    )
