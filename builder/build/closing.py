"""The end of a build: shards are written, the ledger is closed and added up."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from builder.build.identity import ID, id_words
from builder.build.landing import SEGMENT
from builder.build.ledger import Fates, LedgerSums, write_ledger, write_rejected
from builder.build.output import PlannedShard, ShardJob, WrittenShard, place_rows, plan_shards
from builder.errors import AccountError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from builder.build.output import Placement
    from builder.build.passage import Passage
    from builder.build.work import Work
    from builder.domain.manifest import CutSizes


@dataclass(frozen=True, kw_only=True)
class Closed:
    """A build that is over and not yet a version; all its files are still in the spool's folder."""

    shards: Sequence[WrittenShard]
    limits: Mapping[str, CutSizes]
    sums: LedgerSums
    counts: Counter[str]
    clusters: Counter[int]
    ledger: Path
    rejected: Path
    clusters_file: Path
    segments: Sequence[Path]


def close(work: Work, passage: Passage) -> Closed:
    """Write shards and ledger, and check that every record is accounted for.

    Raises:
        AccountError: if the sums do not match what the readers counted.
    """
    placement = place_rows(passage.last, shares=work.recipe.splits, name=work.recipe.name)
    planned, limits = plan_shards(placement)
    all_ids = _all_ids(passage, placement)
    shards = _write_shards(work, passage, placement, planned, limits, all_ids)
    fates = _fates(passage, placement, planned, all_ids)
    ledger, rejected, clusters = (
        work.folder / f"{name}.parquet" for name in ("ledger", "rejected", "clusters")
    )
    work.advance("ledger", done=0, total=1, unit="file")
    sums = write_ledger(ledger, clusters=clusters, spool=passage.first, fates=fates)
    write_rejected(rejected, spool=passage.first, late=passage.late)
    work.advance("ledger", done=1, total=1, unit="file")
    _check_sums(passage, sums, shards)
    return Closed(
        shards=shards,
        limits=limits,
        sums=sums,
        counts=passage.counts,
        clusters=_cluster_sizes(fates),
        ledger=ledger,
        rejected=rejected,
        clusters_file=clusters,
        segments=sorted(work.folder.glob(f"[0-9]*/*{SEGMENT}")),
    )


def _all_ids(passage: Passage, placement: Placement) -> NDArray[np.uint64]:
    """uint64[n_rows, 2], over the first spool: the published id, or the candidate where there is none."""
    ids = id_words(passage.first.column(ID)).copy() if passage.first.n_rows else np.zeros((1, 2), np.uint64)
    ids[placement.rows] = placement.ids
    return ids


def _write_shards(
    work: Work,
    passage: Passage,
    placement: Placement,
    planned: Sequence[PlannedShard],
    limits: Mapping[str, CutSizes],
    all_ids: NDArray[np.uint64],
) -> list[WrittenShard]:
    arrays = work.folder / "arrays"
    arrays.mkdir(exist_ok=True)
    np.save(arrays / "ids.npy", placement.ids)
    np.save(arrays / "sizes.npy", placement.sizes)
    np.save(arrays / "all_ids.npy", all_ids)
    for number, split in enumerate(placement.names):
        np.save(arrays / f"{split}.rows.npy", placement.of(number))
    columns = work.chain.published.names
    roles = work.recipe.columns
    job = ShardJob(
        parts=passage.last.parts,
        schema=work.chain.published,
        tags=work.chain.tags,
        url_column=roles.url if roles.url in columns else None,
        language_column="language" if "language" in columns else None,
        fetched_at_column=roles.fetched_at if roles.fetched_at in columns else None,
        limits=limits,
        arrays=str(arrays),
        folder=str(work.folder / "shards"),
    )
    shards = []
    for shard in work.engine.map(job, planned):
        shards.append(shard)
        work.advance("write", done=len(shards), total=len(planned), unit="shards")
    return shards


def _fates(
    passage: Passage, placement: Placement, planned: Sequence[PlannedShard], all_ids: NDArray[np.uint64]
) -> Fates:
    size = len(passage.merges.into)
    published = np.zeros(size, np.bool_)
    published[placement.rows] = True
    shard = np.full(size, -1, np.int32)
    for number, one in enumerate(planned):
        rows = placement.of(list(placement.names).index(one.split))[one.start : one.stop]
        shard[placement.rows[rows]] = number
    return Fates(
        merges=passage.merges,
        ids=all_ids,
        published=published,
        shard=shard,
        shards=[(one.split, one.name) for one in planned],
        late=passage.late,
    )


def _cluster_sizes(fates: Fates) -> Counter[int]:
    """Count clusters by the number of records in them, the keeper included; those of one are not clusters."""
    merged = np.flatnonzero(fates.merges.into >= 0)
    _, sizes = np.unique(fates.merges.last[merged], return_counts=True)
    return Counter((sizes + 1).tolist())


def _check_sums(passage: Passage, sums: LedgerSums, shards: Sequence[WrittenShard]) -> None:
    """Compare the ledger with what the readers counted, and its kept rows with what is in the shards."""
    n_read = sum(part.n_records for part in passage.first.parts)
    n_written = sum(shard.rows for shard in shards)
    if sums.n_records != n_read:
        raise AccountError(f"the readers counted {n_read} records, the ledger has {sums.n_records}")
    if sums.outcomes["kept"] != n_written:
        raise AccountError(f"the ledger keeps {sums.outcomes['kept']} records, the shards hold {n_written}")
