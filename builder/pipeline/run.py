"""Run the chain: the first pass writes the first spool, and each barrier leads to the next spool."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from builder.errors import Fault, SourceError
from builder.io.streams.paths import file_mark
from builder.io.streams.replacing import save_array
from builder.pipeline.barriers import BARRED, Merges, resolve_barrier
from builder.pipeline.judgements import NotedFiles, judged_counts
from builder.pipeline.parts import TASK_DONE
from builder.pipeline.passes import LATE_SCHEMA, FirstPass, LaterPass, group_parts
from builder.pipeline.spool import ROW, Spool, row_numbers
from builder.stages.binding.placed import marks_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from builder.io.streams.paths import FileMark
    from builder.pipeline.chain import Pass
    from builder.pipeline.context import BuildContext
    from builder.pipeline.parts import FinishedTask, Part
    from builder.protocols import Task


@dataclass(frozen=True, kw_only=True)
class ChainResult:
    """The result of all passes and barriers.

    Attributes:
        first: the spool of the first pass, which has an account of every record.
        last: the spool of the last pass, which has the rows to publish.
        late: rejections of the later passes, in ascending order of ``_row``.
        counts: the counts of sources and stages.
        barriers: the spool that each corpus stage compared, by the stage's name.
        n_read: the number of records that the readers counted, independently of the parts in the spool.
        later_parts: the parts of all later passes.
        refused: the units that only the limits of the guard stopped, as ``run.json`` lists them.
    """

    first: Spool
    last: Spool
    merges: Merges
    late: pa.Table
    counts: Counter[str]
    barriers: Mapping[str, Spool]
    n_read: int
    later_parts: Sequence[Part] = ()
    refused: Sequence[Mapping[str, Any]] = ()


def run_chain(context: BuildContext, tasks: Sequence[Task]) -> ChainResult:
    """Run all tasks through the chain; finished parts in the spool are not repeated."""
    finished = _run_first_pass(context, tasks)
    parts = [part for task in finished for part in task.parts]
    first = Spool(parts)
    merges = Merges.none(first.n_rows)
    counts = _counts(parts)
    refused = [one for task, done in zip(tasks, finished, strict=False) for one in _refused(done.parts, task)]
    barriers: dict[str, Spool] = {}
    late: list[pa.Table] = []
    later: list[Part] = []
    for number, (pass_, next_pass) in enumerate(pairwise(context.chain.passes), start=1):
        barriers |= dict.fromkeys((s.name for s in pass_.barrier), _spool(context, parts))
        parts = _run_later_pass(context, parts, pass_, next_pass, number=number, merges=merges, first=first)
        counts.update(_counts(parts) + judged_counts(context.folder / str(number), pass_.barrier))
        later += parts
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
        later_parts=later,
        refused=refused,
    )


def _refused(parts: Sequence[Part], task: Task | None = None) -> list[dict[str, Any]]:
    """List the refused units of some parts, with source and path of the task if a task is given."""
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
        partitions=context.input_rules > 1,
        audit_texts=context.recipe.audit_texts,
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
    """Read one task after the other, up to the limit of records or up to each task's share of it."""
    if context.spreads_limit and context.engine.workers > 1:
        return _run_spread_pass(context, first_pass, numbered, limit=limit)
    finished: list[FinishedTask] = []
    n_read = 0
    for place, one in enumerate(numbered):
        if n_read >= limit:
            break
        n_tasks = len(numbered) - place if context.spreads_limit else 1
        share = -(-(limit - n_read) // n_tasks)
        rows = min(first_pass.batch_rows, share) if context.spreads_limit else first_pass.batch_rows
        limited = replace(first_pass, limit=share, batch_rows=rows)
        (found,) = context.engine.map(limited, [one], untrusted=True)
        _refuse_changed(context, *one)
        finished.append(found)
        n_read += found.n_records
        context.advance("read", done=min(n_read, limit), total=limit, unit="records")
    n_done = min(n_read, limit)
    context.advance("read", done=n_done, total=n_done, unit="records")
    return finished


def _run_spread_pass(
    context: BuildContext, first_pass: FirstPass, numbered: Sequence[tuple[int, Task]], *, limit: int
) -> list[FinishedTask]:
    """Read the same number of records of each task, in parallel.

    What short tasks leave of the limit goes to the others, in rounds. A round resumes from the parts of the
    round before. The last share is rounded up, so there may be as many more records as there are tasks.
    """
    share = -(-limit // max(1, len(numbered)))
    finished: dict[int, FinishedTask] = {}
    hungry = list(numbered)
    while hungry:
        limited = replace(first_pass, limit=share)
        for one, found in zip(hungry, context.engine.map(limited, hungry, untrusted=True), strict=True):
            _refuse_changed(context, *one)
            finished[one[0]] = found
            n_read = sum(task.n_records for task in finished.values())
            context.advance("read", done=min(n_read, limit), total=limit, unit="records")
        hungry = [one for one in hungry if finished[one[0]].n_records >= share]
        left = limit - sum(task.n_records for task in finished.values())
        if left <= 0:
            break
        share += -(-left // max(1, len(hungry)))
        for number, _ in hungry:
            (Path(first_pass.folder) / f"{number:06d}" / TASK_DONE).unlink()
    n_done = min(limit, sum(task.n_records for task in finished.values()))
    context.advance("read", done=n_done, total=n_done, unit="records")
    return [finished[number] for number, _ in numbered]


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
    """Check that no file of a finished task has changed since it was hashed.

    Raises:
        SourceError: if a file has changed, because the manifest would list the hash of other bytes. The parts
            of the task are removed from the spool.
    """
    for address, mark in _marks(context, task):
        if file_mark(address) != mark:
            shutil.rmtree(context.folder / "0" / f"{number:06d}", ignore_errors=True)
            what = "was changed while the build read it"
            advice = "wait until no program writes to it, then run the same command again"
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
    context: BuildContext,
    parts: list[Part],
    pass_: Pass,
    next_pass: Pass,
    *,
    number: int,
    merges: Merges,
    first: Spool,
) -> list[Part]:
    """Resolve the barrier at the end of a pass, and run the next pass over the remaining rows."""
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
        url_rules=context.chain.resources.url_rules,
        noted=NotedFiles(first.parts, _audits(context)),
    )
    context.advance("resolve", done=len(pass_.barrier), total=len(pass_.barrier), unit="stages")
    numbers = None
    if number > 1:
        numbers = str(folder / "numbers.npy")
        save_array(Path(numbers), row_numbers(spool))
    later_pass = LaterPass(
        barrier=pass_.barrier,
        verdicts=tuple(map(str, files)),
        tombstoned=str(folder / BARRED),
        numbers=numbers,
        pass_=next_pass,
        resources=context.chain.resources,
        folder=str(folder),
        refers=next_pass.only_publishes and not any(map(marks_rows, pass_.barrier)),
        audit_texts=context.recipe.audit_texts,
    )
    untrusted = any(stage.untrusted for stage in next_pass.stages)
    groups = group_parts(parts, spool.first_rows[:-1].tolist(), alone=untrusted)
    settled: list[Part] = []
    for some in context.engine.map(later_pass, groups, untrusted=untrusted):
        settled += some
        context.advance("settle", done=len(settled), total=len(parts), unit="batches")
    return settled


def _audits(context: BuildContext) -> list[Path]:
    """Return the audit folders of the versions that the build builds on; a fetched corpus has none."""
    if context.past is None:
        return []
    lineage = context.past.lineage
    folders = (lineage.corpus.audit_folder(one.version) for one in lineage.segments)
    return [one for one in folders if one.is_dir()]


def _counts(parts: Sequence[Part]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for part in parts:
        counts.update(part.counts)
    return counts
