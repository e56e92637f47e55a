"""``check``: can this recipe be built, and what will it take?"""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.compute as pc

from builder.build.chain import bind_chain
from builder.build.inputs import list_inputs
from builder.build.passage import take_through
from builder.build.work import Work, say_nothing
from builder.engines.local import LocalEngine
from builder.io.streams import codec_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from builder.build.passage import Passage
    from builder.protocols import Task
    from builder.recipe import Recipe

SAMPLE_RECORDS = 2_000
_BASE_MEMORY_BYTES = 250_000_000
"""A worker with its libraries, measured on Linux."""

_BATCH_MEMORY = 6
"""A batch of 16 MiB stands in memory about six times: raw, parsed, typed, extracted, sketched, written."""

_COMPRESSION = 4
"""How many bytes of text a compressed byte stands for, roughly; only the scale of an estimate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a build will take, from a sample of its first records; orders of magnitude, not promises."""

    seconds: float
    memory_bytes: int
    disk_bytes: int
    sample_records: int
    sample_kept: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A recipe that can be built."""

    name: str
    contract: str
    stages: Sequence[str]
    columns: Sequence[tuple[str, str]]
    n_inputs: int
    input_bytes: int
    splits: Sequence[str]
    corpus: Path
    estimate: Estimate


def check(recipe: Recipe, *, workers: int | None = None, sample_records: int = SAMPLE_RECORDS) -> Check:
    """Bind the chain, count the inputs, and build a sample in a temporary folder.

    Raises:
        RecipeError: if the stages do not chain, or an input is not there.
    """
    chain = bind_chain(recipe)
    inputs = list_inputs(recipe.sources)
    n_workers = workers or os.cpu_count() or 1
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
    """Take the first records through the chain and scale up by the bytes that they stand for."""
    tasks = [task for source in recipe.sources for task in source.tasks()]
    with tempfile.TemporaryDirectory(prefix="builder-check-") as folder, LocalEngine(workers=1) as engine:
        work = Work(
            recipe=recipe,
            chain=bind_chain(recipe),
            engine=engine,
            folder=Path(folder),
            batch_rows=1_024,
            advance=say_nothing,
            limit=sample_records,
        )
        began = time.monotonic()
        passage = take_through(work, tasks)
        elapsed = time.monotonic() - began
        spooled = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
        scale = _scale(passage, tasks, sample_records=sample_records)
    n_records = sum(part.n_records for part in passage.first.parts)
    return Estimate(
        seconds=elapsed * scale / n_workers,
        memory_bytes=(n_workers + 1) * (_BASE_MEMORY_BYTES + _BATCH_MEMORY * (16 << 20)),
        disk_bytes=int(spooled * scale),
        sample_records=n_records,
        sample_kept=passage.last.n_rows,
    )


def _scale(passage: Passage, tasks: Sequence[Task], *, sample_records: int) -> float:
    """How many times the sample fits into the whole, by input bytes."""
    n_records = sum(part.n_records for part in passage.first.parts)
    if n_records < sample_records or not passage.first.parts:
        return 1.0
    last = passage.first.parts[-1]
    number = int(Path(last.stem).parent.name)
    done = sum(task.size_bytes for task in tasks[:number])
    reached = pc.max(last.table("account")["offset"]).as_py() or 0
    ratio = _COMPRESSION if codec_of(tasks[number].name) else 1
    done += min(tasks[number].size_bytes, reached // ratio + 1)
    return max(1.0, sum(task.size_bytes for task in tasks) / done)
