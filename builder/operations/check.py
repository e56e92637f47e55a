"""``check``: find out whether a recipe can be built, and estimate time, memory and disk space."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.compute as pc

from builder.domain.nulled import nulled_cells
from builder.domain.progress import ignore_progress
from builder.engines.local import LocalEngine
from builder.inputs.inputs import list_inputs
from builder.io.reading.file_source import PLAIN_CHUNK_BYTES
from builder.io.streams.streams import compression_of
from builder.operations.secrecy import hides_variables
from builder.pipeline.chain import bind_chain
from builder.pipeline.context import BuildContext
from builder.pipeline.preload import number_of_workers
from builder.pipeline.run import run_chain
from builder.pipeline.timings import size_of
from builder.release.finish import close

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from builder.pipeline.run import ChainResult
    from builder.protocols import Task
    from builder.recipe import Recipe

SAMPLE_RECORDS = 2_000
WARM_UP_RECORDS = 50
"""Records of two short runs: the first loads compiled code, the second measures the fixed costs."""

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

_COMPRESSION = 4
"""Approximate compression ratio of an input; it only scales an estimate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Costs of a build, estimated from its first records. Only the order of magnitude is reliable.

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
class Check:
    """The facts of a recipe that can be built."""

    name: str
    contract: str
    stages: Sequence[str]
    columns: Sequence[tuple[str, str]]
    n_inputs: int
    input_bytes: int
    splits: Sequence[str]
    corpus: Path
    estimate: Estimate


@hides_variables
def check(recipe: Recipe, *, workers: int | None = None, sample_records: int = SAMPLE_RECORDS) -> Check:
    """Bind the chain, count the inputs, and build a sample in a temporary folder.

    Raises:
        RecipeError: if the stages do not chain, or an input does not exist.
    """
    chain = bind_chain(recipe)
    inputs = list_inputs(recipe.sources)
    n_workers = number_of_workers(workers)
    return Check(
        name=recipe.name,
        contract=recipe.contract.label,
        stages=[stage.name for stage in recipe.stages],
        columns=[(field.name, str(field.type)) for field in chain.published],
        n_inputs=len(inputs),
        input_bytes=sum(one.n_bytes for one in inputs),
        splits=list(recipe.splits),
        corpus=recipe.corpus,
        estimate=_estimate(recipe, n_workers=n_workers, sample_records=sample_records),
    )


def _estimate(recipe: Recipe, *, n_workers: int, sample_records: int) -> Estimate:
    """Run the first records through the chain, and scale up by input bytes."""
    tasks = [task for source in recipe.sources for task in source.tasks()]
    with tempfile.TemporaryDirectory(prefix="builder-check-") as folder, LocalEngine(workers=1) as engine:
        context = BuildContext(
            recipe=recipe,
            chain=bind_chain(recipe),
            engine=engine,
            folder=Path(folder),
            batch_rows=1_024,
            advance=ignore_progress,
            limit=sample_records,
        )
        for name in ("warm-up", "few"):
            began = time.monotonic()
            _run_sample(replace(context, folder=Path(folder) / name, limit=WARM_UP_RECORDS), tasks)
        fixed = time.monotonic() - began
        began = time.monotonic()
        chain_result = _run_sample(replace(context, folder=Path(folder) / "sample"), tasks)
        elapsed = max(time.monotonic() - began, fixed)
        spooled = size_of(Path(folder) / "sample")
        scale = _scale(chain_result, tasks, sample_records=sample_records)
    n_records = sum(part.n_records for part in chain_result.first.parts)
    speed = 1 + (n_workers - 1) * _PARALLEL_SHARE
    return Estimate(
        seconds=_START_S + fixed + (elapsed - fixed) * scale / speed,
        memory_bytes=_memory_bytes(tasks, n_workers=n_workers, n_rows=int(chain_result.first.n_rows * scale)),
        disk_bytes=int(spooled * scale),
        sample_records=n_records,
        sample_kept=chain_result.last.n_rows,
        nulled=nulled_cells(chain_result.counts),
    )


def _run_sample(context: BuildContext, tasks: Sequence[Task]) -> ChainResult:
    """Run the first records through all phases, including shards and ledger."""
    context.folder.mkdir()
    chain_result = run_chain(context, tasks)
    if chain_result.last.n_rows:
        close(context, chain_result)
    return chain_result


def _memory_bytes(tasks: Sequence[Task], *, n_workers: int, n_rows: int) -> int:
    chunk = min(PLAIN_CHUNK_BYTES * 2, max((task.size_bytes for task in tasks), default=0))
    busy = min(n_workers, len(tasks))
    return _MAIN_BYTES + busy * (_WORKER_BYTES + _BATCH_MEMORY * chunk) + _ROW_BYTES * n_rows


def _scale(chain_result: ChainResult, tasks: Sequence[Task], *, sample_records: int) -> float:
    """Return the ratio of the whole input to the sample, by input bytes."""
    n_records = sum(part.n_records for part in chain_result.first.parts)
    if n_records < sample_records or not chain_result.first.parts:
        return 1.0
    last = chain_result.first.parts[-1]
    number = int(Path(last.stem).parent.name)
    done = sum(task.size_bytes for task in tasks[:number])
    reached = pc.max(last.table("account")["offset"]).as_py() or 0
    ratio = _COMPRESSION if compression_of(tasks[number].name) else 1
    done += min(tasks[number].size_bytes, reached // ratio + 1)
    return max(1.0, sum(task.size_bytes for task in tasks) / done)
