"""Apply a stage such that its errors do not end the build: a row on which it raises becomes a failed row."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import redirect_stdout
from typing import TYPE_CHECKING

import pyarrow as pa

from builder.domain.outcome import Outcome
from builder.domain.record import RECORD
from builder.domain.rejection import STAGE_ERROR, Rejection, rejection_batch
from builder.errors import AccountError, BuilderError, Fault
from builder.registry import blame, describe_part, is_own
from builder.stages.binding.placed import inner_stage, stage_kind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from builder.protocols import CorpusStage, Guard, Reading, Resources, Source, Stage, Task

_MESSAGE_CHARS = 500


def apply_stage(stage: Stage, batch: pa.RecordBatch, *, resources: Resources, guard: Guard) -> Outcome:
    """Apply a stage; if a stage of another package raises, find the rows on which it raises.

    An error in the code of builder is a bug, and passes unchanged.

    Raises:
        AccountError: if the stage loses or invents a row.
        BuilderError: if a stage of another package does not return an outcome.
    """
    if is_own(type(inner_stage(stage))):
        outcome = _apply(stage, batch, resources=resources, guard=guard)
        _check(stage, batch, outcome)
        return outcome
    try:
        outcome = _apply(stage, batch, resources=resources, guard=guard)
    except (BuilderError, MemoryError):
        raise
    except Exception as error:
        guard.leave()
        if batch.num_rows == 1:
            return _failed_row(stage, batch, error, resources=resources, guard=guard)
        if not batch.num_rows:
            raise BuilderError(_fault(stage, f"raised {_text(error)} on a batch without rows")) from error
        return _apply_halves(stage, batch, resources=resources, guard=guard)
    _check(stage, batch, outcome)
    return outcome


def blame_stage(stage: Stage | CorpusStage) -> AbstractContextManager[None]:
    """Turn what a stage of another package raises into an error with its name and its package."""
    return blame(stage_kind(stage), kind="stage", code=type(inner_stage(stage)))


def read_blamed(source: Source, task: Task, *, guard: Guard, batch_rows: int) -> Iterator[Reading]:
    """Read a task; what a source of another package raises is an error with its name and its package."""
    with blame(source.kind, kind="source", code=type(source)):
        yield from source.read(task, guard=guard, batch_rows=batch_rows)


def _apply(stage: Stage, batch: pa.RecordBatch, *, resources: Resources, guard: Guard) -> Outcome:
    """Apply a stage; what its code prints goes to stderr, because stdout is for results."""
    with redirect_stdout(sys.stderr):
        return stage.apply(batch, resources=resources, guard=guard)


def _apply_halves(stage: Stage, batch: pa.RecordBatch, *, resources: Resources, guard: Guard) -> Outcome:
    middle = batch.num_rows // 2
    halves = [
        apply_stage(stage, part, resources=resources, guard=guard)
        for part in (batch.slice(0, middle), batch.slice(middle))
    ]
    counts: Counter[str] = Counter()
    for half in halves:
        counts.update(half.counts)
    return Outcome(
        kept=pa.concat_batches([half.kept for half in halves]),
        rejected=pa.concat_batches([half.rejected for half in halves]),
        counts=counts,
        removed=_joined([half.removed for half in halves if half.removed is not None]),
        measured=_joined([half.measured for half in halves if half.measured is not None]),
    )


def _joined(batches: list[pa.RecordBatch]) -> pa.RecordBatch | None:
    return pa.concat_batches(batches) if batches else None


def _failed_row(
    stage: Stage, batch: pa.RecordBatch, error: Exception, *, resources: Resources, guard: Guard
) -> Outcome:
    """Return the outcome of one row on which the stage raises; it has the columns that other rows have."""
    url = resources.columns.url
    rejection = Rejection(
        record=batch.column(RECORD)[0].as_py(),
        stage=stage.name,
        reason=STAGE_ERROR,
        outcome="failed",
        url=batch.column(url)[0].as_py() if url in batch.schema.names else None,
        message=_text(error),
    )
    try:
        kept = stage.apply(batch.slice(0, 0), resources=resources, guard=guard).kept
    except Exception as on_empty:
        what = f"raised {_text(on_empty)} on a batch without rows"
        raise BuilderError(_fault(stage, what)) from on_empty
    return Outcome(kept=kept, rejected=rejection_batch([rejection]))


def _check(stage: Stage, batch: pa.RecordBatch, outcome: Outcome) -> None:
    """Check that each row is in exactly one of the two batches of an outcome.

    Raises:
        AccountError: if the numbers of rows do not add up.
        BuilderError: if a stage of another package returned something else.
    """
    if not isinstance(outcome, Outcome):
        raise BuilderError(_fault(stage, f"returned {type(outcome).__name__}, not an Outcome"))
    if outcome.kept.num_rows + outcome.rejected.num_rows != batch.num_rows:
        raise AccountError(
            f"{_described(stage)}: {batch.num_rows} rows in, {outcome.kept.num_rows} kept, "
            f"{outcome.rejected.num_rows} rejected"
        )


def _fault(stage: Stage, what: str) -> Fault:
    advice = "fix or update the package, or remove the stage from the recipe"
    return Fault(where=stage.name, what=f"{_described(stage)} {what}", advice=advice)


def _described(stage: Stage) -> str:
    own = is_own(type(inner_stage(stage)))
    return stage.name if own else describe_part(stage_kind(stage), kind="stage")


def _text(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:_MESSAGE_CHARS]
