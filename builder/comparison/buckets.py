"""Store records of a fixed size in numbered files, so that memory does not grow with their number."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

BUFFERED_RECORDS = 1 << 16
"""Records that are buffered in memory before they are written."""


class BucketFiles:
    """Stores records in numbered buckets, and returns those of one bucket in the order of adding."""

    def __init__(self, folder: Path, kind: np.dtype[Any]) -> None:
        folder.mkdir(parents=True)
        self._folder = folder
        self._kind = kind
        self._buffer: list[tuple[NDArray[np.int64], NDArray[Any]]] = []
        self._n_buffered = 0
        self._counts: Counter[int] = Counter()

    def add(self, numbers: NDArray[np.int64], records: NDArray[Any]) -> None:
        """Add records to their buckets.

        Args:
            numbers: int64[n_records], the bucket of each record.
            records: [n_records], of the dtype ``kind``.
        """
        self._buffer.append((numbers, records))
        self._n_buffered += len(records)
        if self._n_buffered >= BUFFERED_RECORDS:
            self._write()

    def read(self, number: int) -> NDArray[Any]:
        """Return the records of one bucket, which may be empty."""
        self._write()
        if not self._counts[number]:
            return np.empty(0, self._kind)
        return np.fromfile(self._path(number), self._kind)

    def _write(self) -> None:
        if not self._n_buffered:
            return
        numbers = np.concatenate([one for one, _ in self._buffer])
        records = np.concatenate([one for _, one in self._buffer])
        self._buffer, self._n_buffered = [], 0
        order = np.argsort(numbers, kind="stable")
        numbers, records = numbers[order], records[order]
        found, starts = np.unique(numbers, return_index=True)
        for number, some in zip(found.tolist(), np.split(records, starts[1:]), strict=True):
            with self._path(number).open("ab") as file:
                some.tofile(file)
            self._counts[number] += len(some)

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:06d}"
