"""Records of a fixed size in numbered files, so that memory does not grow with their number."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

HELD = 1 << 16
"""Records that are held back before they are written."""


class BucketFiles:
    """Takes records in any order and gives back all of one number, in the order in which they came."""

    def __init__(self, folder: Path, kind: np.dtype[Any]) -> None:
        folder.mkdir(parents=True)
        self._folder = folder
        self._kind = kind
        self._held: list[tuple[NDArray[np.int64], NDArray[Any]]] = []
        self._n_held = 0
        self._counts: Counter[int] = Counter()

    def add(self, numbers: NDArray[np.int64], records: NDArray[Any]) -> None:
        """Put records away.

        Args:
            numbers: int64[n_records], the bucket of each.
            records: of the dtype that the buckets were made for, [n_records].
        """
        self._held.append((numbers, records))
        self._n_held += len(records)
        if self._n_held >= HELD:
            self._write()

    def read(self, number: int) -> NDArray[Any]:
        """Return the records of one bucket; none if there are none."""
        self._write()
        if not self._counts[number]:
            return np.empty(0, self._kind)
        return np.fromfile(self._path(number), self._kind)

    def _write(self) -> None:
        if not self._n_held:
            return
        numbers = np.concatenate([one for one, _ in self._held])
        records = np.concatenate([one for _, one in self._held])
        self._held, self._n_held = [], 0
        order = np.argsort(numbers, kind="stable")
        numbers, records = numbers[order], records[order]
        found, starts = np.unique(numbers, return_index=True)
        for number, some in zip(found.tolist(), np.split(records, starts[1:]), strict=True):
            with self._path(number).open("ab") as file:
                some.tofile(file)
            self._counts[number] += len(some)

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:06d}"
