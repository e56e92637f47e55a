"""The recipe's stages as a chain: bound from end to end before a record is read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pyarrow as pa

from builder.domain.merging import cluster_field
from builder.domain.record import RECORD_FIELD
from builder.errors import Fault, RecipeError
from builder.pipeline.tombstone_filter import TombstoneFilter
from builder.protocols import CorpusStage, Resources, Stage
from builder.stages.publishable import Publishable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from builder.pipeline.tombstones import Tombstones
    from builder.recipe import Recipe

_DROPPING = frozenset(("validate", "dedup_url", "dedup_exact", "dedup_near", "takedown"))
"""Stages after which each row that is left is as ``validate`` made it."""

ID_FIELD = pa.field("id", pa.string(), nullable=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """Stages that a batch passes at one go, and the corpus stages of the barrier that it ends on.

    Only the last pass ends on no barrier. ``carries`` names the public columns that go on from here; None
    for all. A page's HTML is ten times its text, so it is worth leaving behind what nobody will look at.
    """

    stages: tuple[Stage, ...]
    barrier: tuple[CorpusStage, ...] = ()
    carries: tuple[str, ...] | None = None

    @property
    def only_publishes(self) -> bool:
        """Whether it leaves rows out and changes none."""
        return all(stage.name in (Publishable.name, TombstoneFilter.name) for stage in self.stages)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """All passes, with what the stages lean on.

    Attributes:
        published: the columns of a row, ``id`` first.
        tags: public column -> underscore column, for each deduplication in ``mode: tag``.
    """

    passes: tuple[Pass, ...]
    resources: Resources
    published: pa.Schema
    tags: Mapping[str, str]

    @property
    def untrusted(self) -> bool:
        """Whether a stage runs native parsers on strangers' bytes."""
        return any(stage.untrusted for pass_ in self.passes for stage in pass_.stages)

    @property
    def append_stable(self) -> bool:
        """Whether what was decided on a record never changes because of a later one."""
        return all(stage.append_stable for pass_ in self.passes for stage in pass_.barrier)


def bind_chain(recipe: Recipe, *, tombstones: Tombstones | None = None) -> Chain:
    """Bind every stage to what the one before gives, ``publishable`` last.

    Where something was taken down, a stage before it keeps out what the corpus stages of the recipe do not
    look for.

    Raises:
        RecipeError: if a stage cannot stand where it stands, with its place in the recipe.
    """
    resources = _resources(recipe)
    schema = pa.schema([RECORD_FIELD])
    before = [*recipe.stages, *([TombstoneFilter(tombstones=tombstones)] if tombstones else [])]
    stages = [*before, Publishable(unchanged=all(stage.name in _DROPPING for stage in before))]
    for i, stage in enumerate(stages):
        try:
            schema = stage.bind(schema, resources)
        except RecipeError as error:
            place = f"stages[{i}].{stage.name}"
            raise RecipeError(
                *(Fault(where=place, what=f.what, advice=f.advice) for f in error.faults)
            ) from None
    tags = {f"{name}_cluster": cluster_field(name).name for name in _tagging(recipe)}
    fields = [ID_FIELD, *(f for f in schema if not f.name.startswith("_"))]
    fields += [pa.field(name, pa.string()) for name in tags]
    passes = _lighten(_passes(stages), published=pa.schema(fields).names)
    return Chain(passes=passes, resources=resources, published=pa.schema(fields), tags=tags)


def _tagging(recipe: Recipe) -> list[str]:
    return [stage.name for stage in recipe.stages if getattr(stage, "mode", "") == "tag"]


def _resources(recipe: Recipe) -> Resources:
    names = [source.label for source in recipe.sources]
    return Resources(
        contract=recipe.contract,
        columns=recipe.columns,
        renames={n: getattr(s, "rename", {}) for n, s in zip(names, recipe.sources, strict=True)},
        kinds={n: s.kind for n, s in zip(names, recipe.sources, strict=True)},
        folder=recipe.folder,
    )


def _passes(stages: list[Stage | CorpusStage]) -> tuple[Pass, ...]:
    passes: list[Pass] = []
    going: list[Stage] = []
    barrier: list[CorpusStage] = []
    for stage in stages:
        if isinstance(stage, CorpusStage):
            barrier.append(stage)
            continue
        if barrier:
            passes.append(Pass(stages=tuple(going), barrier=tuple(barrier)))
            going, barrier = [], []
        going.append(stage)
    return (*passes, Pass(stages=tuple(going), barrier=tuple(barrier)))


def _lighten(passes: tuple[Pass, ...], *, published: Sequence[str]) -> tuple[Pass, ...]:
    """Let what is not published be left behind where only ``publishable`` is still to come."""
    return tuple(
        replace(pass_, carries=tuple(published))
        if number >= len(passes) - 2 and passes[-1].only_publishes
        else pass_
        for number, pass_ in enumerate(passes)
    )
