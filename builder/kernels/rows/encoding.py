"""Run the second pass of the canonical row encoding for words and strings, which are most of the bytes.

All kernels take ``positions`` (int64[n_values]): where in ``out`` each value begins. The position is -1 for a
value that belongs to no row (its parent is null, or it is outside a slice); such a value is skipped.
``valid`` is bool[n_values]. An encoded value is one marker byte, 0 for null and 1 otherwise, and then its
contents.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from builder.kernels.jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

HEADER_BYTES = 9
"""Bytes before the contents of a string or list: a marker and a count of eight bytes."""


@kernel
def write_words(
    words: NDArray[np.uint64], valid: NDArray[np.bool_], positions: NDArray[np.int64], out: NDArray[np.uint8]
) -> None:
    """Write values of eight bytes, least significant byte first.

    Args:
        words: uint64[n_values].
        out: uint8[n_bytes], written in place.
    """
    for i in range(positions.size):
        at = positions[i]
        if at < 0:
            continue
        if not valid[i]:
            out[at] = 0
            continue
        out[at] = 1
        word = words[i]
        for k in range(8):
            out[at + 1 + k] = np.uint8(word & np.uint64(255))
            word = word >> np.uint64(8)


@kernel
def write_contents(
    data: NDArray[np.uint8],
    starts: NDArray[np.int64],
    lengths: NDArray[np.int64],
    positions: NDArray[np.int64],
    out: NDArray[np.uint8],
) -> None:
    """Write the bytes of strings after their headers, which ``write_words`` writes.

    Args:
        data: uint8[n_data_bytes].
        starts: int64[n_values], where a value's bytes begin in ``data``.
        lengths: int64[n_values], 0 for a null, even if the buffer has bytes for it.
        out: uint8[n_bytes], written in place.
    """
    for i in range(positions.size):
        if positions[i] < 0:
            continue
        to = positions[i] + HEADER_BYTES
        start = starts[i]
        for k in range(lengths[i]):
            out[to + k] = data[start + k]
