"""Bind the recipe's stages into a chain, before the first record is read."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pyarrow as pa

from builder.domain.contract.value_forms import ValueForms
from builder.domain.merging import cluster_field
from builder.domain.record import RECORD_FIELD
from builder.domain.url import URL_RULES
from builder.errors import Fault, RecipeError
from builder.pipeline.encoded_columns import Base64Columns
from builder.pipeline.measured import MeasuredColumns
from builder.pipeline.stage_errors import blame_stage
from builder.pipeline.tombstone_filter import TombstoneFilter
from builder.pipeline.url_filter import UrlFilter
from builder.protocols import ROLES, CorpusStage, Resources, Stage
from builder.stages.binding.placed import inner_stage, joins_notes, stage_kind, tags_clusters, without_columns
from builder.stages.publishable import Publishable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from builder.pipeline.tombstones import Tombstones
    from builder.protocols import Columns
    from builder.recipe import Recipe
    from builder.stages.binding.placed import AnyStage

_DROPPING = frozenset(("validate", "dedup_url", "dedup_exact", "dedup_near", "takedown", "block_urls"))
"""Kinds of stages that change no row: each remaining row is as ``validate`` left it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """The stages between two barriers, and the corpus stages of the barrier at the end of the pass.

    Only the last pass ends without a barrier. ``carries`` names the public columns that continue after the
    pass; None means all of them. A page's HTML is about ten times as large as its text, so columns that no
    later stage reads are dropped here. ``awaits`` are the stages of this barrier and of later ones that join
    notes: they have not seen the rows that leave during the pass.
    """

    stages: tuple[Stage, ...]
    barrier: tuple[CorpusStage, ...] = ()
    carries: tuple[str, ...] | None = None
    awaits: tuple[CorpusStage, ...] = ()

    @property
    def only_publishes(self) -> bool:
        """Whether the pass only removes rows, and changes no other row."""
        return all(stage.name in (Publishable.name, TombstoneFilter.name) for stage in self.stages)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """All passes of a recipe, and the resources of the stages.

    Attributes:
        published: the columns of a published row, ``id`` first.
        tags: public column -> underscore column, for each deduplication in ``mode: tag``.
        dropped: measured column -> the stage that edited the text afterwards, if it was not measured again.
    """

    passes: tuple[Pass, ...]
    resources: Resources
    published: pa.Schema
    tags: Mapping[str, str]
    dropped: Mapping[str, str] = field(default_factory=dict)

    @property
    def untrusted(self) -> bool:
        """Whether a stage runs native parsers on bytes from unknown servers."""
        return any(stage.untrusted for pass_ in self.passes for stage in pass_.stages)

    @property
    def append_stable(self) -> bool:
        """Whether later records never change the verdict on an earlier record."""
        return all(stage.append_stable for pass_ in self.passes for stage in pass_.barrier)


def bind_chain(recipe: Recipe, *, tombstones: Tombstones | None = None, url_rules: int = URL_RULES) -> Chain:
    """Bind every stage to the schema that the stage before it returns; ``publishable`` is the last one.

    If the corpus has tombstones, a ``TombstoneFilter`` before it removes the pages that the corpus stages of
    the recipe do not find. If a source selects URLs, a ``UrlFilter`` comes after ``validate``. A stage that
    edits the text drops the columns that were measured before it.

    Args:
        url_rules: the number of the corpus's rules of canonical URLs.

    Raises:
        RecipeError: if a stage cannot be bound at its place, or uses a column that was measured on a text
            that has changed; the fault names the place in the recipe.
    """
    resources = replace(_resources(recipe), url_rules=url_rules)
    schema = pa.schema([RECORD_FIELD])
    before = [*recipe.stages, *([TombstoneFilter(tombstones=tombstones)] if tombstones else [])]
    base64 = Base64Columns.of(recipe.sources)
    unchanged = base64 is None and all(stage_kind(stage) in _DROPPING for stage in before)
    stages = [*before, Publishable(unchanged=unchanged)]
    measured = MeasuredColumns()
    places = recipe.stage_places()
    for i, stage in enumerate(stages):
        try:
            measured.check(stage)
            stages[i] = stage = _without_invalid(stage, measured.pass_stage(stage))
            with blame_stage(stage):
                schema = stage.bind(schema, resources)
        except RecipeError as error:
            place = places[i] if i < len(places) else None
            raise RecipeError(
                *(replace(f, where=place or f.where or stage.name) for f in error.faults)
            ) from None
    if url_filter := UrlFilter.of(recipe.sources):
        url_filter.bind(resources.contract.columns, resources)
        stages.insert(1, url_filter)
    if base64 is not None:
        base64.bind(resources.contract.columns, resources)
        stages.insert(1, base64)
    tags = {f"{name}_cluster": cluster_field(name).name for name in tagging_stages(recipe)}
    fields = [
        pa.field(recipe.columns.id, pa.string(), nullable=False),
        *(f for f in schema if not f.name.startswith("_")),
    ]
    fields += [pa.field(name, pa.string()) for name in tags]
    if recipe.columns.id in [field.name for field in fields[1:]]:
        raise RecipeError(_taken_id(recipe.columns.id))
    needed = {field.name for field in fields} | _judged_again(stages, resources)
    passes = _drop_unneeded(_passes(stages), needed=sorted(needed))
    return Chain(
        passes=passes,
        resources=resources,
        published=pa.schema(fields),
        tags=tags,
        dropped=dict(sorted(measured.invalid.items())),
    )


def _without_invalid(stage: AnyStage, columns: Sequence[str]) -> AnyStage:
    """Return the stage such that it drops the columns that it invalidates."""
    return stage if isinstance(stage, CorpusStage) else without_columns(stage, columns)


def _taken_id(name: str) -> Fault:
    what = f"the inputs have a column {name!r}, which is the name of the document id"
    advice = "name the document id otherwise, as in columns: {id: document_id}, or rename the column"
    return Fault(where="columns.id", what=what, advice=advice)


def tagging_stages(recipe: Recipe) -> list[str]:
    """Return the names of the corpus stages that mark duplicates and drop none (``mode: tag``)."""
    return [stage.name for stage in recipe.stages if tags_clusters(stage)]


def _resources(recipe: Recipe) -> Resources:
    names = [source.label for source in recipe.sources]
    needs = [getattr(inner_stage(stage), "needs", None) for stage in [*recipe.stages, Publishable()]]
    return Resources(
        contract=recipe.contract,
        columns=recipe.columns,
        nullifies=recipe.on_bad_value == "nullify",
        needed=_needed(needs, recipe.columns),
        uses_extra=recipe.contract.outgoing is None or None in needs,
        renames={n: getattr(s, "rename", {}) for n, s in zip(names, recipe.sources, strict=True)},
        kinds={n: s.kind for n, s in zip(names, recipe.sources, strict=True)},
        forms={
            n: getattr(s, "value_forms", ValueForms()) for n, s in zip(names, recipe.sources, strict=True)
        },
        publish=recipe.publish,
        drop=recipe.drop,
        carried=recipe.carried,
        folder=recipe.folder,
    )


def _needed(needs: Sequence[Sequence[str] | None], columns: Columns) -> frozenset[str]:
    """Return the columns that stages need; a stage that does not state its needs may need every role.

    A stage of another package may name columns that have no role.
    """
    roles = {role for one in needs for role in (ROLES if one is None else one)}
    return frozenset(name for role in roles if (name := getattr(columns, role, role)) is not None)


def _passes(stages: list[Stage | CorpusStage]) -> tuple[Pass, ...]:
    passes: list[Pass] = []
    pending: list[Stage] = []
    barrier: list[CorpusStage] = []
    for stage in stages:
        if isinstance(stage, CorpusStage):
            barrier.append(stage)
            continue
        if barrier:
            passes.append(Pass(stages=tuple(pending), barrier=tuple(barrier)))
            pending, barrier = [], []
        pending.append(stage)
    passes.append(Pass(stages=tuple(pending), barrier=tuple(barrier)))
    joining = [tuple(filter(joins_notes, one.barrier)) for one in passes]
    return tuple(replace(one, awaits=sum(joining[at:], ())) for at, one in enumerate(passes))


def _judged_again(stages: Sequence[AnyStage], resources: Resources) -> set[str]:
    """Return the columns that ``publishable`` judges, published or not: those of a contract of your own."""
    last = stages[-1]
    if resources.contract.outgoing is not None or getattr(last, "unchanged", False):
        return set()
    return set(resources.contract.columns.names)


def _drop_unneeded(passes: tuple[Pass, ...], *, needed: Sequence[str]) -> tuple[Pass, ...]:
    """Drop the columns early that are neither published nor judged, if the last pass only removes rows."""
    return tuple(
        replace(pass_, carries=tuple(needed))
        if number >= len(passes) - 2 and passes[-1].only_publishes
        else pass_
        for number, pass_ in enumerate(passes)
    )
