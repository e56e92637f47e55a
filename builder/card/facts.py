"""What a card and a croissant.json are made from: plain values, so that nothing here reads a file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardFile:
    """One Parquet file. ``path`` is relative to the version's folder, with forward slashes."""

    path: str
    size_bytes: int
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitFacts:
    """One split. ``raw_bytes`` is the size of its rows in memory, not of its files."""

    rows: int
    raw_bytes: int
    shards: tuple[ShardFile, ...]

    @property
    def file_bytes(self) -> int:
        """Bytes of the files."""
        return sum(shard.size_bytes for shard in self.shards)


@dataclass(frozen=True, slots=True, kw_only=True)
class StageFacts:
    """A stage (or a source) as the recipe wrote it, with the options that it set.

    Options are published: give them as they were written, before variables are filled in, because a variable
    may hold a secret.
    """

    name: str
    options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many records left the build at one stage for one reason."""

    stage: str
    reason: str
    outcome: Literal["rejected", "merged", "failed"]
    records: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeFacts:
    """What a version brought: why it has its number, and what changed in each split, a line each."""

    version: str
    text: str
    date: str | None = None
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFacts:
    """The inputs of a build: how many, how big, and the digest of their list."""

    count: int
    size_bytes: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFacts:
    """Everything that the card of one version tells.

    ``splits`` may hold splits without rows; they are told in the text and have no entry in the front
    matter, because ``load_dataset`` fails on them. ``records`` and ``counts`` belong to the build of this
    version alone; what the parent published is ``inherited_rows``.

    Attributes:
        columns: the published Arrow schema, in order.
        stages: sources and stages in the order in which records meet them.
        languages: rows by language code; the empty code stands for rows without one.
        domains: rows by host; may be cut to the biggest, then ``n_domains`` tells how many there are.
        crossing_pairs: near-duplicate pairs with one document in train and one in another split; None
            where nobody looked.
        notes: Markdown of the recipe's ``card`` file.
        repo: name on the Hub, ``USER/NAME``.
    """

    name: str
    version: str
    columns: pa.Schema
    splits: Mapping[str, SplitFacts]
    title: str = ""
    description: str = ""
    license: str | None = None
    license_link: str | None = None
    language: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    parent: str | None = None
    reason: str = ""
    date: str | None = None
    column_notes: Mapping[str, str] = field(default_factory=dict)
    stages: tuple[StageFacts, ...] = ()
    records: int = 0
    inherited_rows: int = 0
    counts: tuple[Count, ...] = ()
    inputs: InputFacts | None = None
    recipe_digest: str | None = None
    languages: Mapping[str, int] = field(default_factory=dict)
    domains: Mapping[str, int] = field(default_factory=dict)
    n_domains: int | None = None
    clusters: int = 0
    largest_cluster: int = 0
    crossing_pairs: int | None = None
    limits: tuple[str, ...] = ()
    changes: tuple[ChangeFacts, ...] = ()
    notes: str = ""
    contact: str | None = None
    repo: str | None = None

    @property
    def rows(self) -> int:
        """Rows of all splits."""
        return sum(split.rows for split in self.splits.values())

    @property
    def filled(self) -> dict[str, SplitFacts]:
        """The splits that have rows, in order."""
        return {name: split for name, split in self.splits.items() if split.rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionFacts:
    """What the corpus's root card needs of one version; ``yanked`` holds the reason if it was yanked."""

    version: str
    columns: pa.Schema
    splits: Mapping[str, SplitFacts]
    reason: str = ""
    date: str | None = None
    yanked: str | None = None

    @property
    def rows(self) -> int:
        """Rows of all splits."""
        return sum(split.rows for split in self.splits.values())
