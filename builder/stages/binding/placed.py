"""Give a stage a name of its own, restrict it to some rows, and drop the columns that it invalidates.

The recipe can name each kind of stage several times. A stage itself knows only the name of its kind, so the
wrappers of this module replace that name in all that leaves the stage.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from builder.domain.merging import cluster_field
from builder.domain.outcome import Outcome
from builder.domain.record import RECORD
from builder.domain.row_numbers import NO_ROW, BarrierOrMemory
from builder.errors import Fault, RecipeError
from builder.protocols import CorpusStage, RefusedUnit, Stage
from builder.stages.binding.where import Where

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from builder.protocols import Guard, Noted, Remembered, Resources, Sketches, Texts, Threads, Verdicts

AnyStage = Stage | CorpusStage


@runtime_checkable
class ExemptsExtracted(Protocol):
    """A stage that passes rows whose text came from ``extract_text``, unless ``where`` names them."""

    def for_named_rows(self) -> Stage:
        """Return the stage such that it works on each row that comes to it."""


TAKES_PART = "takes_part"
"""Column of a sketch: whether the row matches ``where``."""

_HELD = "_held"
"""Name of the cluster column of the kind, while another stage of the same kind settles."""


def place_stage(stage: AnyStage, *, name: str | None = None, where: Where | None = None) -> AnyStage:
    """Return the stage under a name and for the rows of ``where``; the stage itself if neither is given."""
    where = where or Where()
    if where and isinstance(stage, ExemptsExtracted):
        stage = stage.for_named_rows()
    if not where and name in (None, stage.name):
        return stage
    if isinstance(stage, CorpusStage):
        return PlacedCorpusStage(stage=stage, name=name or stage.name, where=where)
    return PlacedStage(stage=stage, name=name or stage.name, where=where)


def without_columns(stage: Stage, columns: Sequence[str]) -> Stage:
    """Return the stage such that it drops ``columns`` after its work; the stage itself without columns."""
    if not columns:
        return stage
    if isinstance(stage, PlacedStage):
        return replace(stage, drops=(*stage.drops, *columns))
    return PlacedStage(stage=stage, name=stage.name, where=Where(), drops=tuple(columns))


def inner_stage(stage: AnyStage) -> Any:
    """Return the stage without its wrapper, which has the options."""
    return stage.stage if isinstance(stage, (PlacedStage, PlacedCorpusStage)) else stage


def stage_kind(stage: AnyStage) -> str:
    """Return the kind of a stage, which is its key in the recipe; its name can be another one."""
    return str(inner_stage(stage).name)


def joins_notes(stage: AnyStage) -> bool:
    """Return whether a corpus stage decides by what sources noted, and merges no rows."""
    return bool(getattr(inner_stage(stage), "joins", False))


def tags_clusters(stage: AnyStage) -> bool:
    """Return whether a deduplication marks merged rows and keeps them."""
    return isinstance(stage, CorpusStage) and getattr(stage, "mode", "") == "tag" and not joins_notes(stage)


def marks_rows(stage: AnyStage) -> bool:
    """Return whether a corpus stage that joins notes writes public columns."""
    return joins_notes(stage) and getattr(stage, "mode", "") == "tag"


def where_of(stage: AnyStage) -> Where:
    """Return the rows that a stage works on; without conditions it works on all rows."""
    return stage.where if isinstance(stage, (PlacedStage, PlacedCorpusStage)) else Where()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedStage:
    """A stage with a name of its own, which works on some rows and leaves the others unchanged.

    Attributes:
        drops: columns that do not continue, because the stage edits the text that they were measured on.
    """

    stage: Stage
    name: str
    where: Where = field(default_factory=Where)
    drops: tuple[str, ...] = ()

    @property
    def untrusted(self) -> bool:
        """Whether the stage runs native parsers."""
        return self.stage.untrusted

    def bind(self, schema: pa.Schema, resources: Resources) -> pa.Schema:
        """Bind the stage; with ``where``, check that rows can pass it unchanged.

        Raises:
            RecipeError: as the stage does; or if ``where`` cannot be checked, or if the stage changes the
                columns of the rows that pass.
        """
        if faults := self.where.faults(schema):
            raise RecipeError(*faults)
        bound = self.stage.bind(schema, resources)
        if self.where and (changed := _changed_columns(schema, bound)):
            what = f"the stage changes the columns {', '.join(changed)} of every row, so rows cannot pass it"
            raise RecipeError(Fault(where="", what=what, advice="remove `where` from this stage"))
        return pa.schema([one for one in bound if one.name not in self.drops])

    def apply(self, batch: pa.RecordBatch, *, resources: Resources, guard: Guard) -> Outcome:
        """Apply the stage to the rows that match; all rows that continue keep their order."""
        guard = _NamedGuard(guard, kind=self.stage.name, name=self.name)
        matches = self.where.mask(batch)
        if matches.all():
            outcome = self.stage.apply(batch, resources=resources, guard=guard)
            kept = outcome.kept
        else:
            inside = batch.filter(pa.array(matches))
            outcome = self.stage.apply(inside, resources=resources, guard=guard)
            kept = _in_order(batch, inside, outcome, matches)
        kept = kept.drop_columns([name for name in self.drops if name in kept.schema.names])
        rejected = _renamed_stage(outcome.rejected, kind=self.stage.name, name=self.name)
        removed, measured = (
            None if one is None else _renamed_stage(one, kind=self.stage.name, name=self.name)
            for one in (outcome.removed, outcome.measured)
        )
        return Outcome(
            kept=kept, rejected=rejected, counts=outcome.counts, removed=removed, measured=measured
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedCorpusStage:
    """A corpus stage with a name of its own; rows that do not match ``where`` take no part."""

    stage: CorpusStage
    name: str
    where: Where = field(default_factory=Where)

    @property
    def untrusted(self) -> bool:
        """Whether the stage runs native parsers."""
        return self.stage.untrusted

    @property
    def append_stable(self) -> bool:
        """Whether later records never change a decision on an earlier record."""
        return self.stage.append_stable

    @property
    def mode(self) -> str:
        """Whether merged rows are dropped or marked."""
        return str(getattr(self.stage, "mode", "drop"))

    def bind(self, schema: pa.Schema, resources: Resources) -> pa.Schema:
        """Bind the stage, and give its cluster column the stage's own name.

        Raises:
            RecipeError: as the stage does, or if ``where`` cannot be checked.
        """
        if faults := self.where.faults(schema):
            raise RecipeError(*faults)
        names = self._column_names()
        held = pa.schema([one.with_name(names.held.get(one.name, one.name)) for one in schema])
        bound = self.stage.bind(held, resources)
        return pa.schema([one.with_name(names.own.get(one.name, one.name)) for one in bound])

    def with_noted(self, noted: Noted) -> PlacedCorpusStage:
        """Return the stage with what sources noted."""
        return replace(self, stage=self.stage.with_noted(noted))  # type: ignore[attr-defined]

    def sketch(self, batch: pa.RecordBatch, *, resources: Resources) -> pa.RecordBatch:
        """Return the sketch of each row, and whether it takes part."""
        sketch = self.stage.sketch(batch, resources=resources)
        if not self.where:
            return sketch
        return sketch.append_column(TAKES_PART, pa.array(self.where.mask(batch)))

    def resolve(
        self,
        sketches: Sketches,
        *,
        alive: NDArray[np.bool_],
        memory: Remembered | None,
        texts: Texts,
        threads: Threads,
    ) -> Verdicts:
        """Decide on the rows that are alive and take part."""
        if self.where:
            takes_part = sketches.column(TAKES_PART).to_numpy()
            alive = alive & takes_part
        verdicts = self.stage.resolve(sketches, alive=alive, memory=memory, texts=texts, threads=threads)
        if self.where and verdicts.private is not None:
            verdicts = replace(verdicts, private=verdicts.private[takes_part[verdicts.private]])
        return verdicts

    def settle(
        self, batch: pa.RecordBatch, keeper_rows: NDArray[np.int64], rows: NDArray[np.int64]
    ) -> Outcome:
        """Drop or mark the merged rows; marks go to the stage's own cluster column."""
        names = self._column_names()
        held = batch.rename_columns([names.held.get(one, one) for one in batch.schema.names])
        outcome = self.stage.settle(held, keeper_rows, rows)
        kept = outcome.kept
        return replace(
            outcome, kept=kept.rename_columns([names.own.get(one, one) for one in kept.schema.names])
        )

    def remember(self, sketches: Sketches, verdicts: Verdicts) -> pa.Table:
        """Return the keepers among the rows that take part."""
        if self.where:
            takes_part = sketches.column(TAKES_PART).to_numpy()
            keeper = BarrierOrMemory(np.where(takes_part, verdicts.keeper, NO_ROW))
            verdicts = replace(verdicts, keeper=keeper)
        return self.stage.remember(sketches, verdicts)

    def _column_names(self) -> _ClusterNames:
        kind, own = cluster_field(self.stage.name).name, cluster_field(self.name).name
        return _ClusterNames(held={kind: _HELD} if own != kind else {}, own={kind: own, _HELD: kind})


@dataclass(frozen=True, slots=True, kw_only=True)
class _ClusterNames:
    """New names of cluster columns, before and after the stage writes its own one."""

    held: dict[str, str]
    own: dict[str, str]


@dataclass(frozen=True, slots=True)
class _NamedGuard:
    """A guard that records units of work under the name of the stage, not of its kind."""

    guard: Guard
    kind: str = field(kw_only=True)
    name: str = field(kw_only=True)

    def enter(self, stage: str, unit: int, *, limit_s: float = 60.0) -> str | None:
        return self.guard.enter(self.name if stage == self.kind else stage, unit, limit_s=limit_s)

    def leave(self) -> None:
        self.guard.leave()

    def take_refused(self) -> list[RefusedUnit]:
        return self.guard.take_refused()

    def tick(self, n_records: int, n_bytes: int) -> None:
        self.guard.tick(n_records, n_bytes)


def _changed_columns(before: pa.Schema, after: pa.Schema) -> list[str]:
    """List the columns that a row cannot carry through the stage: dropped, retyped, or added without null."""
    lost = [one.name for one in before if one.name not in after.names]
    both = [one for one in before if one.name in after.names]
    retyped = [one.name for one in both if after.field(one.name).type != one.type]
    added = [one.name for one in after if one.name not in before.names and not one.nullable]
    return [*lost, *retyped, *added]


def _in_order(
    batch: pa.RecordBatch, inside: pa.RecordBatch, outcome: Outcome, matches: NDArray[np.bool_]
) -> pa.RecordBatch:
    """Put the rows that passed between the rows that the stage kept, in the order of the batch.

    Columns that the stage added are null in the rows that passed.
    """
    kept = outcome.kept
    passed = batch.filter(pa.array(~matches))
    columns = [
        passed.column(one.name) if one.name in passed.schema.names else pa.nulls(passed.num_rows, one.type)
        for one in kept.schema
    ]
    passed = pa.RecordBatch.from_arrays(columns, schema=kept.schema)
    places = np.flatnonzero(matches)
    if kept.num_rows < inside.num_rows:
        ids = [pc.struct_field(one.column(RECORD), "id") for one in (kept, inside)]
        places = places[pc.index_in(ids[0], value_set=ids[1]).to_numpy(zero_copy_only=False)]
    order = np.argsort(np.concatenate([places, np.flatnonzero(~matches)]), kind="stable")
    return pa.concat_batches([kept, passed]).take(pa.array(order))


def _renamed_stage(rejected: pa.RecordBatch, *, kind: str, name: str) -> pa.RecordBatch:
    """Replace the kind by the name in the rejections; a stage can also reject in the name of a source."""
    if name == kind or not rejected.num_rows:
        return rejected
    at = rejected.schema.get_field_index("stage")
    stages = rejected.column(at)
    named = pc.if_else(pc.equal(stages, kind), pa.scalar(name, stages.type), stages)
    return rejected.set_column(at, rejected.schema.field(at), named)
