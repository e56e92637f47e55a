"""Define the facts of a report. What is in ``PrivateFacts`` never reaches a public report."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from builder.card.facts import RecordFacts, StageFacts
    from builder.card.funnel import Step
    from builder.domain.fault_groups import FaultGroup


SHORT_TEXT_CHARS = 100
"""Texts below this length are counted as short."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionLine:
    """One version of the corpus: what it has, and why it has its number."""

    version: str
    rows: int
    bytes: int
    date: str | None
    reason: str
    lines: tuple[str, ...] = ()
    yanked: str | None = None
    purged_rows: int = 0
    dropped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitLine:
    """One split of the version."""

    name: str
    rows: int
    bytes: int
    shards: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Binned:
    """Counts between edges, by outcome or ``plain``: int[n_bins] each, float[n_bins + 1] edges.

    Attributes:
        of: number of counted values.
        sampled_from: number of documents that the counted ones were chosen from; None if all were counted.
    """

    edges: tuple[float, ...]
    counts: Mapping[str, tuple[int, ...]]
    of: int
    log: bool = False
    sampled_from: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueTally:
    """The most frequent values of a column, the number of all other rows, and of rows without a value."""

    column: str
    values: tuple[tuple[str, int], ...]
    others: int = 0
    n_values: int = 0
    without: int = 0
    sampled_from: int | None = None

    @property
    def total(self) -> int:
        """The number of counted rows."""
        return sum(n for _, n in self.values) + self.others + self.without


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredLimit:
    """The values of one limit that dropped records, and those of kept documents if they are known.

    Attributes:
        limit: the limit as the ledger has it, such as ``min 50``.
        threshold: its number; None if the records had several limits.
        kept_measured: number of published documents that were measured for the estimate; 0 without one.
    """

    stage: str
    reason: str
    signal: str
    limit: str
    threshold: float | None
    values: Binned
    kept_measured: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicates:
    """What the stages for duplicates merged.

    Attributes:
        similarities: of the pairs that were compared, from 0 to 1; None without a near-duplicate.
        thresholds: name and threshold of each stage ``dedup_near``.
        sizes: number of clusters by a name of their size, small ones first.
    """

    merged: int
    similarities: Binned | None
    thresholds: tuple[tuple[str, float], ...]
    sizes: tuple[tuple[str, int], ...]
    largest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedRow:
    """A published document: the start of its text, and short columns."""

    id: str
    url: str | None
    split: str
    text: str
    text_chars: int
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DroppedRecord:
    """A record that was not kept. ``text`` is what came to the stage, or the raw record; None if not kept."""

    record_id: str
    url: str | None
    outcome: str
    stage: str
    reason: str
    pointer: str | None
    value: str | None
    limit: str | None
    message: str | None
    similarity: float | None
    text: str | None
    text_chars: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A merged record next to the published document that represents it."""

    record: DroppedRecord
    keeper_id: str
    keeper_url: str | None
    keeper_text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """A part that a stage took out of a text."""

    stage: str
    kind: str
    score: float
    start: int
    text: str | None
    text_chars: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanedDocument:
    """A published document, and what stages took out of its text, in the order of the text."""

    row: PublishedRow
    removed: tuple[Removed, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovedKind:
    """How many parts of one kind a stage took out, and how many characters they have."""

    stage: str
    kind: str
    spans: int
    chars: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOutSignal:
    """How many signals of one kind and answer were found; ``counts`` says whether the policy counts them."""

    signal: str
    place: str
    answer: str
    counts: bool
    pages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DroppedGroup:
    """The records that one stage dropped for one reason, and some of them."""

    outcome: str
    stage: str
    reason: str
    records: int
    samples: tuple[DroppedRecord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateFacts:
    """What only the owner of a corpus may see: dropped text, rejected values, removed parts, the machine.

    Attributes:
        faults_of: number of records whose faults were counted, if not all of them were.
        domains_read: pages by registrable domain, before any stage.
        run: what ``run.json`` has; empty for a version that was fetched.
    """

    dropped: Sequence[DroppedGroup] = ()
    pairs: Sequence[Pair] = ()
    cleaned: Sequence[CleanedDocument] = ()
    faults: Sequence[FaultGroup] = ()
    faults_of: int | None = None
    opt_outs: Sequence[DroppedRecord] = ()
    domains_read: ValueTally | None = None
    run: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Everything that a report shows of one version.

    Attributes:
        read: the records of this version and of those that it builds on.
        outcomes: number of these records by outcome.
        steps: the funnel of these records.
        source_kinds: which of the stages are sources.
        numbers: the values of published columns with numbers, such as signals, by column.
        has_audit: whether the ledger is in this corpus.
        private: None in a public report.
    """

    corpus: str
    name: str
    version: str
    title: str
    description: str
    license: str | None
    languages_declared: tuple[str, ...]
    date: str | None
    reason: str
    digest: str
    data_digest: str
    recipe_digest: str
    contract: str
    contract_digest: str
    inputs: Mapping[str, Any]
    tools: Mapping[str, str]
    columns: tuple[tuple[str, str, str], ...]
    stages: tuple[StageFacts, ...]
    source_kinds: tuple[str, ...]
    splits: tuple[SplitLine, ...]
    versions: tuple[VersionLine, ...]
    read: RecordFacts
    outcomes: Mapping[str, int]
    steps: tuple[Step, ...]
    takedowns: int
    has_audit: bool
    lengths: Binned | None = None
    short_share: float = 0.0
    tallies: tuple[ValueTally, ...] = ()
    domains: ValueTally | None = None
    numbers: tuple[tuple[str, Binned], ...] = ()
    measured: tuple[MeasuredLimit, ...] = ()
    duplicates: Duplicates | None = None
    removed: tuple[RemovedKind, ...] = ()
    cleaned_records: int = 0
    opt_out_signals: tuple[OptOutSignal, ...] = ()
    kept: tuple[PublishedRow, ...] = ()
    private: PrivateFacts | None = None

    @property
    def rows(self) -> int:
        """Rows of all splits."""
        return sum(split.rows for split in self.splits)

    @property
    def line(self) -> VersionLine:
        """The line of this version."""
        return next(one for one in self.versions if one.version == self.version)
