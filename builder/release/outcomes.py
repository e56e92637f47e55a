"""Find out what happened to each row that reached the first barrier."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from builder.domain.document_ids import ID_BYTES, DocumentIds
from builder.domain.row_numbers import NO_ROW, FirstOrPast, PastRows, TableRows, decode_old
from builder.release.layout import PlannedShard, Rewrite

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from builder.history.past import Past
    from builder.pipeline.barriers import Merges
    from builder.pipeline.run import ChainResult
    from builder.release.layout import ShardPlan
    from builder.release.write import Placement


@dataclass(kw_only=True)
class RowOutcomes:
    """The outcome of each row of the first spool, and the past rows that rows were merged into.

    Attributes:
        ids: the published id of each row, or the candidate id if the row is not published.
        published: bool[n_rows], whether each row is published.
        past_rows: the past rows that a merge or a tag of a row names, ascending.
        past_ids: the id of each of ``past_rows``.
        past_kept: the id of the document that represents each of ``past_rows``; None without one.
        late: the rejections of later passes, with ``_row``, ascending.
        shard: int32[n_rows], position in ``shards``; -1 if not published.
        shards: (split, path) of each shard.
    """

    merges: Merges
    ids: DocumentIds
    published: NDArray[np.bool_]
    past_rows: PastRows
    past_ids: DocumentIds
    past_kept: list[bytes | None]
    late: pa.Table
    shard: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    shards: list[tuple[str, str]] = field(default_factory=list)

    @cached_property
    def id_table(self) -> DocumentIds:
        """The ids of all rows, then of all past rows, then of the documents that represent past rows."""
        kept = DocumentIds.from_bytes(one or bytes(ID_BYTES) for one in self.past_kept)
        return DocumentIds.concat([self.ids, self.past_ids, kept])

    def positions(self, rows: FirstOrPast) -> TableRows:
        """Return int64[n]: the position of each row or past row in ``id_table``; -1 stays -1."""
        is_past, past_rows = decode_old(rows)
        at = np.searchsorted(self.past_rows, past_rows)
        return TableRows(np.where(is_past, len(self.ids) + at, rows))

    def representatives(self, rows: FirstOrPast) -> TableRows:
        """Return int64[n]: the position in ``id_table`` of the published id of each row; -1 without one."""
        ends = np.where(rows >= 0, self.merges.last[np.maximum(rows, 0)], rows)
        is_past, past_rows = decode_old(ends)
        at = np.searchsorted(self.past_rows, past_rows)
        has_kept = np.asarray([one is not None for one in self.past_kept] or [False], np.bool_)
        at_kept = np.minimum(at, len(has_kept) - 1)
        in_past = np.where(is_past & has_kept[at_kept], len(self.ids) + len(self.past_rows) + at, NO_ROW)
        here = np.where((ends >= 0) & self.published[np.maximum(ends, 0)], ends, NO_ROW)
        return TableRows(np.where(is_past, in_past, here))

    def kept_id(self, row: int) -> bytes | None:
        """Return the id of the published document that represents a row; None without one."""
        at = int(self.representatives(FirstOrPast(np.asarray([row])))[0])
        return self.id_table[at] if at >= 0 else None

    def note_shards(self, plan: ShardPlan, placement: Placement) -> None:
        """Store the shard of each published row."""
        self.shard = np.full(len(self.published), -1, np.int32)
        self.shards = [(one.split, one.name) for one in plan.shards]
        for number, one in enumerate(plan.shards):
            if isinstance(one, PlannedShard):
                rows = placement.of(placement.names.index(one.split))[one.start : one.stop]
                self.shard[placement.rows[rows]] = number
            elif isinstance(one, Rewrite):
                self.shard[placement.rows[np.asarray(list(one.replaced.values()), np.int64)]] = number


def trace_outcomes(
    chain_result: ChainResult, placement: Placement, *, all_ids: DocumentIds, past: Past | None
) -> RowOutcomes:
    """Return the outcome of each row of the first spool."""
    published = np.zeros(len(chain_result.merges.into), np.bool_)
    published[placement.rows] = True
    named = np.unique(np.concatenate([chain_result.merges.into, *_tags(chain_result)]))
    is_past, numbers = decode_old(named)
    past_rows = PastRows(np.sort(numbers[is_past]))
    kept = past.kept_ids(past_rows) if past else []
    return RowOutcomes(
        merges=chain_result.merges,
        ids=all_ids,
        published=published,
        past_rows=past_rows,
        past_ids=past.ids(past_rows) if past else DocumentIds.none(),
        past_kept=kept,
        late=chain_result.late,
    )


def _tags(chain_result: ChainResult) -> list[NDArray[np.int64]]:
    """Return the keepers that ``mode: tag`` stored in rows."""
    if not chain_result.last.parts:
        return []
    names = [n for n in chain_result.last.column_names if n.startswith("_cluster_")]
    return [chain_result.last.column(name).fill_null(-1).to_numpy() for name in names]
