"""Protocols and values of sources: input files, tasks, readings, and the guard for native parsers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A file, or a part of a file, that can be read independently.

    ``path`` is the address to open. ``name`` is the path below the fixed part of the glob. Record ids contain
    ``name``, so a corpus does not depend on the location of its inputs. ``start`` and ``stop`` are in the
    unit of the source (bytes of a plain JSONL file, rows of a dataset); ``stop`` is None for "to the end".
    A task of several small files lists them in ``files``, each with address, name and size in bytes;
    ``path`` and ``name`` are then those of the first file.
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
    """One batch that a source has read: the rows in order, and the records that did not become rows.

    ``batch`` has ``_record`` and the columns of the source. ``rejected`` has ``REJECTION_SCHEMA``.
    The source counts ``n_records`` while it reads the bytes, before it creates the two batches, so that the
    ledger can be compared with an independent number. Ordinals are continuous over all readings of a task.
    ``noted`` has tables for the audit, by name, with the columns of ``builder.domain.ledger``. Their records
    are also in ``batch`` or ``rejected``.
    """

    batch: pa.RecordBatch
    rejected: pa.RecordBatch
    n_records: int
    counts: Mapping[str, int] = field(default_factory=dict)
    noted: Mapping[str, pa.RecordBatch] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedUnit:
    """A unit of work that a guard refused, because a worker died or hung in it twice.

    ``reason`` is ``timeout``, ``crash`` or ``memory``. Another run may keep what this one refused.
    """

    stage: str
    unit: int
    reason: str


class Guard(Protocol):
    """Report to the engine which unit of untrusted bytes a native parser processes.

    A unit is the ordinal of a record, a row group, or -1 for a whole file. Units may be nested: only the
    innermost is charged. If the unit has killed or blocked
    a worker before, ``enter`` returns the reason (``timeout``, ``crash``, ``memory``), and the caller
    creates a failed row without parsing the unit again.
    """

    def enter(self, stage: str, unit: int, *, limit_s: float = 60.0) -> str | None:
        """Announce the next unit. Return None, or the reason why the caller must not process it."""

    def leave(self) -> None:
        """Report that the innermost unit is finished."""

    def take_refused(self) -> list[RefusedUnit]:
        """Return the units refused since the last call, so that a part can record them."""

    def tick(self, n_records: int, n_bytes: int) -> None:
        """Report the records and bytes that are done since the last call, for a progress bar."""


class InputFile(Protocol):
    """A file that a source reads."""

    @property
    def path(self) -> str:
        """The address to open."""

    @property
    def name(self) -> str:
        """The path below the fixed part of the glob; record ids contain it."""

    @property
    def size_bytes(self) -> int:
        """The size of the file; 0 if the remote does not report it."""


class Source(Protocol):
    """A reader of one kind of input. Input that cannot be read becomes a failed row, not an exception."""

    kind: ClassVar[str]

    @property
    def label(self) -> str:
        """The name of the source in record ids."""

    @property
    def untrusted(self) -> bool:
        """Whether native parsers process the bytes; if so, the source runs under the engine's guard."""

    def inputs(self) -> Sequence[InputFile]:
        """List the input files in the order of the build.

        Raises:
            RecipeError: in the same cases as ``tasks``.
        """

    def tasks(self) -> Sequence[Task]:
        """List the tasks in a stable order; each task can be read independently.

        Raises:
            RecipeError: if a path does not exist, a folder cannot be read, or a glob matches nothing.
        """

    def read(self, task: Task, *, guard: Guard, batch_rows: int) -> Iterator[Reading]:
        """Read one task in order."""
