"""Find the columns of inputs that the contract does not declare, and their types, before the build."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from builder.domain.contract.carried import CarriedColumn, column_at, published_type, same_types
from builder.domain.contract.incoming import raw_records
from builder.domain.contract.rename import rename_members, take_member
from builder.domain.contract.value_types import ValueType, common_type, type_of_value
from builder.domain.json.exact import Broken
from builder.domain.json.text import parse
from builder.domain.record import RAW
from builder.errors import ContractError, Fault
from builder.inputs.partitions import partition_values, with_partitions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from builder.protocols import Engine, Guard, Source, Task
    from builder.recipe import Recipe

_BATCH_ROWS = 4096
_NO_COLUMNS = pa.schema([])


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskColumns:
    """The columns of one task: Arrow types of tables, types of values of JSON records."""

    columns: Sequence[CarriedColumn]
    values: Mapping[str, tuple[ValueType, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """Finds the columns of a task.

    Attributes:
        names: the columns that are looked for; None for all that the contract does not declare.
        declared: the columns of the contract, and those that are dropped.
        max_records: records of a task that are read; None for all.
    """

    sources: Mapping[str, Source]
    names: tuple[str, ...] | None
    declared: frozenset[str]
    max_records: int | None = None

    def __call__(self, task: Task, guard: Guard) -> TaskColumns:
        """Read a task; of a table, only its first rows are read."""
        n_records = 0
        source = self.sources[task.source]
        renames: Mapping[str, str] = getattr(source, "rename", {})
        columns: list[CarriedColumn] = []
        values: dict[str, tuple[ValueType, str]] = {}
        hive = getattr(source, "hive", False)
        partitions = partition_values(task.path, task.name) if hive else {}
        for reading in source.read(task, guard=guard, batch_rows=_BATCH_ROWS):
            batch = with_partitions(reading, partitions, _NO_COLUMNS).batch
            if RAW in batch.schema.names:
                self._observe(batch, task, renames, values)
            elif batch.num_rows:
                file = f"{task.source}/{task.name}"
                columns = same_types(columns, self._of_table(batch, renames, file))
                if not task.files:
                    break
            n_records += batch.num_rows
            if self.max_records is not None and n_records >= self.max_records:
                break
        return TaskColumns(columns=columns, values=values)

    def _of_table(self, batch: pa.RecordBatch, renames: Mapping[str, str], file: str) -> list[CarriedColumn]:
        names = self.names
        if names is None:
            names = tuple(renames.get(name, name) for name in batch.schema.names if not name.startswith("_"))
        found = {name: column_at(batch, place_of(name, batch, renames)) for name in names}
        return [
            CarriedColumn(name=name, type=published_type(name, array.type), file=file)
            for name, array in found.items()
            if array is not None and name not in self.declared
        ]

    def _observe(
        self,
        batch: pa.RecordBatch,
        task: Task,
        renames: Mapping[str, str],
        values: dict[str, tuple[ValueType, str]],
    ) -> None:
        paths = batch.column("_record").field("path").to_pylist() if task.files else None
        for row, raw in enumerate(raw_records(batch.column(RAW))):
            parsed = parse(raw)
            if isinstance(parsed, Broken) or type(parsed.value) is not dict:
                continue
            record = rename_members(parsed.value, renames)[0] if renames else parsed.value
            file = f"{task.source}/{paths[row] if paths else task.name}"
            for name, value in self._members(record):
                _note(values, name, type_of_value(value), file)

    def _members(self, record: dict[str, Any]) -> Iterable[tuple[str, Any]]:
        if self.names is None:
            return ((name, value) for name, value in record.items() if name not in self.declared)
        found = ((name, take_member(dict(record), name)) for name in self.names)
        return ((name, value) for name, (is_there, value) in found if is_there)


def place_of(name: str, batch: pa.RecordBatch, renames: Mapping[str, str]) -> str:
    """Return where a table has the column that is published under a name."""
    if name in batch.schema.names:
        return name
    return next((path for path, new in renames.items() if new == name), name)


def survey_columns(
    recipe: Recipe,
    tasks: Sequence[Task],
    *,
    engine: Engine,
    known: Sequence[CarriedColumn] = (),
    max_records: int | None = None,
) -> tuple[CarriedColumn, ...]:
    """Return the columns that the recipe publishes in addition to those of its contract.

    Args:
        known: those of the version that the build builds on.
        max_records: records of a task that are read; None for all.

    Raises:
        ContractError: if a column cannot be published, or two inputs give it different types.
    """
    if not recipe.publish:
        return ()
    declared = frozenset((*recipe.contract.columns.names, *recipe.drop))
    names = None if recipe.publish == "all" else tuple(one for one in recipe.publish if one not in declared)
    if names == ():
        return ()
    survey = Survey(
        sources={source.label: source for source in recipe.sources},
        names=names,
        declared=declared,
        max_records=max_records,
    )
    untrusted = any(source.untrusted for source in recipe.sources)
    columns: list[CarriedColumn] = list(known)
    values: dict[str, tuple[ValueType, str]] = {}
    for found in engine.map(survey, tasks, untrusted=untrusted):
        columns = same_types(columns, found.columns)
        for name, (kind, file) in found.values.items():
            _note(values, name, kind, file)
    of_values = [_column(name, kind, file) for name, (kind, file) in values.items()]
    return tuple(same_types(columns, of_values))


def _note(values: dict[str, tuple[ValueType, str]], name: str, kind: ValueType, file: str) -> None:
    """Add the type of some values to the types that are known.

    Raises:
        ContractError: if the values of a member have no common type.
    """
    there = values.get(name)
    if there is None:
        values[name] = (kind, file)
        return
    common = common_type(there[0], kind)
    if common is None:
        what = f"{there[1]} has the type {there[0].kind}, {file} has {kind.kind}"
        advice = f"convert one of them, or leave the column out: drop: [{name}]"
        raise ContractError(Fault(where=f"publish: {name}", what=what, advice=advice))
    values[name] = (common, file if there[0].kind == "null" else there[1])


def _column(name: str, kind: ValueType, file: str) -> CarriedColumn:
    found = kind.field(name)
    return CarriedColumn(name=name, type=found.type, is_json=bool(found.metadata), file=file)
