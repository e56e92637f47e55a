"""Ask a function about each row of a batch: the rows that it refuses, and why."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from traceback import walk_tb
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from builder.domain.outcome import Outcome
from builder.domain.record import RECORD
from builder.domain.rejection import FILTERED, STAGE_ERROR, Rejection, rejected_rows, rejection_batch
from builder.registry import describe_error
from builder.stages.functions.row_view import LazyColumns, RowView

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from builder.protocols import Columns

_CODE = re.compile("[a-z][a-z0-9_]{0,62}")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a row leaves: a reason, or the error that the function raised."""

    reason: str
    error: str | None = None


def refused_rows(function: Callable[[RowView], Any], columns: LazyColumns, n_rows: int) -> dict[int, Refusal]:
    """Call a function for each row; return why rows leave, by row number in their order."""
    found: dict[int, Refusal] = {}
    for row in range(n_rows):
        try:
            answer = function(RowView(columns, row))
            if answer is True:
                continue
            reason = _reason_of(answer)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - code of the user can raise anything
            found[row] = Refusal(STAGE_ERROR, describe_error(error) + _place_of(error))
        else:
            if reason:
                found[row] = Refusal(reason)
    return found


def _place_of(error: BaseException) -> str:
    """Return the file and the line of the function's code that raised; empty if builder itself raised."""
    frames = list(walk_tb(error.__traceback__))[1:]
    file = frames[0][0].f_code.co_filename if frames else __file__
    if file == __file__:
        return ""
    line = [number for frame, number in frames if frame.f_code.co_filename == file][-1]
    return f" ({Path(file).name}, line {line})"


def _reason_of(answer: Any) -> str | None:
    """Return the reason that an answer is; None for an answer that keeps the row.

    Raises:
        TypeError: if the answer is neither a bool nor a text.
        ValueError: if the text is not a reason code.
    """
    if isinstance(answer, (bool, np.bool_)):
        return None if answer else FILTERED
    if not isinstance(answer, str):
        raise TypeError(f"the function returned {type(answer).__name__}, not a bool or a reason")
    if not _CODE.fullmatch(answer):
        raise ValueError(f"the function returned {answer[:100]!r}; a reason is lower_snake_case")
    return answer


def refuse_rows(
    stage: str, batch: pa.RecordBatch, refusals: Mapping[int, Refusal], columns: Columns
) -> Outcome:
    """Split a batch into the rows that continue and the refused rows."""
    if not refusals:
        return Outcome(kept=batch, rejected=rejection_batch([]))
    kept = np.ones(batch.num_rows, np.bool_)
    kept[list(refusals)] = False
    if any(one.error for one in refusals.values()):
        rejected = rejection_batch(
            _refusal_rejection(stage, batch, row, one, columns) for row, one in refusals.items()
        )
    else:
        reasons = {row: one.reason for row, one in refusals.items()}
        rejected = rejected_rows(batch, reasons, stage=stage, url=columns.url)
    return Outcome(kept=batch.filter(pa.array(kept)), rejected=rejected)


def _refusal_rejection(
    stage: str, batch: pa.RecordBatch, row: int, why: Refusal, columns: Columns
) -> Rejection:
    return Rejection(
        record=batch.column(RECORD)[row].as_py(),
        stage=stage,
        reason=why.reason,
        outcome="failed" if why.error else "rejected",
        url=batch.column(columns.url)[row].as_py() if columns.url in batch.schema.names else None,
        message=why.error,
    )
