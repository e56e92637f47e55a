"""The shapes that the parts of the house have for one another; no logic.

Batches of Arrow go down the stairs once. A source reads tasks into batches, a stage looks at a batch and
answers with two (what goes on, and what does not, with the reason), a corpus stage must have seen all
records before it answers, a sink writes ranges of rows, and an engine runs functions without knowing what
they do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Protocol, TypeVar, runtime_checkable

from builder.domain.outcome import Outcome as Outcome  # noqa: TC001 - it is imported from here

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from builder.domain.contract.contract import Contract
    from builder.domain.manifest import Manifest

T = TypeVar("T")
R = TypeVar("R")


# -- reading ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A file, or a part of one, that can be read alone.

    ``path`` is the address to open; ``name`` is the path below the glob's fixed part, which is what
    records are named by, so that a corpus does not depend on where its inputs lie. ``start`` and ``stop``
    are in the unit of the source (bytes of a plain JSONL file, rows of a dataset); ``stop`` is None
    for "to the end". A task of many small files lists them in ``files``, each as address, name and bytes;
    ``path`` and ``name`` are those of the first.
    """

    source: str
    path: str
    name: str
    size_bytes: int
    start: int = 0
    stop: int | None = None
    files: tuple[tuple[str, str, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a source has read at one go: rows in order, and the records that did not become rows.

    ``batch`` has ``_record`` and the columns of the source; ``rejected`` has ``REJECTION_SCHEMA``.
    ``n_records`` is counted where the bytes are, before either batch is made, so that the ledger can be
    checked against it. Ordinals run on over all readings of a task.
    """

    batch: pa.RecordBatch
    rejected: pa.RecordBatch
    n_records: int
    counts: Mapping[str, int] = field(default_factory=dict)


class Guard(Protocol):
    """How code that runs native parsers on strangers' bytes tells the engine what it is about to touch.

    ``enter`` notes the unit (a record's ordinal, a row group; -1 for a whole file) and returns None; if this
    unit has killed or hung a worker before, it returns the reason (``timeout``, ``crash``, ``memory``)
    and the caller makes a failed row of it without touching it again.
    """

    def enter(self, stage: str, unit: int, *, limit_s: float = 60.0) -> str | None:
        """Note what is touched next, or say why it must not be."""

    def leave(self) -> None:
        """Say that it is over."""

    def tick(self, n_records: int, n_bytes: int) -> None:
        """Say how much more of the task is done, for a progress bar."""


class InputFile(Protocol):
    """A file that a source reads: where it is, the name that its records carry, and its size."""

    @property
    def path(self) -> str:
        """The address to open."""

    @property
    def name(self) -> str:
        """The path below the glob's fixed part."""

    @property
    def size_bytes(self) -> int:
        """Its size; 0 where a remote does not tell it."""


class Source(Protocol):
    """Reads one kind of input. What cannot be read is a row, not an exception."""

    kind: ClassVar[str]

    @property
    def label(self) -> str:
        """What records of this source are named by."""

    @property
    def untrusted(self) -> bool:
        """Whether native parsers touch the bytes: then it runs under the engine's guard."""

    def inputs(self) -> Sequence[InputFile]:
        """List the files that are read, in the order of the build; the errors are those of ``tasks``."""

    def tasks(self) -> Sequence[Task]:
        """List what there is to read, in a stable order; each task can be read alone.

        Raises:
            RecipeError: if a path is not there, a folder cannot be read, or a glob matches nothing.
        """

    def read(self, task: Task, *, guard: Guard, batch_rows: int) -> Iterator[Reading]:
        """Read one task in order."""


# -- stages ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Which column plays which part; None where a contract has no such column."""

    text: str | None = "text"
    html: str | None = "html"
    url: str | None = "url"
    fetched_at: str | None = "fetched_at"

    @classmethod
    def of_manifest(cls, manifest: Manifest) -> Columns:
        """Find the published columns of a version by the part that each plays."""
        named = manifest.recipe["document"].get("columns") or {}
        parts = {part: named.get(part, part) for part in ("text", "html", "url", "fetched_at")}
        there = manifest.columns.names
        return cls(**{part: name if name in there else None for part, name in parts.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What a stage may lean on when it is bound.

    ``renames`` maps a source's name to its ``rename`` option (dotted path as it came -> column);
    ``kinds`` maps a source's name to its kind.
    """

    contract: Contract
    columns: Columns
    renames: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None


@runtime_checkable
class Stage(Protocol):
    """Looks at one batch at a time. Its options are the fields of its frozen dataclass."""

    name: ClassVar[str]
    untrusted: ClassVar[bool]

    def bind(self, schema: pa.Schema, resources: Resources) -> pa.Schema:
        """Check that the columns needed are there and return the schema of what goes on.

        Raises:
            RecipeError: if the stage cannot stand here, with advice.
        """

    def apply(self, batch: pa.RecordBatch, *, resources: Resources, guard: Guard) -> Outcome:
        """Split one batch in two; nothing is lost and nothing is changed in place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdicts:
    """What a corpus stage decided on every row of the spool.

    Attributes:
        keeper: int64[n_rows], the row that stands for this one (itself if it is a keeper);
            -1 where the row did not take part; ``-2 - k`` for row ``k`` of ``memory``.
        similarity: float64[n_rows], of the row with its keeper; NaN where none was measured.
        reason: the code written beside merged rows.
        replaces: int64[n_rows], the row of ``memory`` that a keeper takes the place of, -1 for none; None if
            no row does.
    """

    keeper: NDArray[np.int64]
    similarity: NDArray[np.float64]
    reason: str
    replaces: NDArray[np.int64] | None = None


class Sketches(Protocol):
    """The sketch columns of all spooled rows, by memory map, in the order of the build."""

    @property
    def n_rows(self) -> int:
        """Rows of the spool."""

    def column(self, name: str) -> pa.ChunkedArray:
        """Return one column over all rows."""

    def release(self) -> None:
        """Hold nothing of the columns in memory; what was given stays good, and is read again."""


class Texts(Protocol):
    """The text of spooled rows, by row number, read from disk as asked for."""

    def take(self, rows: NDArray[np.int64]) -> pa.LargeBinaryArray:
        """Return the texts of some rows in the order asked for; a null text comes as empty."""


class Remembered(Protocol):
    """What earlier versions remember of one corpus stage: its keepers, in the order of their builds.

    They have the columns that the stage's ``remember`` gave, and their texts; those that were not published,
    because a later stage merged or rejected them, are among them.
    """

    @property
    def n_rows(self) -> int:
        """Keepers."""

    @property
    def texts(self) -> Texts:
        """Their texts."""

    def column(self, name: str) -> pa.ChunkedArray:
        """Return one column over all keepers."""


@runtime_checkable
class CorpusStage(Protocol):
    """A stage that must have seen all records before it answers.

    Batches are spooled up to it; sketches go up, verdicts come down. Consecutive corpus stages share
    one spool, and each sees what the one before kept.
    """

    name: ClassVar[str]
    untrusted: ClassVar[bool]

    @property
    def append_stable(self) -> bool:
        """Whether what it decides on a record never changes because of a later one."""

    def bind(self, schema: pa.Schema, resources: Resources) -> pa.Schema:
        """As for a stage."""

    def sketch(self, batch: pa.RecordBatch, *, resources: Resources) -> pa.RecordBatch:
        """Return what must be known of each row, as columns of fixed width."""

    def resolve(
        self,
        sketches: Sketches,
        *,
        alive: NDArray[np.bool_],
        memory: Remembered | None,
        texts: Texts,
        engine: Engine,
    ) -> Verdicts:
        """Decide on every row that is alive; a keeper of an earlier version comes before every row."""

    def settle(
        self, batch: pa.RecordBatch, keeper_rows: NDArray[np.int64], rows: NDArray[np.int64]
    ) -> Outcome:
        """Drop (or, in ``mode: tag``, mark) the merged rows of one spooled batch.

        Args:
            batch: the columns of the build, whose names begin with an underscore; public columns go on as
                they are.
            keeper_rows: int64[n_rows], what ``Verdicts.keeper`` says of the batch's rows.
            rows: int64[n_rows], the numbers of the batch's rows in the spool; ascending, with gaps where
                a corpus stage before has dropped rows.
        """

    def remember(self, sketches: Sketches, verdicts: Verdicts) -> pa.Table:
        """Return what later versions will see as ``memory``: a row for each keeper, ``row`` its number.

        It is asked some parts of the spool at a time: ``sketches`` and ``verdicts`` are of their rows, which
        are numbered from 0, and rows that are not their own keepers have the keeper -1.
        """


# -- writing and running ---------------------------------------------------------------------------


class Engine(Protocol):
    """Runs functions over tasks. Knows nothing of data."""

    workers: int

    def map(
        self, function: Callable[[T, Guard], R], tasks: Iterable[T], *, untrusted: bool = False
    ) -> Iterator[R]:
        """Yield results in the order of the tasks.

        ``function`` is pickled: a module-level function or a frozen dataclass with ``__call__``. With
        ``untrusted`` it always runs in a supervised child: when it hangs or dies inside ``guard.enter``
        the task is called again, and that unit is refused then.
        """

    def side_by_side(self, function: Callable[[], R]) -> list[R]:
        """Call a function once for each worker, in threads of this process."""

    def alone(self, function: Callable[[T, Guard], R], task: T) -> R:
        """Call a trusted function while nothing else runs, with all the memory that there is."""

    def close(self) -> None:
        """End the workers."""
