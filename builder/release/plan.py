"""Plan the shards of a new version: kept, rewritten and new shards."""

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
    """Return the shards of a new version: in each split first those of the parent, then the additions."""
    shards: list[KeptShard | Rewrite | PlannedShard] = []
    limits: dict[str, CutSizes] = {}
    edited = _edits_by_shard(lineage, edits) if lineage and edits else {}
    for split in placement.names:
        before = lineage.manifest.splits.get(split) if lineage else None
        ranges, sizes = plan_cuts(placement, split, before.cut if before else None)
        old = list(_parent_shards(split, lineage, edited)) if lineage and before else []
        n = len(old) + len(ranges)
        names = [f"data/{split}-{i:05d}-of-{n:05d}.parquet" for i in range(n)]
        shards += [one.with_name(name) for one, name in zip(old, names, strict=False)]
        new = zip(ranges, names[len(old) :], strict=True)
        shards += [PlannedShard(split=split, name=name, start=a, stop=b) for (a, b), name in new]
        if sizes:
            limits[split] = sizes
    return ShardPlan(shards=shards, limits=limits)


@dataclass(frozen=True, slots=True)
class _ParentShard:
    """A shard of the parent whose new name is not known yet."""

    split: str
    entry: ShardEntry
    source: str
    origin: str | None
    removed: tuple[int, ...]
    replaced: Mapping[int, int]

    def with_name(self, name: str) -> KeptShard | Rewrite:
        """Return the shard with its name in the new version, kept or rewritten."""
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


def _parent_shards(
    split: str, lineage: Lineage, edited: Mapping[tuple[str, int], tuple[list[int], dict[int, int]]]
) -> Iterator[_ParentShard]:
    for number, entry in enumerate(lineage.manifest.splits[split].shards):
        removed, replaced = edited.get((split, number), ([], {}))
        if len(removed) < entry.rows:  # a shard without rows is left out: it cannot be loaded
            source = str(lineage.shard_path(split, number))
            origin = entry.sha256 if lineage.n_derived(entry.sha256) < MOST_DERIVED else None
            yield _ParentShard(split, entry, source, origin, tuple(sorted(removed)), replaced)


MOST_DERIVED = 8
"""Maximum number of consecutive rewrites that the index stores as edits; then it stores all rows again."""


def _edits_by_shard(
    lineage: Lineage, edits: Edits
) -> dict[tuple[str, int], tuple[list[int], dict[int, int]]]:
    """Return the removed and replaced rows of each shard that has some, by split and shard number."""
    edited: dict[tuple[str, int], tuple[list[int], dict[int, int]]] = {}
    for key, place in lineage.locate(edits.ids).items():
        removed, replaced = edited.setdefault((place.split, place.shard), ([], {}))
        if key in edits.removed:
            removed.append(place.row)
        else:
            replaced[place.row] = edits.replaced[key]
    return edited


def describe_shard(
    lineage: Lineage | None,
    shard: KeptShard | Rewrite | PlannedShard | Recut,
    written: Mapping[str, WrittenShard],
) -> VersionShard:
    """Return the facts of a planned shard, after all shards are written.

    Raises:
        AccountError: if the plan keeps a shard although the version has no parent.
    """
    if not isinstance(shard, KeptShard):
        done = written[shard.name]
        return VersionShard(
            split=shard.split, name=shard.name, bytes=done.file_bytes, facts=done.facts, written=done
        )
    if lineage is None:
        raise AccountError(f"the plan keeps the shard {shard.name}, but the version has no parent")
    facts, entry = lineage.shard_facts[shard.sha256], lineage.entries[shard.sha256]
    return VersionShard(split=shard.split, name=shard.name, bytes=entry.bytes, facts=facts)
