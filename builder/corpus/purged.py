"""``purged.json``: what purges changed in a version. The manifest next to it does not change.

The file is canonical JSON and contains its own digest. The seal of the version covers it too.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from builder.corpus.seal_grammar import wrong_purged
from builder.corpus.seals import Sealed, read_sealed, seal_document
from builder.errors import Fault, TamperedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from builder.domain.manifest import Manifest, ShardEntry

PURGED = "purged.json"
_FORMAT = "purged-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgedShard:
    """One shard that a purge rewrote or deleted.

    Attributes:
        old: SHA-256 and size in the manifest.
        new: SHA-256 and size after the purge; None if no row was left, so that the file was deleted.
        rows: number of removed rows.
        raw_bytes: uncompressed bytes of the removed rows.
    """

    path: str
    old: Sealed
    new: Sealed | None
    rows: int
    raw_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgedFile:
    """Another file of the version that a purge rewrote, because it describes the rows."""

    path: str
    old: Sealed
    new: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class Purged:
    """All changes that purges made to one version.

    Attributes:
        digest: digest of the manifest of the version.
        ledger: counts of the rows that were removed from the ledger: by outcome, and in ``reasons`` by
            outcome, stage and reason, like the counts of a manifest.
    """

    version: str
    digest: str
    shards: tuple[PurgedShard, ...] = ()
    files: tuple[PurgedFile, ...] = ()
    ledger: Mapping[str, Any] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Number of published rows that were removed."""
        return sum(shard.rows for shard in self.shards)

    def to_bytes(self) -> bytes:
        """Return the bytes of the file."""
        return seal_document({"format": _FORMAT, "rows": self.rows, **dataclasses.asdict(self)})

    @classmethod
    def parse(cls, data: bytes, *, where: str) -> Purged:
        """Read ``purged.json``.

        Raises:
            TamperedError: if the file was changed.
        """
        document = read_sealed(data, where=where, expected=_FORMAT)
        if wrong := wrong_purged(document):
            raise TamperedError(
                Fault(where=where, what=f"is not a {_FORMAT}: {wrong}", advice="run `builder verify`")
            )
        del document["rows"]
        document["shards"] = tuple(map(_read_shard, document["shards"]))
        document["files"] = tuple(
            PurgedFile(path=one["path"], old=Sealed(**one["old"]), new=Sealed(**one["new"]))
            for one in document["files"]
        )
        return cls(**document)

    def apply(self, manifest: Manifest) -> Manifest:
        """Return a manifest with the shards and files after the purge; digests of rows do not change."""
        purged = {shard.path: shard for shard in self.shards}
        splits = {}
        for name, split in manifest.splits.items():
            shards = tuple(_as_is(split.shards, purged))
            raw_bytes = sum(purged[one.path].raw_bytes for one in split.shards if one.path in purged)
            splits[name] = dataclasses.replace(
                split,
                shards=shards,
                rows=sum(one.rows for one in shards),
                bytes=sum(one.bytes for one in shards),
                raw_bytes=split.raw_bytes - raw_bytes,
            )
        new = {one.path: one.new for one in self.files}
        files = tuple(
            dataclasses.replace(one, sha256=new[one.path].sha256, bytes=new[one.path].bytes)
            if one.path in new
            else one
            for one in manifest.files
        )
        return dataclasses.replace(manifest, splits=splits, files=files)

    def merge(self, later: Purged) -> Purged:
        """Return the changes of this purge and a later one together."""
        before = {shard.path: shard for shard in self.shards}
        shards = {
            **before,
            **{
                one.path: dataclasses.replace(
                    one,
                    old=before[one.path].old,
                    rows=before[one.path].rows + one.rows,
                    raw_bytes=before[one.path].raw_bytes + one.raw_bytes,
                )
                if one.path in before
                else one
                for one in later.shards
            },
        }
        kept = {one.path: one for one in self.files}
        files = {
            **kept,
            **{
                one.path: dataclasses.replace(one, old=kept[one.path].old) if one.path in kept else one
                for one in later.files
            },
        }
        return dataclasses.replace(
            self,
            shards=tuple(shards[path] for path in sorted(shards)),
            files=tuple(files[path] for path in sorted(files)),
            ledger=add_nested_counts(self.ledger, later.ledger),
        )


def _read_shard(one: Mapping[str, Any]) -> PurgedShard:
    new = Sealed(**one["new"]) if one["new"] else None
    return PurgedShard(**{**one, "old": Sealed(**one["old"]), "new": new})


def _as_is(shards: tuple[ShardEntry, ...], purged: Mapping[str, PurgedShard]) -> Iterator[ShardEntry]:
    for shard in shards:
        found = purged.get(shard.path)
        if found is None:
            yield shard
        elif found.new is not None:
            new = found.new
            yield dataclasses.replace(shard, sha256=new.sha256, bytes=new.bytes, rows=shard.rows - found.rows)


def add_nested_counts(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Add nested counts.

    >>> add_nested_counts({"a": 1, "b": {"c": 2}}, {"b": {"c": 1, "d": 1}})
    {'a': 1, 'b': {'c': 3, 'd': 1}}
    """
    total = dict(one)
    for name, value in other.items():
        if isinstance(value, dict):
            total[name] = add_nested_counts(total.get(name, {}), value)
        else:
            total[name] = total.get(name, 0) + value
    return total
