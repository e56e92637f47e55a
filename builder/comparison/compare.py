"""Compare two states of a dataset row by row, in memory that does not grow with the number of rows.

Shards that both sides have in the same split are not read. For each row of the other shards, the comparison
writes a fact of fixed size to a bucket, by a hash of the row's id. It joins each bucket in memory, and writes
the verdict on each row to another bucket, by the place of the row; from these the rows are read back in
order. The number of a version and the output of ``diff`` follow from the verdicts.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from builder.comparison.buckets import BucketFiles
from builder.comparison.removal_reasons import RemovalReasons, match, parts_of
from builder.comparison.row_verdicts import NEW, NOWHERE, OLD, RowVerdicts
from builder.domain.document_ids import DocumentIds
from builder.domain.progress import ignore_progress
from builder.domain.version import SplitChanges
from builder.io.parquet_sink.rows import encode_rows, row_digests

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from numpy.typing import NDArray

    from builder.comparison.sides import ShardRange, Side
    from builder.domain.changelog import Reason
    from builder.domain.progress import Progress

ROWS_AT_ONCE = 1 << 19
"""Facts of both sides that are joined at a time; each takes about 200 bytes of memory."""
_BATCH_ROWS = 2_048

_FACT = np.dtype([("key", "<u8", 2), ("digest", "<u8"), ("place", "<i8"), ("bytes", "<i8"), ("split", "<i2")])


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The result of a comparison: counts, and a verdict on each row.

    ``verdicts`` can be read as long as the scratch folder exists.

    Attributes:
        splits: the counts of each split; the splits of the old side come first.
        reasons: the reasons in the ledgers for removed rows; ``why`` of a verdict is a position in this
            list, or NOWHERE.
        removed: the number of removed rows by reason; the key is None if the ledgers have no reason.
        columns: the names of the columns that both sides have; rows are equal if these values are equal.
        n_shared: shards that both sides have in the same split.
        n_read: shards that were read.
    """

    splits: Mapping[str, SplitChanges]
    verdicts: RowVerdicts
    columns: Sequence[str]
    n_shared: int
    n_read: int
    reasons: Sequence[Reason] = ()
    removed: Mapping[Reason | None, int] = field(default_factory=dict)


def compare(
    old: Side,
    new: Side,
    *,
    scratch: Path,
    ledgers: Sequence[Path] = (),
    older_ledgers: Sequence[Path] = (),
    rows_at_once: int = ROWS_AT_ONCE,
    advance: Progress = ignore_progress,
) -> Comparison:
    """Find the rows that were removed, changed, moved, added and reordered.

    Args:
        scratch: an empty folder; the comparison writes up to 90 bytes there for each row of a shard that
            only one side has.
        ledgers: those of the versions after ``old``, oldest first; they say why rows were removed.
        older_ledgers: those of ``old`` and the versions before it, oldest first; they say from which record
            a row comes.
        rows_at_once: rows that are in memory at a time; the result does not depend on it.
    """
    names = list(dict.fromkeys([*old.splits, *new.splits]))
    shared = _shards(old) & _shards(new)
    columns = [name for name in old.columns.names if name in new.columns.names]
    unshared = [[s for s in side.ranges(names) if not _is_in(s, shared)] for side in (old, new)]
    n_rows = sum(shard_range.shard.rows for side in unshared for shard_range in side)
    n_parts = -(-n_rows // rows_at_once) or 1
    reader = _Reader(columns, n_parts, advance, total=sum(map(len, unshared)))
    facts = [reader.facts(scratch / name, side) for name, side in zip(("old", "new"), unshared, strict=True)]
    why = RemovalReasons(scratch / "why", ledgers=ledgers, older=older_ledgers, n_parts=n_parts)
    verdicts = RowVerdicts(scratch, names=names, sides=(old, new), shared=shared, block_rows=rows_at_once)
    tally = _Tally(len(names))
    for part in range(n_parts):
        _join(part, *(one.read(part) for one in facts), why=why, verdicts=verdicts, tally=tally)
    for splits, places, reasons in why.remaining():
        verdicts.add_old(splits, _removed(places, reasons))
        tally.why.update(reasons.tolist())
    reordered = verdicts.count_reordered()
    return Comparison(
        splits={name: tally.changes(i, reordered=reordered[i]) for i, name in enumerate(names)},
        verdicts=verdicts,
        columns=columns,
        n_shared=len(shared),
        n_read=reader.n_done,
        reasons=why.reasons,
        removed={_reason(why.reasons, n): n_rows for n, n_rows in sorted(tally.why.items())},
    )


def _shards(side: Side) -> set[tuple[str, str]]:
    return {(shard.split, shard.sha256) for shard in side.shards}


def _is_in(shard_range: ShardRange, shared: set[tuple[str, str]]) -> bool:
    return (shard_range.shard.split, shard_range.shard.sha256) in shared


# -- facts -----------------------------------------------------------------------------------------


class _Reader:
    """Reads shards, and writes a fact on each row to a bucket, by the row's key."""

    def __init__(self, columns: Sequence[str], n_parts: int, advance: Progress, *, total: int) -> None:
        self.n_done = 0
        self._columns = columns
        self._n_parts = n_parts
        self._advance = advance
        self._total = total

    def facts(self, folder: Path, ranges: Sequence[ShardRange]) -> BucketFiles:
        """Read the shards of one side."""
        facts = BucketFiles(folder, _FACT)
        for shard_range in ranges:
            for some in self._of_shard(shard_range):
                facts.add(parts_of(some["key"], self._n_parts), some)
            self.n_done += 1
            self._advance("compare", done=self.n_done, total=self._total, unit="shards")
        return facts

    def _of_shard(self, shard_range: ShardRange) -> Iterator[NDArray[Any]]:
        place = shard_range.first
        with pq.ParquetFile(shard_range.shard.path) as file:
            id_column = file.schema_arrow.names[0]
            columns = list(dict.fromkeys([id_column, *self._columns]))
            for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=columns):
                data, offsets = encode_rows(batch.select(self._columns))
                facts = np.empty(batch.num_rows, _FACT)
                facts["key"] = DocumentIds.of_texts(batch.column(id_column).cast(pa.string())).words
                facts["digest"] = row_digests(data, offsets)[:, :8].copy().view(np.uint64).ravel()
                facts["bytes"] = np.diff(offsets)
                facts["place"] = np.arange(place, place + batch.num_rows)
                facts["split"] = shard_range.split
                place += batch.num_rows
                yield facts


# -- joining ---------------------------------------------------------------------------------------


class _Tally:
    """Counts by split, and removed rows by reason."""

    def __init__(self, n_splits: int) -> None:
        self._n_splits = n_splits
        self._counts = {
            name: np.zeros(n_splits, np.int64) for name in ("removed", "changed", "moved", "added")
        }
        self.why: Counter[int] = Counter()

    def count(self, name: str, splits: NDArray[np.int16]) -> None:
        """Count rows by split."""
        self._counts[name] += np.bincount(splits, minlength=self._n_splits)

    def changes(self, split: int, *, reordered: int) -> SplitChanges:
        """Return the sums of one split."""
        return SplitChanges(
            **{name: int(counts[split]) for name, counts in self._counts.items()}, reordered=reordered
        )


def _join(
    part: int,
    old: NDArray[Any],
    new: NDArray[Any],
    *,
    why: RemovalReasons,
    verdicts: RowVerdicts,
    tally: _Tally,
) -> None:
    """Decide on all rows whose keys are in one part."""
    in_old, in_new = match(old["key"], new["key"])
    differs = old["digest"][in_old] != new["digest"][in_new]
    moved = old["split"][in_old] != new["split"][in_new]
    removed = np.ones(len(old), np.bool_)
    removed[in_old] = False
    fresh = np.empty(len(new), NEW)
    fresh["place"], fresh["bytes"] = new["place"], new["bytes"]
    fresh["old_split"], fresh["old_place"], fresh["differs"] = NOWHERE, NOWHERE, False
    fresh["old_split"][in_new], fresh["old_place"][in_new] = old["split"][in_old], old["place"][in_old]
    fresh["differs"][in_new] = differs
    fresh["bytes"][in_new] += old["bytes"][in_old]
    verdicts.add_new(new["split"], fresh)
    _judge_removed(part, old[removed], why=why, verdicts=verdicts, tally=tally)
    pairs = in_old[differs]
    verdicts.add_old(old["split"][pairs], _differing(old[pairs], new[in_new[differs]]))
    tally.count("changed", old["split"][in_old[differs & ~moved]])
    tally.count("moved", old["split"][in_old[moved]])
    tally.count("added", new["split"][fresh["old_split"] == NOWHERE])


def _judge_removed(
    part: int, removed: NDArray[Any], *, why: RemovalReasons, verdicts: RowVerdicts, tally: _Tally
) -> None:
    """Look up why rows were removed, by their documents; the rows without a reason are looked up later."""
    reasons = why.look_up(part, removed["key"], removed["place"], removed["split"])
    known = reasons != NOWHERE
    verdicts.add_old(removed["split"][known], _removed(removed["place"][known], reasons[known]))
    tally.count("removed", removed["split"])
    tally.why.update(reasons[known].tolist())


def _removed(places: NDArray[np.int64], why: NDArray[np.int16]) -> NDArray[Any]:
    verdicts = np.empty(len(places), OLD)
    verdicts["place"], verdicts["why"] = places, why
    verdicts["new_split"] = verdicts["new_place"] = NOWHERE
    return verdicts


def _differing(old: NDArray[Any], new: NDArray[Any]) -> NDArray[Any]:
    verdicts = np.empty(len(old), OLD)
    verdicts["place"], verdicts["why"] = old["place"], NOWHERE
    verdicts["new_split"], verdicts["new_place"] = new["split"], new["place"]
    return verdicts


def _reason(reasons: Sequence[Reason], number: int) -> Reason | None:
    return reasons[number] if number != NOWHERE else None
