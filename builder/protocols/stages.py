"""What stages and corpus stages do, and what they are given."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from builder.domain.contract.contract import Contract
    from builder.domain.manifest import Manifest
    from builder.domain.outcome import Outcome
    from builder.domain.row_numbers import BarrierOrMemory, MemoryRows
    from builder.protocols.reading import Guard
    from builder.protocols.running import Threads


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Which column plays which part; None where a contract has no such column."""

    text: str | None = "text"
    html: str | None = "html"
    url: str | None = "url"
    fetched_at: str | None = "fetched_at"

    @classmethod
    def among(cls, names: Collection[str], *, named: Mapping[str, str | None]) -> Columns:
        """Find the column of each part among some; one that ``named`` does not mention has the part's name.

        >>> Columns.among(["body", "url"], named={"text": "body"})
        Columns(text='body', html=None, url='url', fetched_at=None)
        """
        parts = {part: named.get(part, part) for part in ("text", "html", "url", "fetched_at")}
        return cls(**{part: name if name in names else None for part, name in parts.items()})

    @classmethod
    def of_manifest(cls, manifest: Manifest) -> Columns:
        """Find the published columns of a version by the part that each plays."""
        return cls.among(manifest.columns.names, named=manifest.recipe["document"].get("columns") or {})


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
        keeper: int64[n_rows], the row that stands for this one (itself if it is a keeper); -1 where the row
            did not take part; ``encode_old`` of its number for a row of ``memory`` (see ``row_numbers``).
        similarity: float64[n_rows], of the row with its keeper; NaN where none was measured.
        reason: the code written beside merged rows.
        replaces: int64[n_rows], the row of ``memory`` that a keeper takes the place of, -1 for none; None if
            no row does.
    """

    keeper: BarrierOrMemory
    similarity: NDArray[np.float64]
    reason: str
    replaces: MemoryRows | None = None


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
        threads: Threads,
    ) -> Verdicts:
        """Decide on every row that is alive; a keeper of an earlier version comes before every row.

        Args:
            threads: runs compiled code on several processors; what is decided must not depend on how many.
        """

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
