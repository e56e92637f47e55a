"""What a source gives: tasks, and batches of what was read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa


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


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedUnit:
    """A unit of work that a guard refused, because a worker died or hung in it twice.

    ``reason`` is ``timeout``, ``crash`` or ``memory``. Another run may keep what this one refused.
    """

    stage: str
    unit: int
    reason: str


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

    def take_refused(self) -> list[RefusedUnit]:
        """Return the units refused since the last call, so that a part can record them."""

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
