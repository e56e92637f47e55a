"""Write stages of your own: base classes and values for packages that extend builder.

A stage is a frozen dataclass. Its fields made with ``option`` are its options in a recipe. A package has it
as an entry point of the group ``builder.stages``; docs/your-own-stage.md shows the whole way.

- ``RowFilter``: decide on one row at a time.
- ``RowMapper``: change or add columns of one row at a time.
- ``BatchStage``: the same for many rows at a time, as Arrow arrays.
- ``PageFiles``: a source whose files are one page each: override ``page``.
- ``RecordFiles``: a source whose files have many records: override ``records``.
- ``Source``: the protocol of any other source.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa

from builder.domain.rejection import FILTERED, no_rejections, rejected_rows
from builder.errors import Fault, RecipeError
from builder.io.reading.page_files import PageFiles, RecordFiles
from builder.protocols import ROLES, Guard, Outcome, Resources, Source
from builder.registry import is_own, nearest, option
from builder.stages.functions.row_view import LazyColumns, RowView, public_names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["BatchStage", "PageFiles", "RecordFiles", "RowFilter", "RowMapper", "RowView", "Source", "option"]

REASON = "_reason"
"""Column in the result of ``BatchStage.process``: the reason why a row leaves the build, or null."""


@dataclass(frozen=True, kw_only=True)
class _PluginStage:
    """What all stages of this module share.

    Attributes:
        name: the key in recipes, and the stage in the ledger.
        reasons: reason codes, each with one sentence.
        rules: a number to raise when the same options give other rows.
        needs: columns that must be there; ``text``, ``html``, ``url`` and ``fetched_at`` are the columns
            with these roles.
    """

    name: ClassVar[str]
    untrusted: ClassVar[bool] = False
    rules: ClassVar[int] = 1
    reasons: ClassVar[Mapping[str, str]] = {}
    needs: ClassVar[Sequence[str]] = ()
    _method: ClassVar[str]

    def bind(self, schema: pa.Schema, resources: Resources) -> pa.Schema:
        """Check that the columns in ``needs`` are there; return the schema unchanged.

        Raises:
            RecipeError: if one is missing, or if the class does not define its method.
        """
        known = [*public_names(schema), *_roles(schema, resources)]
        if is_own(_home_of(type(self), self._method)):
            what = f"{type(self).__name__} does not define the method {self._method}"
            raise RecipeError(Fault(where=self.name, what=what, advice="define it in the class"))
        faults = [
            Fault(where=self.name, what=f"the stage needs the column {name!r}", advice=nearest(name, known))
            for name in self.needs
            if name not in known
        ]
        if faults:
            raise RecipeError(*faults)
        return schema

    def _reject(
        self, batch: pa.RecordBatch, reasons: Mapping[int, str], *, resources: Resources
    ) -> pa.RecordBatch:
        """Return the rejections of some rows, by row number."""
        if unknown := sorted({one for one in reasons.values() if one not in (*self.reasons, FILTERED)}):
            raise ValueError(f"the reason {unknown[0]!r} is not in `reasons` of {type(self).__name__}")
        return rejected_rows(batch, reasons, stage=self.name, url=resources.columns.url)


@dataclass(frozen=True, kw_only=True)
class RowFilter(_PluginStage):
    """Decide on one row at a time: override ``keep``."""

    _method: ClassVar[str] = "keep"

    def keep(self, row: RowView) -> bool | str:
        """Return True to keep a row; False, or a code of ``reasons``, to reject it."""
        raise NotImplementedError

    def apply(self, batch: pa.RecordBatch, *, resources: Resources, guard: Guard) -> Outcome:  # noqa: ARG002
        """Split a batch by what ``keep`` returns."""
        columns = LazyColumns(batch, resources.columns)
        reasons: dict[int, str] = {}
        for number in range(batch.num_rows):
            answer = self.keep(RowView(columns, number))
            if isinstance(answer, str):
                reasons[number] = answer
            elif not isinstance(answer, (bool, np.bool_)):
                raise TypeError(f"keep returned {type(answer).__name__}, not a bool or a reason")
            elif not answer:
                reasons[number] = self._only_reason()
        kept = batch.filter(pa.array(_others(batch.num_rows, reasons))) if reasons else batch
        return Outcome(kept=kept, rejected=self._reject(batch, reasons, resources=resources))

    def _only_reason(self) -> str:
        """Return the reason of False: the only code of ``reasons``, else ``filtered``."""
        return next(iter(self.reasons)) if len(self.reasons) == 1 else FILTERED


@dataclass(frozen=True, kw_only=True)
class _WritingStage(_PluginStage):
    """What stages share that change or add columns.

    Attributes:
        edits: columns that the stage may change; ``text`` and ``url`` are the columns with these roles.
        adds: columns that the stage adds, with their Arrow types.
    """

    edits: ClassVar[Sequence[str]] = ()
    adds: ClassVar[Mapping[str, pa.DataType]] = {}

    @property
    def edits_text(self) -> bool:
        """Whether the stage changes the text."""
        return "text" in self.edits

    def bind(self, schema: pa.Schema, resources: Resources) -> pa.Schema:
        """Check the columns; return the schema with the added ones.

        Raises:
            RecipeError: if a column to edit is missing, or a column to add is there.
        """
        schema = super().bind(schema, resources)
        known = public_names(schema)
        faults = [
            Fault(where=self.name, what=f"the stage edits the column {name!r}, which is missing")
            for name in self._edited(resources)
            if name not in known
        ]
        faults += [
            Fault(where=self.name, what=f"the stage adds the column {name!r}, which is there already")
            for name in self.adds
            if name in known
        ]
        if faults:
            raise RecipeError(*faults)
        for name, kind in self.adds.items():
            schema = schema.append(pa.field(name, kind))
        return schema

    def _edited(self, resources: Resources) -> dict[str, str]:
        """Return the columns to edit, each with the word that ``edits`` has for it."""
        roles = {"text": resources.columns.text, "url": resources.columns.url}
        return {roles.get(word) or word: word for word in self.edits}


@dataclass(frozen=True, kw_only=True)
class RowMapper(_WritingStage):
    """Change or add columns of one row at a time: override ``map``."""

    _method: ClassVar[str] = "map"

    def map(self, row: RowView) -> Mapping[str, Any]:
        """Return the new values of a row, by column; columns that are left out stay as they are."""
        raise NotImplementedError

    def apply(self, batch: pa.RecordBatch, *, resources: Resources, guard: Guard) -> Outcome:  # noqa: ARG002
        """Write the values that ``map`` returns."""
        columns = LazyColumns(batch, resources.columns)
        found = [self.map(RowView(columns, number)) for number in range(batch.num_rows)]
        edited = self._edited(resources)
        allowed = {*edited, *edited.values(), *self.adds}
        for values in found:
            if unknown := sorted(values.keys() - allowed):
                raise ValueError(f"map returned the column {unknown[0]!r}, which is not in edits or adds")
        for column, word in edited.items():
            if any(column in values or word in values for values in found):
                old, field = columns.values(column), batch.schema.field(column)
                new = [v.get(column, v.get(word, o)) for v, o in zip(found, old, strict=True)]
                place = batch.schema.get_field_index(column)
                batch = batch.set_column(place, field, pa.array(new, field.type))
        for name, kind in self.adds.items():
            new = [values.get(name) for values in found]
            batch = batch.append_column(pa.field(name, kind), pa.array(new, kind))
        return Outcome(kept=batch, rejected=no_rejections())


@dataclass(frozen=True, kw_only=True)
class BatchStage(_WritingStage):
    """Work on many rows at a time, as Arrow arrays: override ``process``."""

    _method: ClassVar[str] = "process"

    def process(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the same rows in the same order, with the columns of ``edits`` and ``adds`` written.

        The batch has the public columns. A column with a role is also there under the name of the role, such
        as ``text``. A column ``_reason`` of strings rejects the rows in which it has a value.
        """
        raise NotImplementedError

    def apply(self, batch: pa.RecordBatch, *, resources: Resources, guard: Guard) -> Outcome:  # noqa: ARG002
        """Write what ``process`` returns, and reject the rows with a reason."""
        shown = batch.select(public_names(batch.schema))
        for role, name in _roles(batch.schema, resources).items():
            shown = shown.append_column(role, batch.column(name))
        done = self.process(shown)
        if not isinstance(done, pa.RecordBatch):
            raise TypeError(f"process returned {type(done).__name__}, not a RecordBatch")
        if done.num_rows != batch.num_rows:
            what = f"process returned {done.num_rows} rows for {batch.num_rows}"
            raise ValueError(f"{what}; to reject a row, write its reason to the column {REASON}")
        edited = self._edited(resources)
        _check_columns(shown, done, allowed={REASON, *edited, *edited.values(), *self.adds})
        new = batch
        for name, word in edited.items():
            field, place = batch.schema.field(name), batch.schema.get_field_index(name)
            new = new.set_column(place, field, done.column(word).cast(field.type))
        for name, kind in self.adds.items():
            new = new.append_column(pa.field(name, kind), done.column(name).cast(kind))
        told = done.column(REASON).to_pylist() if REASON in done.schema.names else []
        reasons = {row: str(reason) for row, reason in enumerate(told) if reason is not None}
        kept = new.filter(pa.array(_others(batch.num_rows, reasons))) if reasons else new
        return Outcome(kept=kept, rejected=self._reject(batch, reasons, resources=resources))


def _roles(schema: pa.Schema, resources: Resources) -> dict[str, str]:
    """Return the columns with another name than that of their role, by role, if no column has that name."""
    names = {role: getattr(resources.columns, role) for role in ROLES}
    return {role: name for role, name in names.items() if name in schema.names and role not in schema.names}


def _check_columns(shown: pa.RecordBatch, done: pa.RecordBatch, *, allowed: set[str]) -> None:
    """Check that ``process`` changed and added no other columns than those that the stage declares.

    Raises:
        ValueError: for the first such column.
    """
    for name in done.schema.names:
        if name in allowed:
            continue
        if name not in shown.schema.names:
            raise ValueError(f"process added the column {name!r}, which is not in adds")
        if not _is_same(shown.column(name), done.column(name)):
            raise ValueError(f"process changed the column {name!r}, which is not in edits")


def _is_same(one: pa.Array, other: pa.Array) -> bool:
    """Return whether two columns have the same memory or the same values, even if the types differ.

    Through pandas, integers with nulls become floats. NaN equals NaN, because the bits are compared.
    """
    places = [
        (column.offset, *(buffer and buffer.address for buffer in column.buffers()))
        for column in (one, other)
    ]
    if places[0] == places[1]:
        return True
    if one.type != other.type:
        try:
            other = other.cast(one.type)
        except pa.ArrowException:
            return False
    if pa.types.is_floating(one.type):
        bits = {16: pa.int16(), 32: pa.int32(), 64: pa.int64()}[one.type.bit_width]
        one, other = one.view(bits), other.view(bits)
    return bool(one.equals(other))


def _home_of(code: type, method: str) -> type:
    """Return the class that defines a method."""
    return next(one for one in code.__mro__ if method in vars(one))


def _others(n_rows: int, rows: Mapping[int, str]) -> NDArray[np.bool_]:
    """Return bool[n_rows], which rows are not in ``rows``."""
    others = np.ones(n_rows, np.bool_)
    others[list(rows)] = False
    return others
