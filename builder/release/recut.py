"""Re-shard a version: additions and takedowns leave small shards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from builder.domain.document_ids import DocumentIds
from builder.io.parquet_sink.rows import row_sizes
from builder.io.parquet_sink.shards import choose_cut_sizes, cut_ranges
from builder.release.layout import Recut, ShardPlan

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from builder.history.lineage import Lineage
    from builder.protocols import Guard
    from builder.release.layout import WrittenShard
    from builder.release.write import ShardJob


@dataclass(frozen=True, slots=True)
class CompactJob:
    """Write one shard from pieces. The whole shard is in memory: at most ``shard_max`` raw bytes."""

    writer: ShardJob

    def __call__(self, recut: Recut, guard: Guard) -> WrittenShard:  # noqa: ARG002 - engines pass a guard
        """Write the shard."""
        pieces = [pq.read_table(path).slice(start, stop - start) for path, start, stop in recut.pieces]
        table = pa.concat_tables(pieces).cast(self.writer.schema).combine_chunks()
        return self.writer.write_table(recut.split, recut.name, table)


def plan_recut(lineage: Lineage) -> ShardPlan:
    """Plan the shards of all rows of a version, with the sizes that a first version would have."""
    shards: list[Recut] = []
    limits = {}
    for split in lineage.manifest.splits:
        files, sizes = _files(lineage, split)
        limits[split] = choose_cut_sizes(int(sizes.sum()))
        hashes = DocumentIds.concat(lineage.ids(sha256) for sha256, _, _ in files).hashes(seed=1)
        ranges = cut_ranges(
            hashes, sizes, min_bytes=limits[split].shard_min, max_bytes=limits[split].shard_max
        )
        for number, (start, stop) in enumerate(ranges):
            name = f"data/{split}-{number:05d}-of-{len(ranges):05d}.parquet"
            shards.append(Recut(split=split, name=name, pieces=tuple(_pieces(files, start, stop))))
    return ShardPlan(shards=shards, limits=limits)


def _files(lineage: Lineage, split: str) -> tuple[list[tuple[str, str, int]], NDArray[np.int64]]:
    """Return the shards of a split as (SHA-256, path, rows), and the raw bytes of each row."""
    files, sizes = [], []
    for number, shard in enumerate(lineage.manifest.splits[split].shards):
        path = lineage.shard_path(split, number)
        files.append((shard.sha256, str(path), shard.rows))
        sizes += [row_sizes(batch) for batch in pq.ParquetFile(path).iter_batches(batch_size=2_048)]
    return files, np.concatenate(sizes)


def _pieces(files: Sequence[tuple[str, str, int]], start: int, stop: int) -> Iterator[tuple[str, int, int]]:
    first = 0
    for _, path, n_rows in files:
        last = first + n_rows
        if first < stop and last > start:
            yield path, max(start - first, 0), min(stop, last) - first
        first = last
