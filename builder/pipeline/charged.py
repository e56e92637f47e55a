"""Charge the memory and the crashes of readers and stages to units, so that they become rows of the ledger.

Readers and stages enter units of their own where strangers' bytes are most dangerous. What happens outside of
those is charged here: to the rest of a task while its reader works, and to a batch while the stages work. A
batch that is refused is divided until the rows to blame are alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from builder.domain.record import RECORD, RECORD_FIELD, record_id
from builder.domain.rejection import Rejection, rejection_batch
from builder.pipeline.stage_errors import read_blamed
from builder.protocols import Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from builder.protocols import Guard, RefusedUnit, Source, Task

    Outcome = tuple[pa.RecordBatch, list[pa.RecordBatch]]

LIMIT_S = 24 * 3600.0
"""Seconds for these units: no limit in effect, because a remote file may be slow."""

_REST = "rest"
_ROWS = "rows"


def read_charged(source: Source, task: Task, *, guard: Guard, batch_rows: int) -> Iterator[Reading]:
    """Read a task. If the reader is refused, what was not read becomes failed records.

    These are one record for each file that was not begun in a task of several files, else one for the rest.
    """
    readings = read_blamed(source, task, guard=guard, batch_rows=batch_rows)
    place = _Place(source, task)
    while True:
        reason = guard.enter(f"{source.kind}:{_REST}", place.n_records, limit_s=LIMIT_S)
        if reason is not None:
            yield place.fail_rest(reason)
            return
        try:
            reading = next(readings, None)
        finally:
            guard.leave()
        if reading is None:
            return
        place.move(reading)
        yield reading


def apply_charged(
    batch: pa.RecordBatch, apply: Callable[[pa.RecordBatch], Outcome], *, kind: str, guard: Guard
) -> Outcome:
    """Apply stages to a batch; return the rows that remain, and the rejections.

    Args:
        kind: the kind of the source, which is the stage of rows that are refused here.
    """
    kept: list[pa.RecordBatch] = []
    rejected: list[pa.RecordBatch] = []
    _apply(batch, apply, kept, rejected, kind=kind, guard=guard)
    return pa.concat_batches(kept) if kept else apply(batch.slice(0, 0))[0], rejected


def _apply(
    batch: pa.RecordBatch,
    apply: Callable[[pa.RecordBatch], Outcome],
    kept: list[pa.RecordBatch],
    rejected: list[pa.RecordBatch],
    *,
    kind: str,
    guard: Guard,
) -> None:
    """Add the results of a batch, or of its halves if it is refused, to ``kept`` and ``rejected``."""
    n_rows = batch.num_rows
    reason = None
    if n_rows:
        record = batch.column(RECORD)[0].as_py()
        stage = f"{kind}:{_ROWS}" if n_rows == 1 else f"{kind}:{n_rows} {_ROWS}"
        reason = guard.enter(stage, record["ordinal"], limit_s=LIMIT_S)
    if reason is None:
        try:
            rows, gone = apply(batch)
        finally:
            guard.leave()
        kept.append(rows)
        rejected += gone
    elif n_rows == 1:
        rejected.append(rejection_batch([_refusal(record, kind, reason)]))
    else:
        for half in (batch.slice(0, n_rows // 2), batch.slice(n_rows // 2)):
            _apply(half, apply, kept, rejected, kind=kind, guard=guard)


def is_final(unit: RefusedUnit) -> bool:
    """Return whether a refused unit is a row or the rest of a task, and not a batch that was divided."""
    return not unit.stage.endswith(f" {_ROWS}")


class _Place:
    """Where the reader of a task is."""

    def __init__(self, source: Source, task: Task) -> None:
        self._source, self._task = source, task
        self._path, self._offset = "", task.start
        self.n_records = 0

    def move(self, reading: Reading) -> None:
        self.n_records += reading.n_records
        for batch in (reading.batch, reading.rejected):
            if batch.num_rows:
                last = batch.column(RECORD)[batch.num_rows - 1].as_py()
                if last["ordinal"] == self.n_records - 1:
                    self._path, self._offset = last["path"], last["offset"]

    def fail_rest(self, reason: str) -> Reading:
        source, kind = self._source.label, self._source.kind
        names = [name for _, name, _ in self._task.files]
        read = [n for n, name in enumerate(names) if f"{self._path}!/".startswith(f"{name}!/")]
        after = read[-1] + 1 if read else 0
        records = [
            {"id": record_id(source, name, 0), "path": name, "offset": 0} for name in names[after:]
        ] or [self._rest()]
        failures = [
            _refusal({**record, "source": source, "ordinal": self.n_records + n}, kind, reason)
            for n, record in enumerate(records)
        ]
        nothing = pa.RecordBatch.from_pylist([], schema=pa.schema([RECORD_FIELD]))
        return Reading(batch=nothing, rejected=rejection_batch(failures), n_records=len(failures))

    def _rest(self) -> dict[str, Any]:
        """Return the place after the last record; the plus sign makes its id one that no record has."""
        path = self._path or self._task.name
        place = record_id(self._source.label, path, self._offset)
        return {"id": f"{place}+", "path": path, "offset": self._offset}


def _refusal(record: dict[str, Any], kind: str, reason: str) -> Rejection:
    message = "processing it crashed a worker process, or took more memory than a worker may use"
    return Rejection(record=record, stage=kind, reason=reason, outcome="failed", message=message)
