"""The two sides of a comparison: the shards with the rows of each split, in their order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

    from builder.corpus import Corpus
    from builder.domain.manifest import Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class SideShard:
    """One shard at any path; two shards with the same hash have the same rows."""

    split: str
    path: Path
    sha256: str
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """The rows of one state of a dataset; the shards of a split are in the order of its rows."""

    columns: pa.Schema
    shards: Sequence[SideShard]

    @classmethod
    def of_version(cls, corpus: Corpus, manifest: Manifest) -> Side:
        """Return the side of a version in a corpus."""
        version = manifest.version
        shards = [
            SideShard(
                split=split,
                path=corpus.version_file(version, one.path),
                sha256=one.sha256,
                rows=one.rows,
            )
            for split, one in corpus.shards(manifest.version)
        ]
        return cls(columns=manifest.columns, shards=shards)

    @property
    def splits(self) -> list[str]:
        """The splits that have rows, in order."""
        return list(dict.fromkeys(shard.split for shard in self.shards))

    def ranges(self, names: Sequence[str]) -> Iterator[ShardRange]:
        """Yield the shards, split by split in the order of ``names``."""
        for number, name in enumerate(names):
            first = 0
            for shard in self.shards:
                if shard.split == name:
                    yield ShardRange(split=number, shard=shard, first=first)
                    first += shard.rows


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardRange:
    """The places of one shard's rows; ``first`` is the place of its first row in the split."""

    split: int
    shard: SideShard
    first: int

    @property
    def stop(self) -> int:
        """The place after its last row."""
        return self.first + self.shard.rows
