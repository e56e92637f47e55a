"""Through the chain: tasks become the first spool, and each barrier's verdicts the next one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from builder.pipeline.barriers import BARRED, Merges, resolve_barrier
from builder.pipeline.passes import LATE_SCHEMA, FirstPass, LaterPass
from builder.pipeline.spool import ROW, Part, Spool, row_numbers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from builder.pipeline.chain import Pass
    from builder.pipeline.context import BuildContext
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
    """

    first: Spool
    last: Spool
    merges: Merges
    late: pa.Table
    counts: Counter[str]
    barriers: Mapping[str, Spool]


def run_chain(context: BuildContext, tasks: Sequence[Task]) -> ChainResult:
    """Take every record through the chain; what was finished before is found in the spool."""
    parts = _run_first_pass(context, tasks)
    first = Spool(parts)
    merges = Merges.none(first.n_rows)
    counts = _counts(parts)
    barriers: dict[str, Spool] = {}
    late: list[pa.Table] = []
    for number, (pass_, next_pass) in enumerate(pairwise(context.chain.passes), start=1):
        barriers |= dict.fromkeys((s.name for s in pass_.barrier), _spool(context, parts))
        parts = _run_later_pass(context, parts, pass_, next_pass, number=number, merges=merges)
        counts.update(_counts(parts))
        late += [part.table("rejected") for part in parts if part.n_rejected]
    rejected = pa.concat_tables([LATE_SCHEMA.empty_table(), *late]).sort_by(ROW)
    return ChainResult(
        first=first, last=Spool(parts), merges=merges, late=rejected, counts=counts, barriers=barriers
    )


def _spool(context: BuildContext, parts: Sequence[Part]) -> Spool:
    return Spool(parts, context.chain.resources.columns.text)


def _run_first_pass(context: BuildContext, tasks: Sequence[Task]) -> list[Part]:
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
    return _gather(context, results, phase="read", total=sum(task.size_bytes for task in tasks), tasks=tasks)


def _run_limited_pass(
    context: BuildContext, first_pass: FirstPass, numbered: Sequence[tuple[int, Task]], *, limit: int
) -> list[Part]:
    """Read one task after the other until there are records enough."""
    parts: list[Part] = []
    for one in numbered:
        missing = limit - sum(part.n_records for part in parts)
        if missing <= 0:
            break
        (found,) = context.engine.map(replace(first_pass, limit=missing), [one], untrusted=True)
        parts += found
        context.advance("read", done=limit - missing, total=limit, unit="records")
    return parts


def _gather(context: BuildContext, results, *, phase: str, total: int, tasks: Sequence[Task]) -> list[Part]:  # type: ignore[no-untyped-def]
    parts: list[Part] = []
    done = 0
    context.advance(phase, done=0, total=total, unit="bytes")
    for task, found in zip(tasks, results, strict=True):
        parts += found
        done += task.size_bytes
        context.advance(phase, done=done, total=total, unit="bytes")
    return parts


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
