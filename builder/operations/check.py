"""``check``: find out whether a recipe can be built, what it would lose, and what a build takes."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, overload

from builder.corpus.address import is_corpus_address, looks_like_corpus
from builder.corpus.create import check_new_folder
from builder.domain.contract.nulled import nulled_cells
from builder.domain.ledger import OUTCOMES
from builder.domain.progress import ignore_progress
from builder.engines.local import LocalEngine
from builder.errors import Fault, RecipeError
from builder.hub.guard import VersionCheck, check_version
from builder.inputs.inputs import list_inputs, list_passed_over, list_tasks
from builder.io.reading.file_source import PLAIN_CHUNK_BYTES
from builder.operations.check_recipe import listed_values, recipe_warnings, sample_warnings
from builder.operations.sampling import covered_share, take_evenly
from builder.operations.secrecy import hides_variables
from builder.operations.select_for import with_surveyed_columns
from builder.pipeline.chain import bind_chain
from builder.pipeline.context import BuildContext
from builder.pipeline.observer import Observer, observed
from builder.pipeline.preload import PRELOAD, number_of_workers
from builder.pipeline.run import run_chain
from builder.pipeline.timings import size_of
from builder.progress.shown import shows_progress
from builder.recipe import Recipe
from builder.release.finish import close
from builder.release.result import reasons_document
from builder.summary import Summarised

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from builder.domain.fault_groups import FaultGroup
    from builder.domain.passed_over import PassedOver
    from builder.domain.progress import Progress
    from builder.pipeline.chain import Chain
    from builder.protocols import Engine, Task
    from builder.recipe.one_or_more import OneOrMore
    from builder.recipe.text import Settings
    from builder.release.finish import Closed
    from builder.release.losses import LossMessage, UnreadableFile

SAMPLE_RECORDS = 2_000
SAMPLE_TASKS = 20
"""Parts of the inputs that the sample is taken from, at most."""

SURVEYED_TASKS = 200
"""Parts of the inputs whose columns are looked at, at most; of each, the first records are read."""

WARM_UP_RECORDS = 50
"""Records of two short runs: the first loads compiled code, the second measures the fixed costs."""

MAX_LOST_SHARE = 0.05
"""Share of lost records above which there is a warning."""

NOT_LOST = "record_type"
"""The reason of archive records that are not pages; they are not lost."""

_START_S = 0.6
"""Seconds that a build needs in addition to its records: libraries, workers, commit. Measured on Linux."""

_PARALLEL_SHARE = 0.85
"""Speed that each worker after the first adds, in workers: barriers and the ledger use only one core."""

_MAIN_BYTES, _WORKER_BYTES = 120_000_000, 120_000_000
"""Bytes of memory of the main process, and of a worker with its libraries."""

_BATCH_MEMORY = 6
"""Copies of an input chunk in a worker's memory: raw, parsed, typed, extracted, written."""

_ROW_BYTES = 400
"""Bytes of memory of one row at a barrier, where duplicates are found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Costs of a build, estimated from a sample. Only the order of magnitude is reliable.

    Attributes:
        nulled: number of cells of the sample that a build makes null, by the pointer of their column.
    """

    seconds: float
    memory_bytes: int
    disk_bytes: int
    sample_records: int
    sample_kept: int
    nulled: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What a build would do with the records of a sample.

    Attributes:
        n_tasks: parts of the inputs that the sample is taken from.
        n_all_tasks: all parts of the inputs.
        reasons: ((outcome, stage, reason), records), most records first.
        sources: the kinds of the sources, under which they reject records.
    """

    n_tasks: int
    n_all_tasks: int
    outcomes: Mapping[str, int]
    reasons: Sequence[tuple[tuple[str, str, str], int]]
    contract_faults: Sequence[FaultGroup]
    unreadable: Sequence[UnreadableFile]
    sources: Sequence[str]
    messages: Sequence[LossMessage]

    @property
    def n_records(self) -> int:
        """The number of records."""
        return sum(self.outcomes.values())

    @property
    def n_lost(self) -> int:
        """The number of records that are rejected or fail, without archive records that are not pages."""
        lost = ("rejected", "failed")
        return sum(n for (outcome, _, reason), n in self.reasons if outcome in lost and reason != NOT_LOST)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Check(Summarised):
    """The facts of a recipe whose stages chain, and what it would lose."""

    name: str
    contract: str
    stages: Sequence[str]
    columns: Sequence[tuple[str, str]]
    n_inputs: int
    input_bytes: int
    splits: Sequence[str]
    corpus: Path
    passed_over: Sequence[PassedOver]
    estimate: Estimate
    sample: Sample
    warnings: Sequence[Fault]

    @property
    def keeps_something(self) -> bool:
        """Whether a build would keep a record of the sample."""
        return self.sample.outcomes["kept"] > 0

    def _summary(self) -> dict[str, object]:
        return {
            "name": self.name,
            "stages": list(self.stages),
            "inputs": self.n_inputs,
            "sample": dict(self.sample.outcomes),
            "warnings": [str(one) for one in self.warnings],
        }

    def _rows(self) -> list[dict[str, object]]:
        return reasons_document(self.sample.reasons)


@overload
def check(
    target: Recipe,
    *,
    workers: int | None = None,
    sample_records: int = SAMPLE_RECORDS,
    progress: bool = True,
    advance: Progress = ignore_progress,
) -> Check: ...
@overload
def check(
    target: str | Path,
    *,
    settings: Settings | str = (),
    schemas: OneOrMore[str | Path] = (),
    allow_code: bool = False,
    workers: int | None = None,
    sample_records: int = SAMPLE_RECORDS,
    progress: bool = True,
    advance: Progress = ignore_progress,
) -> Check | VersionCheck: ...
@shows_progress(compiles=True)
def check(
    target: Recipe | str | Path,
    *,
    settings: Settings | str = (),
    schemas: OneOrMore[str | Path] = (),
    allow_code: bool = False,
    workers: int | None = None,
    sample_records: int = SAMPLE_RECORDS,
    progress: bool = True,  # noqa: ARG001 - the decorator reads it
    advance: Progress = ignore_progress,
) -> Check | VersionCheck:
    """Check a recipe before you build it, or a version of a corpus before you publish it.

    For a recipe, bind the chain, count the inputs, and build a sample in a temporary folder. The sample is
    taken from up to ``SAMPLE_TASKS`` parts of the inputs, spread evenly. For a version, open every shard,
    compare it with manifest and card, and load it.

    Args:
        target: the recipe, the path of its file, or a version of a corpus: ``FOLDER`` or ``FOLDER@VERSION``.
        settings: values to override in a recipe that is given as a path, as in ``Recipe.load``.
        schemas: as in ``Recipe.load``, for a recipe that is given as a path.
        allow_code: allow a recipe, given as a path, that calls functions of its author.
        workers: number of worker processes for which the time is estimated; default: one for each core.
        sample_records: number of records of the sample.
        progress: show progress in a terminal and in a notebook.
        advance: receives the progress in place of the display.

    Raises:
        RecipeError: if the stages do not chain, or an input does not exist.
        CorpusError: if the version does not exist, its manifest was changed, or it was dropped; also if the
            corpus of the recipe cannot be created where it should be.

    >>> check("my-corpus/recipe.yaml").sample.outcomes
    {'kept': 3, 'rejected': 1, 'merged': 2, 'failed': 0}
    >>> check("my-corpus/corpus@1.0.0").fit
    True
    """
    if isinstance(target, Recipe) or not is_corpus_address(target):
        return _check_recipe(
            target,
            settings=settings,
            schemas=schemas,
            allow_code=allow_code,
            workers=workers,
            sample_records=sample_records,
            advance=advance,
        )
    if settings or schemas or allow_code:
        what = "settings, schemas and allow_code apply to a recipe, but the target is a folder"
        raise RecipeError(Fault(where=str(target), what=what, advice="leave them out"))
    return check_version(target, advance=advance)


@hides_variables
def _check_recipe(
    recipe: Recipe,
    *,
    settings: Settings | str,  # noqa: ARG001 - the decorator reads it
    schemas: OneOrMore[str | Path],  # noqa: ARG001 - the decorator reads it
    allow_code: bool,  # noqa: ARG001 - the decorator reads it
    workers: int | None,
    sample_records: int,
    advance: Progress,
) -> Check:
    if not looks_like_corpus(recipe.corpus):
        check_new_folder(recipe.corpus)
    bind_chain(recipe)  # a chain that cannot be bound is an error before an input is read
    inputs = list_inputs(recipe.sources)
    n_workers = number_of_workers(workers)
    with _engine() as engine:
        all_tasks = list_tasks(recipe.sources)
        recipe, left_out = with_surveyed_columns(
            recipe,
            take_evenly(all_tasks, SURVEYED_TASKS),
            engine=engine,
            max_records=max(1, sample_records // SAMPLE_TASKS),
        )
        chain = bind_chain(recipe)
        estimate, sample, seen = _run(
            recipe,
            chain,
            all_tasks,
            engine=engine,
            n_workers=n_workers,
            sample_records=sample_records,
            advance=advance,
        )
    warnings = [
        *left_out,
        *recipe_warnings(recipe),
        *sample_warnings(recipe, published=chain.published.names, seen=seen),
        *_loss_warnings(sample),
    ]
    return Check(
        name=recipe.name,
        contract=recipe.contract.label,
        stages=[stage.name for stage in recipe.stages],
        columns=[(field.name, str(field.type)) for field in chain.published],
        n_inputs=len(inputs),
        input_bytes=sum(one.n_bytes for one in inputs),
        splits=list(recipe.splits),
        corpus=recipe.corpus,
        passed_over=list_passed_over(recipe.sources, inputs),
        estimate=estimate,
        sample=sample,
        warnings=warnings,
    )


def _run(
    recipe: Recipe,
    chain: Chain,
    all_tasks: Sequence[Task],
    *,
    engine: Engine,
    n_workers: int,
    sample_records: int,
    advance: Progress,
) -> tuple[Estimate, Sample, Mapping[tuple[str, str, str], int]]:
    """Run a sample through the chain, and scale the costs up by input bytes."""
    tasks = take_evenly(all_tasks, SAMPLE_TASKS)
    with tempfile.TemporaryDirectory(prefix="builder-check-") as folder:
        context = BuildContext(
            recipe=recipe,
            identity=recipe.identity(),
            chain=_observing(chain, recipe),
            engine=engine,
            folder=Path(folder),
            batch_rows=1_024,
            advance=ignore_progress,
            limit=WARM_UP_RECORDS,
        )
        short = ("warm-up", "few")
        for number, name in enumerate(short):
            advance("prepare", done=number, total=len(short), unit="runs")
            began = time.monotonic()
            _run_sample(replace(context, folder=Path(folder) / name), tasks)
        advance("prepare", done=len(short), total=len(short), unit="runs")
        fixed = time.monotonic() - began
        began = time.monotonic()
        context = replace(
            context,
            folder=Path(folder) / "sample",
            limit=sample_records,
            spreads_limit=True,
            advance=advance,
        )
        closed = _run_sample(context, tasks)
        elapsed = max(time.monotonic() - began, fixed)
        spooled = size_of(Path(folder) / "sample")
        is_whole = len(tasks) == len(all_tasks) and closed.sums.n_records < sample_records
        scale = 1.0 if is_whole else 1 / covered_share(closed.chain_result.first, tasks, all_tasks)
    speed = 1 + (n_workers - 1) * _PARALLEL_SHARE
    n_rows = int(closed.chain_result.first.n_rows * scale)
    estimate = Estimate(
        seconds=_START_S + fixed + (elapsed - fixed) * scale / speed,
        memory_bytes=_memory_bytes(all_tasks, n_workers=n_workers, n_rows=n_rows),
        disk_bytes=int(spooled * scale),
        sample_records=closed.sums.n_records,
        sample_kept=closed.sums.outcomes["kept"],
        nulled=nulled_cells(closed.counts),
    )
    sample = _sample(closed, recipe, n_tasks=len(tasks), n_all_tasks=len(all_tasks))
    return estimate, sample, observed(closed.counts)


def _engine() -> LocalEngine:
    return LocalEngine(workers=1, preload=PRELOAD)


def _observing(chain: Chain, recipe: Recipe) -> Chain:
    """Return the chain with an observer before ``validate``."""
    first, *others = chain.passes
    observer = Observer(listed=listed_values(recipe))
    return replace(chain, passes=(replace(first, stages=(observer, *first.stages)), *others))


def _run_sample(context: BuildContext, tasks: Sequence[Task]) -> Closed:
    """Run a sample through all phases, including shards and ledger."""
    context.folder.mkdir()
    return close(context, run_chain(context, tasks))


def _sample(closed: Closed, recipe: Recipe, *, n_tasks: int, n_all_tasks: int) -> Sample:
    return Sample(
        n_tasks=n_tasks,
        n_all_tasks=n_all_tasks,
        outcomes={name: closed.sums.outcomes[name] for name in OUTCOMES},
        reasons=sorted(closed.sums.reasons.items(), key=lambda item: (-item[1], item[0])),
        contract_faults=closed.losses.faults,
        unreadable=closed.losses.unreadable,
        sources=list(dict.fromkeys(source.kind for source in recipe.sources)),
        messages=closed.losses.messages,
    )


def _loss_warnings(sample: Sample) -> list[Fault]:
    n_records, n_lost = sample.n_records, sample.n_lost
    if not sample.outcomes["kept"] or n_lost <= MAX_LOST_SHARE * n_records:
        return []
    what = f"{n_lost:,} of {n_records:,} sampled records would be lost ({n_lost / n_records:.1%})"
    advice = "the tables list the reasons; builder build --max-rejected SHARE refuses such a loss"
    return [Fault(where="", what=what, advice=advice)]


def _memory_bytes(tasks: Sequence[Task], *, n_workers: int, n_rows: int) -> int:
    chunk = min(PLAIN_CHUNK_BYTES * 2, max((task.size_bytes for task in tasks), default=0))
    busy = min(n_workers, len(tasks))
    return _MAIN_BYTES + busy * (_WORKER_BYTES + _BATCH_MEMORY * chunk) + _ROW_BYTES * n_rows
