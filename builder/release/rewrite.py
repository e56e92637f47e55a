"""Rewrite a shard of the parent: remove rows, or replace them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from builder.history.index import Derived
from builder.pipeline.spool import Spool

if TYPE_CHECKING:
    from builder.protocols import Guard
    from builder.release.layout import Rewrite, WrittenShard
    from builder.release.write import ShardJob


@dataclass(frozen=True, slots=True)
class RewriteJob:
    """Rewrite one shard. The whole shard is in memory: at most ``shard_max`` raw bytes."""

    writer: ShardJob

    def __call__(self, rewrite: Rewrite, guard: Guard) -> WrittenShard:  # noqa: ARG002 - engines pass a guard
        """Write the shard with its edits."""
        written = self.writer.write_table(rewrite.split, rewrite.name, self._edited(rewrite))
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
            sources = np.arange(table.num_rows)
            sources[old[order]] = table.num_rows + np.arange(len(new))
            table, places = pa.concat_tables([table, fresh.cast(table.schema)]), sources[places]
        return table.take(pa.array(places)).combine_chunks()
