"""Define the facts from which a card and a croissant.json are written; this module reads no files."""

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
    """A stage or a source of the recipe, with the options that the recipe sets.

    Options are published. Pass them before environment variables are replaced, because a variable may
    contain a secret. A stage with a name of its own has its kind as the option ``kind``.
    """

    name: str
    options: Mapping[str, object] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """What the stage or source is; its name, unless the recipe gives another one."""
        return str(self.options.get("kind", self.name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many records left the build at one stage for one reason."""

    stage: str
    reason: str
    outcome: Literal["rejected", "merged", "failed"]
    records: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFacts:
    """The records of one source, and their outcomes."""

    name: str
    records: int
    kept: int
    rejected: int
    merged: int
    failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFacts:
    """The records that one or more builds read, and why records left them.

    Attributes:
        counts: why records left, including ``restated`` records.
        restated: records of earlier builds whose outcome this build changed.
    """

    records: int = 0
    counts: tuple[Count, ...] = ()
    sources: tuple[SourceFacts, ...] = ()
    restated: int = 0

    @property
    def outcomes(self) -> dict[str, int]:
        """The records of all sources by outcome, without restated ones."""
        names = ("kept", "rejected", "merged", "failed")
        return {name: sum(getattr(source, name) for source in self.sources) for name in names}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeFacts:
    """The changes of a version: the reason for its number, and one line for each split."""

    version: str
    text: str
    date: str | None = None
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFacts:
    """The inputs of a build: their number, their size, and the digest of their list."""

    count: int
    size_bytes: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalCount:
    """How many pages have a signal about their use at one place, and whether the policy counts it."""

    signal: str
    place: str
    answer: str
    counts: bool
    pages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservationFacts:
    """The policy of a stage ``opt_out``, and the signals that it found.

    Attributes:
        agents: the agents that the recipe names; None for those of the list with the date ``tokens``.
        mode: what happens to reserved pages: ``drop``, ``tag`` or ``report``.
        found: signals of the pages that the build of this version read; None if it read none.
    """

    stage: str
    purposes: tuple[str, ...]
    agents: tuple[str, ...] | None
    tokens: str
    signals: tuple[str, ...]
    mode: str
    drops_silence: bool
    drops_unreadable: bool
    uses_later: bool
    counts_noindex: bool
    found: tuple[SignalCount, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenseCount:
    """How many documents come from pages that name a licence at one place; None for no licence."""

    license: str | None
    place: str | None
    documents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalHistogram:
    """The histogram of one signal of the published texts.

    Attributes:
        note: what the signal measures.
        edges: the lower end of each bin; the last bin has no upper end.
        counts: documents in each bin.
        null: documents for which the signal is not defined.
    """

    name: str
    note: str
    edges: tuple[float, ...]
    counts: tuple[int, ...]
    null: int

    def bin_of(self, share: float) -> str:
        """Describe the bin up to which there is this share of the documents; empty without a document.

        >>> facts = SignalHistogram(name="words", note="", edges=(0, 1, 2, 5), counts=(0, 1, 8, 1), null=0)
        >>> [facts.bin_of(share) for share in (0.1, 0.5, 1)]
        ['1', '2 to 5', '5 or more']
        """
        wanted, seen = share * sum(self.counts), 0
        for i, count in enumerate(self.counts):
            seen += count
            if count and seen >= wanted:
                return self._bin(i)
        return ""

    def _bin(self, i: int) -> str:
        low = f"{self.edges[i]:,g}" if self.edges[i] < 1_000 else f"{self.edges[i]:,.0f}"
        if i + 1 == len(self.edges):
            return f"{low} or more"
        high = self.edges[i + 1]
        is_count = all(float(edge).is_integer() for edge in self.edges)
        return low if is_count and high - self.edges[i] == 1 else f"{low} to {high:,g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFacts:
    """All facts in the card of one version.

    ``splits`` may contain splits without rows. The text names them, but the front matter has no entry for
    them, because ``load_dataset`` fails on an empty split.

    Attributes:
        columns: the published Arrow schema, in order.
        stages: sources and stages in the order of the chain.
        source_kinds: which of their names are sources.
        read: the records of this version and of all versions that it builds on, each with its newest
            outcome; only those of this version if no ledger has the others.
        added: the records that the build of this version read; None in a version that builds on no other.
        inherited_rows: rows that come from the parent, and whose records are not in ``read``.
        new_inputs: inputs that the parent did not have.
        pages_until: the date of the newest page, if the recipe gives no date.
        languages: rows by language code; the empty code counts rows without a language.
        domains: rows by host; if only the largest are listed, ``n_domains`` is the number of all hosts.
        signals: histograms of some signals, if the version has side files.
        crossing_pairs: near-duplicate pairs with one document in train and one in another split; None
            if they were not counted.
        licenses: documents by the licence that their page names; empty without a stage that finds licences.
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
    pages_until: str | None = None
    column_notes: Mapping[str, str] = field(default_factory=dict)
    stages: tuple[StageFacts, ...] = ()
    source_kinds: tuple[str, ...] = ()
    read: RecordFacts = field(default_factory=RecordFacts)
    added: RecordFacts | None = None
    inherited_rows: int = 0
    inputs: InputFacts | None = None
    new_inputs: int | None = None
    recipe_digest: str | None = None
    languages: Mapping[str, int] = field(default_factory=dict)
    domains: Mapping[str, int] = field(default_factory=dict)
    n_domains: int | None = None
    clusters: int = 0
    largest_cluster: int = 0
    signals: tuple[SignalHistogram, ...] = ()
    crossing_pairs: int | None = None
    reservations: tuple[ReservationFacts, ...] = ()
    licenses: tuple[LicenseCount, ...] = ()
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
    """The facts of one version in the card of the corpus; ``yanked`` is the reason, if yanked."""

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
