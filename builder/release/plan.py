"""The shards of a new version: those that stay, those that are written again, and those that are new."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from builder.errors import AccountError
from builder.release.layout import KeptShard, PlannedShard, Rewrite, ShardPlan, VersionShard
from builder.release.write import plan_cuts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from builder.domain.manifest import CutSizes, ShardEntry
    from builder.history.lineage import Lineage
    from builder.release.edits import Edits
    from builder.release.layout import Recut, WrittenShard
    from builder.release.write import Placement


def plan_shards(
    placement: Placement, *, lineage: Lineage | None = None, edits: Edits | None = None
) -> ShardPlan:
    """Lay out the shards of a new version: first those of the version before, then the additions."""
    shards: list[KeptShard | Rewrite | PlannedShard] = []
    limits: dict[str, CutSizes] = {}
    touched = _touched(lineage, edits) if lineage and edits else {}
    for split in placement.names:
        before = lineage.manifest.splits.get(split) if lineage else None
        ranges, sizes = plan_cuts(placement, split, before.cut if before else None)
        old = list(_old_shards(split, lineage, touched)) if lineage and before else []
        n = len(old) + len(ranges)
        names = [f"data/{split}-{i:05d}-of-{n:05d}.parquet" for i in range(n)]
        shards += [one.named(name) for one, name in zip(old, names, strict=False)]
        new = zip(ranges, names[len(old) :], strict=True)
        shards += [PlannedShard(split=split, name=name, start=a, stop=b) for (a, b), name in new]
        if sizes:
            limits[split] = sizes
    return ShardPlan(shards=shards, limits=limits)


@dataclass(frozen=True, slots=True)
class _Old:
    """A shard of the version before whose new name is not known yet."""

    split: str
    entry: ShardEntry
    source: str
    origin: str | None
    removed: tuple[int, ...]
    replaced: Mapping[int, int]

    def named(self, name: str) -> KeptShard | Rewrite:
        """Return what becomes of it."""
        if not self.removed and not self.replaced:
            return KeptShard(split=self.split, name=name, sha256=self.entry.sha256)
        return Rewrite(
            split=self.split,
            name=name,
            source=self.source,
            origin=self.origin,
            removed=self.removed,
            replaced=self.replaced,
        )


def _old_shards(
    split: str, lineage: Lineage, touched: Mapping[tuple[str, int], tuple[list[int], dict[int, int]]]
) -> Iterator[_Old]:
    for number, entry in enumerate(lineage.manifest.splits[split].shards):
        removed, replaced = touched.get((split, number), ([], {}))
        if len(removed) < entry.rows:  # one without rows could not be loaded: it is left out
            source = str(lineage.shard_path(split, number))
            origin = entry.sha256 if lineage.n_derived(entry.sha256) < MOST_DERIVED else None
            yield _Old(split, entry, source, origin, tuple(sorted(removed)), replaced)


MOST_DERIVED = 8
"""Shards in a row of which the index knows each by the one before; then it holds all rows again."""


def _touched(lineage: Lineage, edits: Edits) -> dict[tuple[str, int], tuple[list[int], dict[int, int]]]:
    """Find the shards that hold removed and replaced rows: by split and number, their rows there."""
    touched: dict[tuple[str, int], tuple[list[int], dict[int, int]]] = {}
    for key, place in lineage.locate(edits.ids).items():
        removed, replaced = touched.setdefault((place.split, place.shard), ([], {}))
        if key in edits.removed:
            removed.append(place.row)
        else:
            replaced[place.row] = edits.replaced[key]
    return touched


def describe_shard(
    lineage: Lineage | None,
    shard: KeptShard | Rewrite | PlannedShard | Recut,
    written: Mapping[str, WrittenShard],
) -> VersionShard:
    """Return what is known of a planned shard, now that all are written.

    Raises:
        AccountError: if one stays of a version that is not there.
    """
    if not isinstance(shard, KeptShard):
        done = written[shard.name]
        return VersionShard(
            split=shard.split, name=shard.name, bytes=done.file_bytes, facts=done.facts, written=done
        )
    if lineage is None:
        raise AccountError(f"{shard.name} stays, and there is no version before")
    facts, entry = lineage.shard_facts[shard.sha256], lineage.entries[shard.sha256]
    return VersionShard(split=shard.split, name=shard.name, bytes=entry.bytes, facts=facts)
