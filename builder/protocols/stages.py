"""Protocols of stages and corpus stages, and the values that they receive and return."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from builder.domain.url import URL_RULES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from builder.domain.contract.carried import CarriedColumn
    from builder.domain.contract.contract import Contract
    from builder.domain.contract.value_forms import ValueForms
    from builder.domain.manifest import Manifest
    from builder.domain.outcome import Outcome
    from builder.domain.row_numbers import BarrierOrMemory, MemoryRows
    from builder.protocols.reading import Guard
    from builder.protocols.running import Threads


ROLES = ("text", "html", "url", "fetched_at")
"""The roles that a column of a contract can have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The column for each role; None if the contract has no such column.

    ``id`` is the column of the document id, the first column of each published row.
    """

    text: str | None = "text"
    html: str | None = "html"
    url: str | None = "url"
    fetched_at: str | None = "fetched_at"
    id: str = "id"

    @classmethod
    def among(cls, names: Collection[str], *, named: Mapping[str, str | None]) -> Columns:
        """Find the column for each role among ``names``. By default a column has the name of its role.

        Args:
            named: columns with other names, by role.

        >>> Columns.among(["body", "url"], named={"text": "body"})
        Columns(text='body', html=None, url='url', fetched_at=None, id='id')
        """
        by_role = {role: named.get(role, role) for role in ROLES}
        there = {role: name if name in names else None for role, name in by_role.items()}
        return cls(**there, id=named.get("id") or "id")

    @classmethod
    def of_manifest(cls, manifest: Manifest) -> Columns:
        """Find the column for each role among the published columns of a version."""
        return cls.among(manifest.columns.names, named=manifest.recipe["document"].get("columns") or {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What a stage can use when it is bound and when it runs.

    ``renames`` maps the name of a source to its ``rename`` option (dotted path in the input -> column).
    ``kinds`` maps the name of a source to its kind. ``forms`` maps it to how the source writes values; a
    source that is not there writes them as the contract asks. ``url_rules`` is the number of the corpus's
    rules of canonical URLs. ``publish`` and ``drop`` are the keys of the recipe, ``carried`` are the
    published columns that the contract does not declare.

    Attributes:
        nullifies: whether a bad value becomes null, if no stage needs its column (``on_bad_value``).
        needed: the columns that a stage needs; a bad value in one of them rejects the record.
        uses_extra: whether a stage or the published rows use members that the contract does not declare.
    """

    contract: Contract
    columns: Columns
    renames: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    forms: Mapping[str, ValueForms] = field(default_factory=dict)
    publish: tuple[str, ...] | str = ()
    drop: tuple[str, ...] = ()
    carried: tuple[CarriedColumn, ...] = ()
    folder: Path | None = None
    nullifies: bool = False
    needed: frozenset[str] = frozenset()
    uses_extra: bool = True
    url_rules: int = URL_RULES


@runtime_checkable
class Stage(Protocol):
    """A step that processes one batch at a time. Its options are the fields of its frozen dataclass.

    A stage may state its ``needs``, a ClassVar with the roles (``ROLES``) of the columns without which it
    cannot process a record. Other columns may be null, and a bad value in them costs only the cell. A stage
    that does not state them is taken to need all roles and the column ``extra``.
    """

    @property
    def name(self) -> str:
        """The name of the stage in the ledger; its kind, unless the recipe gives another one."""

    @property
    def untrusted(self) -> bool:
        """Whether native parsers process the bytes; if so, the stage runs under the engine's guard."""

    def bind(self, schema: pa.Schema, resources: Resources) -> pa.Schema:
        """Check that the required columns exist; return the schema of the rows that continue.

        Raises:
            RecipeError: if the stage cannot run at this place in the chain, with advice.
        """

    def apply(self, batch: pa.RecordBatch, *, resources: Resources, guard: Guard) -> Outcome:
        """Split a batch into the rows that continue and the rows that leave.

        Each row is in exactly one of the two. The stage does not change the batch in place.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdicts:
    """The decisions of a corpus stage on all rows of the spool.

    Attributes:
        keeper: int64[n_rows], the keeper that represents each row (the row itself if it is a keeper); -1 if
            the row did not take part; ``encode_old`` of the number for a row of ``memory`` (see
            ``row_numbers``).
        similarity: float64[n_rows], similarity of the row and its keeper; NaN if it was not measured.
        reason: reason code of merged rows.
        replaces: int64[n_rows], the row of ``memory`` that a keeper replaces, or -1; None if no keeper
            replaces a row.
        refused: the rows that the stage rejects, a table of ``REFUSED_SCHEMA``, ascending; None if none.
        marks: public columns for all rows of the spool, in the order of ``bind``; None if none.
        private: int64[n], the rows whose texts the audit must not keep, ascending; None if none.
        evidence: rows for the audit, by the name of the table, with the column ``row`` first.
        counts: numbers for the summary of the build.
    """

    keeper: BarrierOrMemory
    similarity: NDArray[np.float64]
    reason: str
    replaces: MemoryRows | None = None
    refused: pa.Table | None = None
    marks: pa.Table | None = None
    private: NDArray[np.int64] | None = None
    evidence: Mapping[str, pa.Table] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)


class Sketches(Protocol):
    """The memory-mapped sketch columns of all rows in the spool, in the order of the build."""

    @property
    def n_rows(self) -> int:
        """Number of rows in the spool."""

    def column(self, name: str) -> pa.ChunkedArray:
        """Return one column over all rows."""

    def release(self) -> None:
        """Release the memory of the columns. Returned columns stay valid; they are read from disk again."""


class Texts(Protocol):
    """The texts of rows in the spool, by row number. Each call reads from disk."""

    def take(self, rows: NDArray[np.int64]) -> pa.LargeBinaryArray:
        """Return the texts of ``rows`` in that order; a null text becomes an empty text."""


class Remembered(Protocol):
    """The keepers of one corpus stage in earlier versions, in the order of their builds.

    They have the columns that the stage's ``remember`` returned, and their texts. They include keepers that
    were not published because a later stage merged or rejected them.
    """

    @property
    def n_rows(self) -> int:
        """Number of keepers."""

    @property
    def texts(self) -> Texts:
        """The texts of the keepers."""

    def column(self, name: str) -> pa.ChunkedArray:
        """Return one column over all keepers."""


class Noted(Protocol):
    """What sources noted for the audit, in this build and in the versions that it builds on."""

    def tables(self, name: str) -> Iterator[pa.Table]:
        """Yield the tables with one name, in the order of the builds; columns as in the audit."""


@runtime_checkable
class CorpusStage(Protocol):
    """A stage that decides only after it has received all records.

    A stage that needs what sources noted has ``joins = True`` and a method ``with_noted(noted)``, which
    returns the stage that resolves. It rejects or marks rows and merges none. Its method
    ``find_private(sketches)`` returns bool[n_rows]: the rows whose texts the audit must not keep.

    The batches before it are written to the spool. ``sketch`` runs on each batch, ``resolve`` on the sketches
    of all rows, and ``settle`` on each batch again. Consecutive corpus stages share one spool, and each
    receives the rows that the stage before it kept.
    """

    @property
    def name(self) -> str:
        """The name of the stage in the ledger; see ``Stage.name``."""

    @property
    def untrusted(self) -> bool:
        """Whether native parsers process the bytes; see ``Stage.untrusted``."""

    @property
    def append_stable(self) -> bool:
        """Whether later records never change a decision on an earlier record."""

    def bind(self, schema: pa.Schema, resources: Resources) -> pa.Schema:
        """Check that the required columns exist; see ``Stage.bind``."""

    def sketch(self, batch: pa.RecordBatch, *, resources: Resources) -> pa.RecordBatch:
        """Return the sketch of each row, as columns of fixed width."""

    def resolve(
        self,
        sketches: Sketches,
        *,
        alive: NDArray[np.bool_],
        memory: Remembered | None,
        texts: Texts,
        threads: Threads,
    ) -> Verdicts:
        """Decide on each row for which ``alive`` is true.

        Args:
            memory: keepers of earlier versions. They have priority over all rows of this build.
            threads: threads for compiled code. The decisions must not depend on their number.
        """

    def settle(
        self, batch: pa.RecordBatch, keeper_rows: NDArray[np.int64], rows: NDArray[np.int64]
    ) -> Outcome:
        """Drop the merged rows of one batch of the spool, or mark them in ``mode: tag``.

        Args:
            batch: the internal columns of the build, whose names begin with an underscore. The public columns
                do not change.
            keeper_rows: int64[n_rows], the values of ``Verdicts.keeper`` for the rows of the batch.
            rows: int64[n_rows], the row numbers in the spool; ascending, with gaps where an earlier corpus
                stage dropped rows.
        """

    def remember(self, sketches: Sketches, verdicts: Verdicts) -> pa.Table:
        """Return the rows that later versions receive as ``memory``: one row for each keeper.

        The column ``row`` is the number of the keeper. Each call covers some parts of the spool: ``sketches``
        and ``verdicts`` contain the rows of these parts, numbered from 0. Rows that are not their own keepers
        have the keeper -1.
        """
