"""The recipe's stages as a chain: bound from end to end before a record is read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pyarrow as pa

from builder.domain.merging import cluster_field
from builder.domain.record import RECORD_FIELD
from builder.errors import Fault, RecipeError
from builder.pipeline.tombstone_filter import Barrier
from builder.protocols import CorpusStage, Resources, Stage
from builder.stages.publishable import Publishable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from builder.pipeline.tombstones import Graves
    from builder.recipe import Recipe

_DROPPING = frozenset(("validate", "dedup_url", "dedup_exact", "dedup_near", "takedown"))
"""Stages after which each row that is left is as ``validate`` made it."""

ID_FIELD = pa.field("id", pa.string(), nullable=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flight:
    """Stages that a batch passes at one go, and the corpus stages of the landing that it ends on.

    Only the last flight ends on no landing. ``carries`` names the public columns that go on from here; None
    for all. A page's HTML is ten times its text, so it is worth leaving behind what nobody will look at.
    """

    stages: tuple[Stage, ...]
    landing: tuple[CorpusStage, ...] = ()
    carries: tuple[str, ...] | None = None

    @property
    def only_publishes(self) -> bool:
        """Whether it leaves rows out and changes none."""
        return all(stage.name in (Publishable.name, Barrier.name) for stage in self.stages)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """All flights, with what the stages lean on.

    Attributes:
        published: the columns of a row, ``id`` first.
        tags: public column -> underscore column, for each deduplication in ``mode: tag``.
    """

    flights: tuple[Flight, ...]
    resources: Resources
    published: pa.Schema
    tags: Mapping[str, str]

    @property
    def untrusted(self) -> bool:
        """Whether a stage runs native parsers on strangers' bytes."""
        return any(stage.untrusted for flight in self.flights for stage in flight.stages)

    @property
    def append_stable(self) -> bool:
        """Whether what was decided on a record never changes because of a later one."""
        return all(stage.append_stable for flight in self.flights for stage in flight.landing)


def bind_chain(recipe: Recipe, *, graves: Graves | None = None) -> Chain:
    """Bind every stage to what the one before gives, ``publishable`` last.

    Where something was taken down, a stage before it keeps out what the corpus stages of the recipe do not
    look for.

    Raises:
        RecipeError: if a stage cannot stand where it stands, with its place in the recipe.
    """
    resources = _resources(recipe)
    schema = pa.schema([RECORD_FIELD])
    before = [*recipe.stages, *([Barrier(graves=graves)] if graves else [])]
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
    flights = _lighten(_flights(stages), published=pa.schema(fields).names)
    return Chain(flights=flights, resources=resources, published=pa.schema(fields), tags=tags)


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


def _flights(stages: list[Stage | CorpusStage]) -> tuple[Flight, ...]:
    flights: list[Flight] = []
    going: list[Stage] = []
    landing: list[CorpusStage] = []
    for stage in stages:
        if isinstance(stage, CorpusStage):
            landing.append(stage)
            continue
        if landing:
            flights.append(Flight(stages=tuple(going), landing=tuple(landing)))
            going, landing = [], []
        going.append(stage)
    return (*flights, Flight(stages=tuple(going), landing=tuple(landing)))


def _lighten(flights: tuple[Flight, ...], *, published: Sequence[str]) -> tuple[Flight, ...]:
    """Let what is not published be left behind where only ``publishable`` is still to come."""
    return tuple(
        replace(flight, carries=tuple(published))
        if number >= len(flights) - 2 and flights[-1].only_publishes
        else flight
        for number, flight in enumerate(flights)
    )
