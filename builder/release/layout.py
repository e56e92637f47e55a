"""How the shards of a new version are laid out: those that stay, that are written again, and that are new."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from builder.domain.manifest import CutSizes
    from builder.history.index import ShardFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptShard:
    """A shard that is in the version before and stays as it is, maybe under another name."""

    split: str
    name: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrite:
    """One shard that changes.

    Attributes:
        name: its name in the new version.
        origin: SHA-256 of the shard, if the index is to know the new one by what was done to it.
        removed: rows of the shard that go, ascending.
        replaced: row of the shard -> row of the last spool that takes its place.
    """

    split: str
    name: str
    source: str
    origin: str | None = None
    removed: tuple[int, ...] = ()
    replaced: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedShard:
    """A new shard before it is written: its name in the version, and which rows of the split's additions."""

    split: str
    name: str
    start: int
    stop: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recut:
    """One shard, put together of pieces of older ones: file, first row and last row but one."""

    split: str
    name: str
    pieces: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardPlan:
    """All shards of the new version, in order, and between which sizes each split is cut."""

    shards: Sequence[KeptShard | Rewrite | PlannedShard | Recut]
    limits: Mapping[str, CutSizes]


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenShard:
    """A finished shard: where it is, and what is known of its rows.

    Attributes:
        ids: the file of its ids, uint64[rows, 2].
        digests: the file of its row digests, uint8[rows, 32].
    """

    split: str
    name: str
    path: str
    file_bytes: int
    facts: ShardFacts
    ids: str
    digests: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionShard:
    """A shard of the new version, with what is known of its rows; ``written`` is None if it stayed."""

    split: str
    name: str
    bytes: int
    facts: ShardFacts
    written: WrittenShard | None = None
