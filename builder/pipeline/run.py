"""Through the chain: tasks become the first spool, and each barrier's verdicts the next one."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from builder.errors import Fault, SourceError
from builder.io.streams.paths import file_mark
from builder.pipeline.barriers import BARRED, Merges, resolve_barrier
from builder.pipeline.passes import LATE_SCHEMA, FirstPass, LaterPass
from builder.pipeline.spool import ROW, Part, Spool, row_numbers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from builder.io.streams.paths import FileMark
    from builder.pipeline.chain import Pass
    from builder.pipeline.context import BuildContext
    from builder.pipeline.spool import FinishedTask
    from builder.protocols import Task


@dataclass(frozen=True, kw_only=True)
class ChainResult:
    """What came of the records on their way through the chain.

    Attributes:
        first: the spool of the first pass, which has an account of every record.
        last: the spool of the last pass: the rows that are published.
        late: rejections of the passes between, with ``_row``, ascending.
        counts: what sources and stages counted.
        barriers: the spool that each corpus stage decided over, by the stage's name.
        n_read: records that the readers counted, apart from what the parts of the spool hold.
        refused: the units that only the guard's net caught, as ``run.json`` lists them.
    """

    first: Spool
    last: Spool
    merges: Merges
    late: pa.Table
    counts: Counter[str]
    barriers: Mapping[str, Spool]
    n_read: int
    refused: Sequence[Mapping[str, Any]] = ()


def run_chain(context: BuildContext, tasks: Sequence[Task]) -> ChainResult:
    """Take every record through the chain; what was finished before is found in the spool."""
    finished = _run_first_pass(context, tasks)
    parts = [part for task in finished for part in task.parts]
    first = Spool(parts)
    merges = Merges.none(first.n_rows)
    counts = _counts(parts)
    refused = [one for task, done in zip(tasks, finished, strict=False) for one in _refused(done.parts, task)]
    barriers: dict[str, Spool] = {}
    late: list[pa.Table] = []
    for number, (pass_, next_pass) in enumerate(pairwise(context.chain.passes), start=1):
        barriers |= dict.fromkeys((s.name for s in pass_.barrier), _spool(context, parts))
        parts = _run_later_pass(context, parts, pass_, next_pass, number=number, merges=merges)
        counts.update(_counts(parts))
        refused += _refused(parts)
        late += [part.table("rejected") for part in parts if part.n_rejected]
    rejected = pa.concat_tables([LATE_SCHEMA.empty_table(), *late]).sort_by(ROW)
    return ChainResult(
        first=first,
        last=Spool(parts),
        merges=merges,
        late=rejected,
        counts=counts,
        barriers=barriers,
        n_read=sum(task.n_records for task in finished),
        refused=refused,
    )


def _refused(parts: Sequence[Part], task: Task | None = None) -> list[dict[str, Any]]:
    """List the refused units of some parts; ``source`` and ``path`` are those of the task that was read."""
    place = {"source": task.source, "path": task.name} if task else {"source": None, "path": None}
    return [
        {**place, "stage": stage, "unit": unit, "reason": reason}
        for part in parts
        for stage, unit, reason in part.refused
    ]


def _spool(context: BuildContext, parts: Sequence[Part]) -> Spool:
    return Spool(parts, context.chain.resources.columns.text)


def _run_first_pass(context: BuildContext, tasks: Sequence[Task]) -> list[FinishedTask]:
    first_pass = FirstPass(
        sources={source.label: source for source in context.recipe.sources},
        pass_=context.chain.passes[0],
        resources=context.chain.resources,
        folder=str(context.folder / "0"),
        batch_rows=context.batch_rows,
        known=context.known,
    )
    numbered = list(enumerate(tasks))
    if context.limit is not None:
        return _run_limited_pass(context, first_pass, numbered, limit=context.limit)
    untrusted = context.chain.untrusted or any(source.untrusted for source in context.recipe.sources)
    results = context.engine.map(first_pass, numbered, untrusted=untrusted)
    return _gather(context, results, tasks)


def _run_limited_pass(
    context: BuildContext, first_pass: FirstPass, numbered: Sequence[tuple[int, Task]], *, limit: int
) -> list[FinishedTask]:
    """Read one task after the other until there are records enough."""
    finished: list[FinishedTask] = []
    n_read = 0
    for one in numbered:
        if n_read >= limit:
            break
        (found,) = context.engine.map(replace(first_pass, limit=limit - n_read), [one], untrusted=True)
        _refuse_changed(context, *one)
        finished.append(found)
        n_read += found.n_records
        context.advance("read", done=min(n_read, limit), total=limit, unit="records")
    return finished


def _gather(
    context: BuildContext, results: Iterable[FinishedTask], tasks: Sequence[Task]
) -> list[FinishedTask]:
    """Collect the results of the first pass in the order of the tasks."""
    finished: list[FinishedTask] = []
    done, total = 0, sum(task.size_bytes for task in tasks)
    context.advance("read", done=0, total=total, unit="bytes")
    for number, (task, found) in enumerate(zip(tasks, results, strict=True)):
        _refuse_changed(context, number, task)
        finished.append(found)
        done += task.size_bytes
        context.advance("read", done=done, total=total, unit="bytes")
    return finished


def _refuse_changed(context: BuildContext, number: int, task: Task) -> None:
    """Compare the files of a task that was read with what they were when they were hashed.

    Raises:
        SourceError: if one was changed meanwhile, because the manifest would list the hash of other bytes.
            What was read of it is removed from the spool.
    """
    for address, mark in _marks(context, task):
        if file_mark(address) != mark:
            shutil.rmtree(context.folder / "0" / f"{number:06d}", ignore_errors=True)
            what = "was changed while the build read it"
            advice = "wait until nothing writes to it any more, then run the same command again"
            raise SourceError(Fault(where=address, what=what, advice=advice))


def _marks(context: BuildContext, task: Task) -> Iterator[tuple[str, FileMark]]:
    """Yield the local files of a task with their marks; a dataset's task is a folder of files."""
    if task.files or task.path in context.marks:
        for address in [file[0] for file in task.files] or [task.path]:
            if address in context.marks:
                yield address, context.marks[address]
        return
    below = f"{task.path}/"
    yield from ((address, mark) for address, mark in context.marks.items() if address.startswith(below))


def _run_later_pass(
    context: BuildContext, parts: list[Part], pass_: Pass, next_pass: Pass, *, number: int, merges: Merges
) -> list[Part]:
    """Resolve the barrier that a pass ends on, and take what is left through the next pass."""
    folder = context.folder / str(number)
    spool = _spool(context, parts)
    context.advance("resolve", done=0, total=len(pass_.barrier), unit="stages")
    files = resolve_barrier(
        spool,
        pass_.barrier,
        engine=context.engine,
        folder=folder,
        merges=merges,
        past=context.past,
        tombstones=context.tombstones,
    )
    context.advance("resolve", done=len(pass_.barrier), total=len(pass_.barrier), unit="stages")
    numbers = None
    if number > 1:
        numbers = str(folder / "numbers.npy")
        np.save(numbers, row_numbers(spool))
    later_pass = LaterPass(
        barrier=pass_.barrier,
        verdicts=tuple(map(str, files)),
        tombstoned=str(folder / BARRED),
        numbers=numbers,
        pass_=next_pass,
        resources=context.chain.resources,
        folder=str(folder),
        refers=next_pass.only_publishes,
    )
    items = [(i, part, int(spool.first_rows[i])) for i, part in enumerate(parts)]
    untrusted = any(stage.untrusted for stage in next_pass.stages)
    settled: list[Part] = []
    for part in context.engine.map(later_pass, items, untrusted=untrusted):
        settled.append(part)
        context.advance("settle", done=len(settled), total=len(parts), unit="batches")
    return settled


def _counts(parts: Sequence[Part]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for part in parts:
        counts.update(part.counts)
    return counts
