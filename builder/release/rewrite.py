"""Write a shard of the version before again, without some of its rows, or with others in their place."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from builder.domain.document_ids import DocumentIds
from builder.history.index import Derived
from builder.io.parquet_sink.rows import row_sizes
from builder.io.parquet_sink.shards import cut_ranges
from builder.pipeline.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from builder.protocols import Guard
    from builder.release.layout import Rewrite, WrittenShard
    from builder.release.write import ShardJob


@dataclass(frozen=True, slots=True)
class RewriteJob:
    """Rewrites one shard; it is held in memory whole, at most ``shard_max`` raw bytes."""

    writer: ShardJob

    def __call__(self, rewrite: Rewrite, guard: Guard) -> WrittenShard:  # noqa: ARG002 - engines give one
        """Write the shard again."""
        table = self._edited(rewrite)
        sizes = np.concatenate([row_sizes(batch) for batch in table.to_batches()])
        groups = self._groups(table, sizes, rewrite.split)
        largest = int(sizes.max())
        written = self.writer.write(rewrite.split, rewrite.name, groups, largest_row_bytes=largest)
        if rewrite.origin is None:
            return written
        replaced = tuple(sorted(rewrite.replaced))
        derived = Derived(source=rewrite.origin, removed=rewrite.removed, replaced=replaced)
        return replace(written, facts=replace(written.facts, derived=derived))

    def _edited(self, rewrite: Rewrite) -> pa.Table:
        table = pq.read_table(rewrite.source).cast(self.writer.schema)
        places = np.delete(np.arange(table.num_rows), rewrite.removed)
        if rewrite.replaced:
            old, new = (
                np.asarray(list(one), np.int64) for one in zip(*rewrite.replaced.items(), strict=True)
            )
            order = np.argsort(new)
            fresh = self.writer.rows(Spool(self.writer.parts), new[order])
            taker = np.arange(table.num_rows)
            taker[old[order]] = table.num_rows + np.arange(len(new))
            table, places = pa.concat_tables([table, fresh.cast(table.schema)]), taker[places]
        return table.take(pa.array(places)).combine_chunks()

    def _groups(self, table: pa.Table, sizes: NDArray[np.int64], split: str) -> Iterator[pa.Table]:
        limits = self.writer.limits[split]
        hashes = DocumentIds.of_texts(table["id"]).hashes(seed=1)
        for start, stop in cut_ranges(hashes, sizes, min_bytes=limits.group_min, max_bytes=limits.group_max):
            yield table.slice(start, stop - start)
