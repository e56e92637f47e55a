"""Read texts into units and their features, with working memory that serves one text after the other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from builder.kernels.plain.cutting import cut_units, is_flat
from builder.kernels.plain.features import N_UNIT_FEATURES, describe_units
from builder.kernels.plain.layout import (
    MAX_TITLE_HASHES,
    N_HASHES,
    N_UNIT,
    N_UNIT_STATISTICS,
    N_UNIT_SUMS,
    U_END,
    U_START,
    Units,
)
from builder.kernels.plain.statistics import hash_title, measure_units

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FIRST_ROOM = 1 << 10


@dataclass(slots=True)
class UnitReader:
    """Reads one text after the other. What it returns is overwritten by the next text.

    The memory grows to twice what the text with the most units so far needs.
    """

    vocabulary: NDArray[np.int8]
    _memory: Units = field(default_factory=lambda: _allocate(_FIRST_ROOM))
    _title: NDArray[np.uint64] = field(default_factory=lambda: np.empty(MAX_TITLE_HASHES, np.uint64))

    def read(self, data: NDArray[np.uint8], start: int, end: int, title: bytes = b"") -> tuple[int, Units]:
        """Cut a text into units and describe them; return their number and the memory.

        Args:
            data: UTF-8 bytes.
            start: the first byte of the text.
            end: the end of the text.
            title: the title of the page; if empty, the first unit counts as the title.
        """
        flat = bool(is_flat(data, start, end))
        n = int(cut_units(data, start, end, flat, self._memory.units))
        if n > len(self._memory.units):
            self._memory = _allocate(2 * n)
            cut_units(data, start, end, flat, self._memory.units)
        memory = self._memory
        if n:
            if title:
                n_title = hash_title(np.frombuffer(title, np.uint8), 0, len(title), self._title)
            else:
                first = memory.units[0]
                n_title = hash_title(data, first[U_START], first[U_END], self._title)
            measure_units(data, n, self._title, n_title, self.vocabulary, memory)
            describe_units(n, flat, memory)
        return n, memory


def _allocate(n: int) -> Units:
    """Return working memory for a number of units."""
    n_places = 1 << (2 * n - 1).bit_length()
    return Units(
        units=np.empty((n, N_UNIT), np.int64),
        counts=np.empty((n, N_UNIT_STATISTICS), np.int32),
        hashes=np.empty((n, N_HASHES), np.uint64),
        sums=np.empty((n + 1, N_UNIT_SUMS), np.int64),
        features=np.empty((n, N_UNIT_FEATURES), np.uint8),
        keys=np.empty(n_places, np.uint64),
        places=np.empty(n_places, np.int32),
    )
