"""``tune``: show what other thresholds of a recipe would remove, from a sample of the inputs."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builder.corpus import Corpus
from builder.corpus.address import looks_like_corpus
from builder.domain.progress import Progress, ignore_progress
from builder.engines.local import LocalEngine
from builder.errors import Fault, RecipeError
from builder.inputs.inputs import list_tasks
from builder.operations.sampling import covered_share, take_evenly
from builder.operations.secrecy import hides_variables
from builder.operations.tune.labels import read_labels
from builder.operations.tune.limits_of import (
    BOUND,
    filter_settings,
    language_conditions,
    language_settings,
    stage_setting,
)
from builder.operations.tune.near import NearFacts, near_facts, thresholds_to_try
from builder.operations.tune.near_runs import NearRuns
from builder.operations.tune.rule_facts import RuleFacts
from builder.operations.tune.rules import Labelled, RuleAnalysis
from builder.operations.tune.taps import read_tapped, tap_chain
from builder.pipeline.chain import bind_chain
from builder.pipeline.context import BuildContext
from builder.pipeline.preload import PRELOAD, number_of_workers
from builder.pipeline.run import run_chain
from builder.pipeline.tombstones import Tombstones
from builder.progress.shown import shows_progress
from builder.stages.binding.placed import inner_stage
from builder.stages.dedup_near import DedupNear
from builder.stages.filter import Filter
from builder.stages.language import Language
from builder.stages.quality.signals import SIGNALS, unknown_signal
from builder.summary import Summarised

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from builder.operations.tune.labels import Labels
    from builder.pipeline.chain import Chain
    from builder.pipeline.run import ChainResult
    from builder.recipe import Recipe
    from builder.recipe.one_or_more import OneOrMore
    from builder.recipe.text import Settings
    from builder.stages.binding.placed import AnyStage

TUNED_RECORDS = 50_000
TUNED_TASKS = 200
"""Parts of the inputs that the sample is taken from, at most."""

USUAL_LOSS = 0.05
"""Share of the documents labelled ``keep`` that a suggested limit loses, at most."""

TUNED_PAIRS, TUNED_DOCUMENTS = 3, 3
"""Pairs of each bin, and documents on each side of a limit."""

_BATCH_ROWS = 1_024

TUNED_KINDS = ("language", "filter", "dedup_near")
"""The stages that have thresholds."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Tuning(Summarised):
    """What other thresholds of a recipe would remove.

    Attributes:
        n_records: the records of the sample.
        n_tasks: parts of the inputs that the sample is taken from.
        n_all_tasks: all parts of the inputs.
        covered: the share of the input bytes that the sample has, about; 1 if it has all records.
        labels: the number of lines of the file of labels; None without one.
        max_lost: the share of the documents labelled ``keep`` that a suggested limit loses, at most.
        stages: the facts of each stage with thresholds, in the order of the chain.
    """

    name: str
    n_records: int
    n_tasks: int
    n_all_tasks: int
    covered: float
    labels: int | None
    max_lost: float
    stages: Sequence[RuleFacts | NearFacts]

    @property
    def is_whole(self) -> bool:
        """Whether the sample has all records."""
        return self.covered >= 1

    def _summary(self) -> dict[str, object]:
        return {
            "name": self.name,
            "records": self.n_records,
            "stages": [one.stage for one in self.stages],
        }

    def _rows(self) -> list[dict[str, object]]:
        return [
            {"stage": one.stage, "threshold": f"{at.threshold:g}", "removes": at.merges}
            for one in self.stages
            if isinstance(one, NearFacts)
            for at in one.thresholds
        ] + [
            {
                "stage": one.stage,
                "threshold": f"{limit.name} {limit.limit} {limit.bound}",
                "removes": limit.alone,
            }
            for one in self.stages
            if isinstance(one, RuleFacts)
            for limit in one.limits
        ]


@shows_progress(compiles=True)
@hides_variables
def tune(
    recipe: Recipe,
    *,
    settings: Settings | str = (),  # noqa: ARG001 - the decorator reads it
    schemas: OneOrMore[str | Path] = (),  # noqa: ARG001 - the decorator reads it
    allow_code: bool = False,  # noqa: ARG001 - the decorator reads it
    labels: str | Path | None = None,
    signals: OneOrMore[str] = (),
    max_lost: float = USUAL_LOSS,
    sample_records: int = TUNED_RECORDS,
    pairs: int = TUNED_PAIRS,
    documents: int = TUNED_DOCUMENTS,
    workers: int | None = None,
    progress: bool = True,  # noqa: ARG001 - the decorator reads it
    advance: Progress = ignore_progress,
) -> Tuning:
    """Show what other thresholds of ``language``, ``filter`` and ``dedup_near`` would remove.

    Run the stages on a sample, as a first version, in a temporary folder. No version is written and the
    corpus stays as it is. Pages that were taken down stay out.

    Args:
        recipe: the recipe, or the path of its file.
        settings: values to override in a recipe that is given as a path, as in ``Recipe.load``.
        schemas: as in ``Recipe.load``, for a recipe that is given as a path.
        allow_code: allow a recipe, given as a path, that calls functions of its author.
        labels: a file with documents that people would keep or drop.
        signals: signals to measure in ``filter`` in addition to those of its rules.
        max_lost: share of the documents labelled ``keep`` that a suggested limit may lose.
        sample_records: number of records of the sample, about.
        pairs: pairs of near duplicates for each bin of similarities.
        documents: documents on each side of a limit.
        workers: number of worker processes; default: one for each core. The result does not depend on it.
        progress: show progress in a terminal and in a notebook.
        advance: receives the progress in place of the display.

    Raises:
        RecipeError: if the recipe has no stage with a threshold, its stages do not chain, an input does not
            exist, or the labels cannot be read.

    >>> [one.stage for one in tune("my-corpus/recipe.yaml").stages]
    ['dedup_near']
    """
    tombstones = _tombstones(recipe)
    chain = bind_chain(recipe, tombstones=tombstones)
    tuned = _tuned_stages(recipe)
    also = _also(recipe, signals)
    read = read_labels(labels, url_rules=chain.resources.url_rules) if labels is not None else None
    all_tasks = list_tasks(recipe.sources)
    tasks = take_evenly(all_tasks, min(TUNED_TASKS, sample_records))
    with (
        tempfile.TemporaryDirectory(prefix="builder-tune-") as name,
        LocalEngine(workers=number_of_workers(workers), preload=PRELOAD) as engine,
    ):
        folder = Path(name).resolve()
        folders = {stage.name: folder / f"tap-{number}" for number, stage in enumerate(tuned)}
        for one in folders.values():
            one.mkdir()
        tried = {
            one.name: thresholds_to_try(inner_stage(one).threshold)
            for one in tuned
            if isinstance(inner_stage(one), DedupNear)
        }
        context = BuildContext(
            recipe=replace(recipe, audit_texts="none"),
            identity=recipe.identity(),
            chain=tap_chain(chain, folders, thresholds=tried, also=also),
            engine=engine,
            folder=folder / "spool",
            batch_rows=_BATCH_ROWS,
            advance=advance,
            limit=sample_records,
            spreads_limit=True,
            tombstones=tombstones,
        )
        context.folder.mkdir()
        result = run_chain(context, tasks)
        is_whole = len(tasks) == len(all_tasks) and result.n_read < sample_records
        covered = 1.0 if is_whole else covered_share(result.first, tasks, all_tasks)
        analysis = _Analysis(
            recipe=recipe,
            chain=chain,
            result=result,
            labels=read,
            max_lost=max_lost,
            n_pairs=pairs,
            n_documents=documents,
        )
        found = [analysis.facts(stage, folders[stage.name]) for stage in tuned]
        for spool in {
            id(one): one for one in (result.first, result.last, *result.barriers.values())
        }.values():
            spool.release()
    return Tuning(
        name=recipe.name,
        n_records=result.n_read,
        n_tasks=len(tasks),
        n_all_tasks=len(all_tasks),
        covered=covered,
        labels=read.n_lines if read else None,
        max_lost=max_lost,
        stages=found,
    )


def _tombstones(recipe: Recipe) -> Tombstones | None:
    """Return what was taken down from the corpus, if it exists."""
    if not looks_like_corpus(recipe.corpus):
        return None
    return Tombstones.parse(Corpus(recipe.corpus).tombstones())


def _tuned_stages(recipe: Recipe) -> list[AnyStage]:
    """Return the stages with thresholds.

    Raises:
        RecipeError: if the recipe does not have one.
    """
    found = [one for one in recipe.stages if isinstance(inner_stage(one), (Filter, Language, DedupNear))]
    if not found:
        what = f"no stage has a threshold; stages with thresholds are {', '.join(TUNED_KINDS)}"
        advice = "add one to the recipe, such as `- dedup_near: {threshold: 0.8}`"
        raise RecipeError(Fault(where="stages", what=what, advice=advice))
    return found


def _also(recipe: Recipe, signals: OneOrMore[str]) -> list[str]:
    """Return the signals to measure in addition.

    Raises:
        RecipeError: if a signal is unknown, or no filter would measure it.
    """
    names = [signals] if isinstance(signals, str) else list(signals)
    if names == ["all"]:
        names = list(SIGNALS)
    faults = []
    for name in names:
        if name not in SIGNALS:
            what, advice = unknown_signal(name)
            faults.append(Fault(where=f"--signal {name}", what=what, advice=advice))
    if names and not any(isinstance(inner_stage(one), Filter) for one in recipe.stages):
        what = "the recipe does not have the stage filter, which measures signals"
        advice = "add it to the recipe, such as `- filter: {words: {min: 50}}`"
        faults.append(Fault(where="--signal", what=what, advice=advice))
    if faults:
        raise RecipeError(*faults)
    return names


@dataclass(frozen=True, kw_only=True)
class _Analysis:
    """Turns what the taps wrote into facts."""

    recipe: Recipe
    chain: Chain
    result: ChainResult
    labels: Labels | None
    max_lost: float
    n_pairs: int
    n_documents: int

    def facts(self, stage: AnyStage, folder: Path) -> RuleFacts | NearFacts:
        """Return the facts of one stage."""
        number = self.recipe.stages.index(stage)
        place = self.recipe.stage_places()[number]
        entry = int(place.partition("[")[2].partition("]")[0])
        setting = stage_setting(self.recipe, entry)
        inner = inner_stage(stage)
        if isinstance(inner, DedupNear):
            return self._near(stage, inner, folder, place=place, setting=setting)
        written: Any = next(iter(self.recipe.document["stages"][entry].values()))
        return self._rules(stage, inner, folder, place=place, setting=setting, written=written or {})

    def _near(
        self, stage: AnyStage, inner: DedupNear, folder: Path, *, place: str, setting: str
    ) -> NearFacts:
        return near_facts(
            NearRuns.load(folder) or NearRuns.none(thresholds_to_try(inner.threshold)),
            self.result.barriers[stage.name],
            current=inner.threshold,
            stage=stage.name,
            place=place,
            setting=f"{setting}.threshold={BOUND}",
            mode=inner.mode,
            url=self.chain.resources.columns.url,
            n_pairs=self.n_pairs,
        )

    def _rules(
        self,
        stage: AnyStage,
        inner: Filter | Language,
        folder: Path,
        *,
        place: str,
        setting: str,
        written: Mapping[str, Any],
    ) -> RuleFacts:
        rows = read_tapped(folder)
        conditions: Sequence[Any]
        if isinstance(inner, Filter):
            conditions, least, mode = inner.conditions, inner.least_fired, inner.mode
            settings = filter_settings(inner, place=setting, written=written)
        else:
            conditions, least, mode = language_conditions(inner), 1, "drop"
            settings = language_settings(conditions, place=setting, written=written)
        kind = str(inner.name)
        if rows is None:
            return RuleFacts(
                stage=stage.name,
                kind=kind,
                place=place,
                n_documents=0,
                n_removed=0,
                least_fired=least,
                mode=mode,
                signals=(),
                limits=(),
            )
        labelled = None
        if self.labels is not None:
            numbers, is_drop = self.labels.of(rows, url_rules=self.chain.resources.url_rules)
            labelled = Labelled(rows=numbers, is_drop=is_drop)
        analysis = RuleAnalysis(
            rows=rows,
            conditions=conditions,
            least_fired=least,
            settings=settings,
            labelled=labelled,
            max_lost=self.max_lost,
            n_shown=self.n_documents,
        )
        return analysis.facts(stage=stage.name, kind=kind, place=place, mode=mode)
