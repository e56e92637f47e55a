"""Through the chain: tasks become the first spool, and each landing's verdicts the next one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from builder.pipeline.barriers import BARRED, Merges, resolve_landing
from builder.pipeline.passes import LATE_SCHEMA, Connection, Departure
from builder.pipeline.spool import ROW, Part, Spool, row_numbers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from builder.pipeline.chain import Flight
    from builder.pipeline.context import Work
    from builder.protocols import Task


@dataclass(frozen=True, kw_only=True)
class Passage:
    """What came of the records on their way through the chain.

    Attributes:
        first: the spool of the first flight, which has an account of every record.
        last: the spool of the last flight: the rows that are published.
        late: rejections of the flights between, with ``_row``, ascending.
        counts: what sources and stages counted.
        landings: the spool that each corpus stage decided over, by the stage's name.
    """

    first: Spool
    last: Spool
    merges: Merges
    late: pa.Table
    counts: Counter[str]
    landings: Mapping[str, Spool]


def take_through(work: Work, tasks: Sequence[Task]) -> Passage:
    """Take every record through the chain; what was finished before is found in the spool."""
    parts = _depart(work, tasks)
    first = Spool(parts)
    merges = Merges.none(first.n_rows)
    counts = _counts(parts)
    landings: dict[str, Spool] = {}
    late: list[pa.Table] = []
    for number, (flight, following) in enumerate(pairwise(work.chain.flights), start=1):
        landings |= dict.fromkeys((s.name for s in flight.landing), _spool(work, parts))
        parts = _connect(work, parts, flight, following, number=number, merges=merges)
        counts.update(_counts(parts))
        late += [part.table("rejected") for part in parts if part.n_rejected]
    rejected = pa.concat_tables([LATE_SCHEMA.empty_table(), *late]).sort_by(ROW)
    return Passage(
        first=first, last=Spool(parts), merges=merges, late=rejected, counts=counts, landings=landings
    )


def _spool(work: Work, parts: Sequence[Part]) -> Spool:
    return Spool(parts, work.chain.resources.columns.text)


def _depart(work: Work, tasks: Sequence[Task]) -> list[Part]:
    departure = Departure(
        sources={source.label: source for source in work.recipe.sources},
        flight=work.chain.flights[0],
        resources=work.chain.resources,
        folder=str(work.folder / "0"),
        batch_rows=work.batch_rows,
        known=work.known,
    )
    numbered = list(enumerate(tasks))
    if work.limit is not None:
        return _depart_limited(work, departure, numbered, limit=work.limit)
    untrusted = work.chain.untrusted or any(source.untrusted for source in work.recipe.sources)
    results = work.engine.map(departure, numbered, untrusted=untrusted)
    return _gather(work, results, phase="read", total=sum(task.size_bytes for task in tasks), tasks=tasks)


def _depart_limited(
    work: Work, departure: Departure, numbered: Sequence[tuple[int, Task]], *, limit: int
) -> list[Part]:
    """Read one task after the other until there are records enough."""
    parts: list[Part] = []
    for one in numbered:
        missing = limit - sum(part.n_records for part in parts)
        if missing <= 0:
            break
        (found,) = work.engine.map(replace(departure, limit=missing), [one], untrusted=True)
        parts += found
        work.advance("read", done=limit - missing, total=limit, unit="records")
    return parts


def _gather(work: Work, results, *, phase: str, total: int, tasks: Sequence[Task]) -> list[Part]:  # type: ignore[no-untyped-def]
    parts: list[Part] = []
    done = 0
    work.advance(phase, done=0, total=total, unit="bytes")
    for task, found in zip(tasks, results, strict=True):
        parts += found
        done += task.size_bytes
        work.advance(phase, done=done, total=total, unit="bytes")
    return parts


def _connect(
    work: Work, parts: list[Part], flight: Flight, following: Flight, *, number: int, merges: Merges
) -> list[Part]:
    """Resolve the landing that a flight ends on, and take what is left through the next flight."""
    folder = work.folder / str(number)
    spool = _spool(work, parts)
    work.advance("resolve", done=0, total=len(flight.landing), unit="stages")
    files = resolve_landing(
        spool,
        flight.landing,
        engine=work.engine,
        folder=folder,
        merges=merges,
        past=work.past,
        graves=work.graves,
    )
    work.advance("resolve", done=len(flight.landing), total=len(flight.landing), unit="stages")
    numbers = None
    if number > 1:
        numbers = str(folder / "numbers.npy")
        np.save(numbers, row_numbers(spool))
    connection = Connection(
        landing=flight.landing,
        verdicts=tuple(map(str, files)),
        barred=str(folder / BARRED),
        numbers=numbers,
        flight=following,
        resources=work.chain.resources,
        folder=str(folder),
        refers=following.only_publishes,
    )
    items = [(i, part, int(spool.first_rows[i])) for i, part in enumerate(parts)]
    untrusted = any(stage.untrusted for stage in following.stages)
    settled: list[Part] = []
    for part in work.engine.map(connection, items, untrusted=untrusted):
        settled.append(part)
        work.advance("settle", done=len(settled), total=len(parts), unit="batches")
    return settled


def _counts(parts: Sequence[Part]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for part in parts:
        counts.update(part.counts)
    return counts
