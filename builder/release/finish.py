"""The end of a build: shards are written, the ledger is closed and added up."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from builder.domain.document_ids import id_words
from builder.errors import AccountError
from builder.history.shard_notes import NotedColumns
from builder.pipeline.candidate_ids import ID
from builder.release.edits import SOURCE_GONE, Edits, find_replaced
from builder.release.layout import EditionShard, PlannedShard, Rewrite, WrittenShard
from builder.release.ledger import LedgerSums, write_ledger, write_rejected
from builder.release.ledger_updates import removal_of, restate
from builder.release.outcomes import Fates, trace_fates
from builder.release.plan import edition_shard, plan_edition
from builder.release.rewrite import RewriteJob
from builder.release.write import ShardJob, place_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa
    from numpy.typing import NDArray

    from builder.domain.manifest import CutSizes
    from builder.pipeline.context import Work
    from builder.pipeline.run import ChainResult
    from builder.release.layout import Plan
    from builder.release.write import Placement


@dataclass(frozen=True, kw_only=True)
class Closed:
    """A build that is over and not yet a version; all its files are still in the spool's folder.

    Attributes:
        shards: all shards of the version, in order.
        n_known: records that were read again and had been accounted for by an earlier build.
        n_restated: records of earlier builds whose fate changed.
        added: rows that each split got.
    """

    shards: Sequence[EditionShard]
    limits: Mapping[str, CutSizes]
    sums: LedgerSums
    counts: Counter[str]
    clusters: Counter[int]
    ledger: Path
    rejected: Path
    clusters_file: Path
    n_known: int
    n_restated: int
    edits: Edits
    added: Mapping[str, int]
    fates: Fates
    chain_result: ChainResult


def close(work: Work, chain_result: ChainResult) -> Closed:
    """Write shards and ledger, and check that every record is accounted for.

    Raises:
        AccountError: if the sums do not match what the readers counted.
    """
    lineage = work.past.lineage if work.past else None
    replaced, lost = find_replaced(chain_result, lineage, work.past) if lineage and work.past else ({}, {})
    retired = chain_result.merges.replaced
    placement = place_rows(
        chain_result.last,
        shares=work.recipe.splits,
        name=work.recipe.name,
        lineage=lineage,
        edits=Edits(replaced=replaced),
        pruned=work.pruned.documents if work.pruned else frozenset(),
    )
    all_ids = _all_ids(chain_result, placement)
    for spool in (chain_result.first, chain_result.last):
        spool.let_go()
    fates = trace_fates(chain_result, placement, all_ids=all_ids, past=work.past)
    removed = {key: removal_of(row, fates, chain_result) for key, row in lost.items()}
    if work.past and work.pruned:
        removed |= dict.fromkeys(sorted(work.pruned.documents), SOURCE_GONE)
        retired = np.union1d(retired, work.past.gone)
    edits = Edits(removed=removed, replaced=replaced, retired=tuple(retired.tolist()))
    plan = plan_edition(placement, lineage=lineage, edits=edits)
    fates.note_shards(plan, placement)
    freed = work.pruned.freed if work.pruned else frozenset()
    restated = restate(work.past.lineage, edits, but=freed) if work.past else None
    # the ledger is written while workers write shards
    with ThreadPoolExecutor(1) as beside:
        writing = beside.submit(_write_ledger, work.folder, chain_result, fates, restated)
        if work.engine.workers == 1:  # not more of the machine than was asked for
            writing.result()
        shards = _write_shards(work, chain_result, placement, plan, fates)
        work.advance("ledger", done=0, total=1, unit="file")
        written = writing.result()
        work.advance("ledger", done=1, total=1, unit="file")
    n_restated = restated.num_rows if restated else 0
    _check_sums(chain_result, written.sums, placement, n_known=written.n_known, n_restated=n_restated)
    return Closed(
        shards=shards,
        limits=plan.limits,
        sums=written.sums,
        counts=chain_result.counts,
        clusters=_cluster_sizes(fates),
        ledger=written.ledger,
        rejected=written.rejected,
        clusters_file=written.clusters,
        n_known=written.n_known,
        n_restated=n_restated,
        edits=edits,
        added={name: len(placement.of(i)) for i, name in enumerate(placement.names)},
        fates=fates,
        chain_result=chain_result,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ledger:
    sums: LedgerSums
    n_known: int
    ledger: Path
    rejected: Path
    clusters: Path


def _write_ledger(
    folder: Path, chain_result: ChainResult, fates: Fates, restated: pa.Table | None
) -> _Ledger:
    ledger, rejected, clusters = (folder / f"{name}.parquet" for name in ("ledger", "rejected", "clusters"))
    sums, n_known = write_ledger(
        ledger, clusters=clusters, spool=chain_result.first, fates=fates, restated=restated
    )
    write_rejected(rejected, spool=chain_result.first, late=chain_result.late)
    return _Ledger(sums=sums, n_known=n_known, ledger=ledger, rejected=rejected, clusters=clusters)


def _all_ids(chain_result: ChainResult, placement: Placement) -> NDArray[np.uint64]:
    """uint64[n_rows, 2], over the first spool: the published id, or the candidate where there is none."""
    ids = (
        id_words(chain_result.first.column(ID)).copy()
        if chain_result.first.n_rows
        else np.zeros((1, 2), np.uint64)
    )
    ids[placement.rows] = placement.ids
    return ids


# -- shards ----------------------------------------------------------------------------------------


def _write_shards(
    work: Work, chain_result: ChainResult, placement: Placement, plan: Plan, fates: Fates
) -> list[EditionShard]:
    """Write what is new or changed, side by side; what stays is only looked up."""
    job = _shard_job(work, chain_result, placement, plan, fates)
    new = [shard for shard in plan.shards if isinstance(shard, PlannedShard)]
    changed = [shard for shard in plan.shards if isinstance(shard, Rewrite)]
    written: dict[str, WrittenShard] = {}
    for done in (work.engine.map(RewriteJob(job), changed), work.engine.map(job, new)):
        for shard in done:
            written[shard.name] = shard
            work.advance("write", done=len(written), total=len(new) + len(changed), unit="shards")
    lineage = work.past.lineage if work.past else None
    return [edition_shard(lineage, shard, written) for shard in plan.shards]


def _shard_job(
    work: Work, chain_result: ChainResult, placement: Placement, plan: Plan, fates: Fates
) -> ShardJob:
    arrays = work.folder / "arrays"
    arrays.mkdir(exist_ok=True)
    for name, array in {
        "ids": placement.ids,
        "sizes": placement.sizes,
        "all_ids": fates.ids,
        "past_rows": fates.past_rows,
        "past_ids": fates.past_ids,
        **{f"{split}.rows": placement.of(i) for i, split in enumerate(placement.names)},
    }.items():
        np.save(arrays / f"{name}.npy", array)
    return ShardJob(
        parts=chain_result.last.parts,
        schema=work.chain.published,
        tags=work.chain.tags,
        noted=NotedColumns.of(work.chain.published, work.recipe.columns),
        limits=plan.limits,
        arrays=str(arrays),
        folder=str(work.folder / "shards"),
    )


# -- sums ------------------------------------------------------------------------------------------


def _cluster_sizes(fates: Fates) -> Counter[int]:
    """Count clusters by the number of records in them, the keeper included; those of one are not clusters."""
    merged = np.flatnonzero(fates.merges.into != -1)
    _, sizes = np.unique(fates.merges.last[merged], return_counts=True)
    return Counter((sizes + 1).tolist())


def _check_sums(
    chain_result: ChainResult, sums: LedgerSums, placement: Placement, *, n_known: int, n_restated: int
) -> None:
    """Compare the ledger with what the readers counted, and its kept rows with what goes into shards."""
    n_read = sum(part.n_records for part in chain_result.first.parts)
    if sums.n_records - n_restated + n_known != n_read:
        raise AccountError(
            f"the readers counted {n_read} records, the ledger has {sums.n_records}, "
            f"{n_restated} of them of earlier builds, and {n_known} were known"
        )
    if sums.outcomes["kept"] != len(placement.rows):
        raise AccountError(
            f"the ledger keeps {sums.outcomes['kept']} records, the shards get {len(placement.rows)}"
        )
