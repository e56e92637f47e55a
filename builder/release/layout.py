"""Define the plan of a new version's shards: kept, rewritten and new shards."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from builder.domain.manifest import CutSizes
    from builder.history.index import ShardFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptShard:
    """A shard of the parent that stays unchanged; its name may change."""

    split: str
    name: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrite:
    """A shard of the parent that is written again with changed rows.

    Attributes:
        name: its name in the new version.
        origin: SHA-256 of the parent's shard, if the index stores the new shard as edits of it; else None.
        removed: numbers of the removed rows in the shard, ascending.
        replaced: number of a row in the shard -> number of its replacement in the last spool.
    """

    split: str
    name: str
    source: str
    origin: str | None = None
    removed: tuple[int, ...] = ()
    replaced: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedShard:
    """A new shard that is not written yet: its name, and its range in the rows added to the split."""

    split: str
    name: str
    start: int
    stop: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recut:
    """A shard made of pieces of the parent's shards. A piece is (path, first row, row after the last one)."""

    split: str
    name: str
    pieces: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardPlan:
    """All shards of the new version, in order, and the size limits of the shards of each split."""

    shards: Sequence[KeptShard | Rewrite | PlannedShard | Recut]
    limits: Mapping[str, CutSizes]


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenShard:
    """A finished shard: its file, and facts about its rows.

    Attributes:
        ids: the file of its ids, uint64[rows, 2].
        digests: the file of its row digests, uint8[rows, 32].
        side_file: the file with the signals of its rows; None if the recipe does not ask for it.
    """

    split: str
    name: str
    path: str
    file_bytes: int
    facts: ShardFacts
    ids: str
    digests: str
    side_file: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionShard:
    """A shard of the new version, with facts about its rows. ``written`` is None if it was kept unchanged."""

    split: str
    name: str
    bytes: int
    facts: ShardFacts
    written: WrittenShard | None = None
