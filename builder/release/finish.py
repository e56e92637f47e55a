"""The last phase of a build: write the shards and the ledger, and check the sums."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from builder.domain.document_ids import DocumentIds
from builder.domain.outcome import MEASURED, REMOVED_SPANS
from builder.domain.row_numbers import PastRows
from builder.errors import AccountError
from builder.history.shard_notes import NotedColumns
from builder.io.streams.replacing import save_array
from builder.pipeline.candidate_ids import ID
from builder.release.audit.dropped_texts import TEXTS, write_texts
from builder.release.audit.evidence import write_evidence
from builder.release.audit.noted import write_domains, write_noted
from builder.release.audit.private import find_private
from builder.release.audit.removed_spans import write_measured, write_removed
from builder.release.edits import SOURCE_GONE, Edits, find_replaced
from builder.release.layout import PlannedShard, Rewrite, VersionShard, WrittenShard
from builder.release.ledger import LedgerSums, write_ledger, write_rejected
from builder.release.ledger_updates import LedgerUpdates, find_ledger_updates, removal_of
from builder.release.losses import Losses, count_losses
from builder.release.outcomes import RowOutcomes, trace_outcomes
from builder.release.plan import describe_shard, plan_shards
from builder.release.rewrite import RewriteJob
from builder.release.side_files import side_file_text
from builder.release.write import ShardJob, place_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

    from builder.domain.manifest import CutSizes
    from builder.history.ledger_counts import LedgerCounts
    from builder.pipeline.context import BuildContext
    from builder.pipeline.run import ChainResult
    from builder.release.layout import ShardPlan
    from builder.release.write import Placement


@dataclass(frozen=True, kw_only=True)
class Closed:
    """The result of a build that is not committed yet. All its files are still in the spool folder.

    Attributes:
        shards: all shards of the version, in order.
        audit: the files for the audit of the version; the ledger is one of them.
        n_known: number of records that were read again and are in the ledger of an earlier version.
        n_restated: number of records of earlier builds whose outcome changed.
        new_pages_only: as in ``BuildResult``.
        replaced: what earlier ledgers state of records that the ledger has too.
        added: number of rows added to each split.
    """

    shards: Sequence[VersionShard]
    limits: Mapping[str, CutSizes]
    sums: LedgerSums
    counts: Counter[str]
    clusters: Counter[int]
    ledger: Path
    audit: Sequence[Path]
    n_known: int
    n_restated: int
    replaced: LedgerCounts
    edits: Edits
    added: Mapping[str, int]
    row_outcomes: RowOutcomes
    chain_result: ChainResult
    losses: Losses
    new_pages_only: Sequence[str]


def close(context: BuildContext, chain_result: ChainResult) -> Closed:
    """Write the shards and the ledger, and check that the ledger accounts for every record.

    Raises:
        AccountError: if the sums do not match what the readers counted.
    """
    lineage = context.past.lineage if context.past else None
    replaced, lost = (
        find_replaced(chain_result, lineage, context.past) if lineage and context.past else ({}, {})
    )
    retired = chain_result.merges.replaced
    placement = place_rows(
        chain_result.last,
        shares=context.recipe.splits,
        name=context.recipe.name,
        lineage=lineage,
        edits=Edits(replaced=replaced),
        pruned=context.pruned.documents if context.pruned else frozenset(),
    )
    all_ids = _all_ids(chain_result, placement)
    for spool in (chain_result.first, chain_result.last):
        spool.release()
    row_outcomes = trace_outcomes(chain_result, placement, all_ids=all_ids, past=context.past)
    removed = {key: removal_of(row, row_outcomes, chain_result) for key, row in lost.items()}
    if context.past and context.pruned:
        removed |= dict.fromkeys(sorted(context.pruned.documents), SOURCE_GONE)
        retired = PastRows(np.union1d(retired, context.past.gone))
    edits = Edits(
        removed=removed,
        replaced=replaced,
        retired=tuple(retired.tolist()),
        replaced_by=chain_result.merges.replacer,
    )
    plan = plan_shards(placement, lineage=lineage, edits=edits)
    row_outcomes.note_shards(plan, placement)
    freed = context.pruned.freed if context.pruned else frozenset()
    updates = LedgerUpdates()
    if context.past:
        updates = find_ledger_updates(context.past.lineage, edits, excluding=freed)
    shards, written = _write_all(context, chain_result, placement, plan, row_outcomes, updates)
    n_restated = updates.rows.num_rows
    _check_sums(chain_result, written.sums, placement, n_known=written.n_known, n_restated=n_restated)
    return Closed(
        shards=shards,
        limits=plan.limits,
        sums=written.sums,
        counts=chain_result.counts,
        clusters=_cluster_sizes(row_outcomes),
        ledger=written.ledger,
        audit=written.audit,
        n_known=written.n_known,
        n_restated=n_restated,
        replaced=updates.replaced,
        edits=edits,
        added={name: len(placement.of(i)) for i, name in enumerate(placement.names)},
        row_outcomes=row_outcomes,
        chain_result=chain_result,
        losses=written.losses,
        new_pages_only=_new_pages_only(context),
    )


def _write_all(
    context: BuildContext,
    chain_result: ChainResult,
    placement: Placement,
    plan: ShardPlan,
    row_outcomes: RowOutcomes,
    updates: LedgerUpdates,
) -> tuple[list[VersionShard], _Ledger]:
    """Write the shards, and the ledger with the other files of the audit."""
    private = find_private(context, chain_result)
    with ThreadPoolExecutor(1) as thread:  # the ledger is written while workers write shards
        writing = thread.submit(_write_ledger, context, chain_result, row_outcomes, updates.rows, private)
        if context.engine.workers == 1:  # use no more cores than the user asked for
            writing.result()
        shards = _write_shards(context, chain_result, placement, plan, row_outcomes)
        context.advance("ledger", done=0, total=1, unit="file")
        written = writing.result()
        context.advance("ledger", done=1, total=1, unit="file")
    return shards, written


def _new_pages_only(context: BuildContext) -> list[str]:
    """Return the stages of an addition that would decide otherwise about older pages with its inputs."""
    stages = context.chain.passes[0].awaits if context.past else ()
    return [stage.name for stage in stages if not stage.append_stable]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ledger:
    sums: LedgerSums
    n_known: int
    ledger: Path
    audit: Sequence[Path]
    losses: Losses


def _write_ledger(
    context: BuildContext,
    chain_result: ChainResult,
    row_outcomes: RowOutcomes,
    restated: pa.Table,
    private: pa.StringArray,
) -> _Ledger:
    names = ("ledger", "rejected", "clusters")
    ledger, rejected, clusters = (context.folder / f"{name}.parquet" for name in names)
    sums, n_known = write_ledger(
        ledger, clusters=clusters, spool=chain_result.first, row_outcomes=row_outcomes, restated=restated
    )
    texts = context.folder / TEXTS
    write_texts(texts, context, chain_result, private=private)
    spans, signals = context.folder / REMOVED_SPANS, context.folder / MEASURED
    removed = write_removed(spans, chain_result, ledger=ledger, private=private)
    measured = write_measured(signals, chain_result, ledger=ledger, private=private)
    noted = write_noted(context.folder, context, chain_result) + write_evidence(context, chain_result)
    noted.append(write_domains(context.folder, context, chain_result))
    write_rejected(rejected, spool=chain_result.first, late=chain_result.late, private=private)
    losses = count_losses(chain_result, context.recipe.sources, n_by_file=sums.n_by_file)
    return _Ledger(
        sums=sums,
        n_known=n_known,
        ledger=ledger,
        audit=(ledger, rejected, clusters, texts, *(one for one in (removed, measured) if one), *noted),
        losses=losses,
    )


def _all_ids(chain_result: ChainResult, placement: Placement) -> DocumentIds:
    """Return an id for each row of the first spool: the published id, or the candidate id without one."""
    if not chain_result.first.n_rows:  # row 0 can then be looked up
        return DocumentIds(np.zeros((1, 2), np.uint64))
    candidates = DocumentIds.from_arrow(chain_result.first.column(ID))
    return candidates.replaced(placement.rows, placement.ids)


# -- shards ----------------------------------------------------------------------------------------


def _write_shards(
    context: BuildContext,
    chain_result: ChainResult,
    placement: Placement,
    plan: ShardPlan,
    row_outcomes: RowOutcomes,
) -> list[VersionShard]:
    """Write the new and changed shards in parallel, and look up the facts of the kept shards."""
    job = _shard_job(context, chain_result, placement, plan, row_outcomes)
    new = [shard for shard in plan.shards if isinstance(shard, PlannedShard)]
    changed = [shard for shard in plan.shards if isinstance(shard, Rewrite)]
    written: dict[str, WrittenShard] = {}
    for done in (context.engine.map(RewriteJob(job), changed), context.engine.map(job, new)):
        for shard in done:
            written[shard.name] = shard
            context.advance("write", done=len(written), total=len(new) + len(changed), unit="shards")
    lineage = context.past.lineage if context.past else None
    return [describe_shard(lineage, shard, written) for shard in plan.shards]


def _shard_job(
    context: BuildContext,
    chain_result: ChainResult,
    placement: Placement,
    plan: ShardPlan,
    row_outcomes: RowOutcomes,
) -> ShardJob:
    arrays = context.folder / "arrays"
    for name, array in {
        "ids": placement.ids.words,
        "sizes": placement.sizes,
        "all_ids": row_outcomes.ids.words,
        "past_rows": row_outcomes.past_rows,
        "past_ids": row_outcomes.past_ids.words,
        **{f"{split}.rows": placement.of(i) for i, split in enumerate(placement.names)},
    }.items():
        save_array(arrays / f"{name}.npy", array)
    return ShardJob(
        parts=chain_result.last.parts,
        schema=context.chain.published,
        tags=context.chain.tags,
        noted=NotedColumns.of(context.chain.published, context.recipe.columns),
        limits=plan.limits,
        arrays=str(arrays),
        folder=str(context.folder / "shards"),
        measured=side_file_text(context),
    )


# -- sums ------------------------------------------------------------------------------------------


def _cluster_sizes(row_outcomes: RowOutcomes) -> Counter[int]:
    """Count clusters by their number of records, keeper included. A single record is not a cluster."""
    merged = np.flatnonzero(row_outcomes.merges.into != -1)
    _, sizes = np.unique(row_outcomes.merges.last[merged], return_counts=True)
    return Counter((sizes + 1).tolist())


def _check_sums(
    chain_result: ChainResult, sums: LedgerSums, placement: Placement, *, n_known: int, n_restated: int
) -> None:
    """Compare the ledger with the counts of the readers, and its kept rows with the rows for the shards."""
    n_read = chain_result.n_read
    if sums.n_records - n_restated + n_known != n_read:
        raise AccountError(
            f"the readers counted {n_read:,} records, but the ledger has {sums.n_records:,} rows, of which "
            f"{n_restated:,} restate records of earlier builds, and {n_known:,} records were known"
        )
    if sums.outcomes["kept"] != len(placement.rows):
        raise AccountError(
            f"the ledger has {sums.outcomes['kept']:,} kept records, "
            f"but the shards get {len(placement.rows):,} rows"
        )
