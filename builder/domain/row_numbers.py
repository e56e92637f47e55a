"""Row numbers: what each int64 counts, and how rows of earlier versions are written among those of a build.

Each type is an array of int64. Its name says what the numbers count, so that mypy refuses one for another.

PartRows        place in one part of a spool (the column ``_at``)
FirstRows       row of the first spool (the column ``_row``): all verdicts refer to it
BarrierRows     row of the spool that a barrier decides over; at the first barrier these are the FirstRows
LastRows        row of the last spool: a row that is published
TableRows       place in ``RowOutcomes.id_table``; -1 for none
MemoryRows      row of ``protocols.Remembered``: a keeper of one corpus stage in earlier versions
PastRows        row of ``rows.arrow``, numbered across all versions of a lineage

Three more types name rows of a build and rows of earlier versions. In all of them -1 means "no row", and
row ``p`` of earlier versions is ``-2 - p``: ``encode_old`` writes it and ``decode_old`` reads it.

BarrierOrMemory what a corpus stage returns (``Verdicts.keeper``): BarrierRows, or MemoryRows as ``-2 - k``
BarrierOrPast   the same after a barrier has looked the MemoryRows up: BarrierRows, or PastRows as ``-2 - p``
FirstOrPast     merges and tags at the end of the build: FirstRows, or PastRows as ``-2 - p``
"""

from __future__ import annotations

from typing import NewType

import numpy as np
from numpy.typing import NDArray

PartRows = NewType("PartRows", NDArray[np.int64])
FirstRows = NewType("FirstRows", NDArray[np.int64])
BarrierRows = NewType("BarrierRows", NDArray[np.int64])
LastRows = NewType("LastRows", NDArray[np.int64])
TableRows = NewType("TableRows", NDArray[np.int64])
MemoryRows = NewType("MemoryRows", NDArray[np.int64])
PastRows = NewType("PastRows", NDArray[np.int64])
BarrierOrMemory = NewType("BarrierOrMemory", NDArray[np.int64])
BarrierOrPast = NewType("BarrierOrPast", NDArray[np.int64])
FirstOrPast = NewType("FirstOrPast", NDArray[np.int64])

NO_ROW = -1


def encode_old(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Write rows of earlier versions so that no row of a build has their numbers.

    >>> encode_old(np.array([0, 1, 7])).tolist()
    [-2, -3, -9]
    """
    return -2 - rows


def decode_old(numbers: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Tell which numbers are rows of earlier versions, and which rows those are.

    Returns:
        bool[n], and int64[n] with 0 where a number is a row of the build or none.

    >>> is_old, rows = decode_old(np.array([3, -1, -2, -9]))
    >>> is_old.tolist(), rows.tolist()
    ([False, False, True, True], [0, 0, 0, 7])
    """
    is_old: NDArray[np.bool_] = numbers < NO_ROW
    return is_old, np.where(is_old, -2 - numbers, 0)


def trace_to_first(keeper: BarrierOrPast, numbers: NDArray[np.int64]) -> FirstOrPast:
    """Turn rows of a barrier into rows of the first spool; past rows stay.

    Args:
        numbers: int64[n_rows], the FirstRows of all rows of the barrier.
    """
    return FirstOrPast(np.where(keeper < 0, keeper, numbers[np.maximum(keeper, 0)]))
