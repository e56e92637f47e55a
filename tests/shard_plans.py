"""Rows of a split in shards and row groups, as the release cuts them, without writing any."""

from __future__ import annotations

import numpy as np

from builder.domain.manifest import CutSizes
from builder.io.parquet_sink.shards import cut_ranges


def cut_split(hashes: np.ndarray, sizes: np.ndarray, *, by: CutSizes) -> list[list[tuple[int, int]]]:
    """Return for each shard its row groups, each with start and stop as row numbers of the split."""
    shards = cut_ranges(hashes, sizes, min_bytes=by.shard_min, max_bytes=by.shard_max)
    return [
        [
            (start + first, start + last)
            for first, last in cut_ranges(
                hashes[start:stop], sizes[start:stop], min_bytes=by.group_min, max_bytes=by.group_max
            )
        ]
        for start, stop in shards
    ]
