"""Measure the signals of a column of texts."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import numpy as np

from builder.domain.text_buffers import text_buffers
from builder.kernels.quality.characters import characters
from builder.kernels.quality.measure import measure_batch
from builder.kernels.quality.places import ALL_PARTS, N_VALUES
from builder.kernels.quality.room import room_for
from builder.kernels.quality.words import find_words
from builder.stages.quality.signals import STOP_WORDS, needed_parts, values_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

_SEED = secrets.randbits(64)
"""Where keys are in the hash tables of this process. No result depends on it, but the time would, if somebody
wrote a text whose keys all have the same place."""


def measure_signals(column: pa.Array, names: Sequence[str]) -> dict[str, pa.Array]:
    """Return the columns of some signals; a null text has null signals."""
    rows, sums = measure_texts(column, parts=needed_parts(names))
    missing = column.is_null().to_numpy(zero_copy_only=False)
    return values_of(names, rows, sums, missing=missing)


def measure_texts(
    column: pa.Array, *, parts: int = ALL_PARTS
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return what the kernel counts, and the sums for the entropy; what ``parts`` leaves out is 0."""
    data, offsets = text_buffers(column)
    if not len(column):
        return np.zeros((0, N_VALUES), np.int64), np.zeros(0)
    stop_words = word_hashes(STOP_WORDS)
    return measure_batch(data, offsets, table=characters(), stop_words=stop_words, parts=parts, seed=_SEED)


def word_hashes(words: Sequence[str]) -> NDArray[np.uint64]:
    """Return uint64[n_words], the hashes of words of lower-case letters."""
    data = np.frombuffer(" ".join(words).encode(), np.uint8)
    room = room_for(len(words), 1)
    find_words(data, 0, len(data), characters(), False, room.words)
    return room.words.hashes
