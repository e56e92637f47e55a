"""``filter``: reject documents by a function of your own."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa

from builder.domain.outcome import Outcome
from builder.domain.record import RECORD
from builder.domain.rejection import CODE_REASONS, FILTERED, STAGE_ERROR, Rejection, rejection_batch
from builder.errors import Fault, RecipeError
from builder.registry import option
from builder.stages.functions.called import CalledFunction, describe_error
from builder.stages.functions.row_view import LazyColumns, RowView

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from builder.protocols import Columns, Guard, Resources

_CODE = re.compile("[a-z][a-z0-9_]{0,62}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Reject documents by a function of your own.

    In a recipe: `- filter: {call: ./keep.py:keep}`. [Your own stage](../your-own-stage.md) has an example.

    The function takes a row and returns True to keep it. It returns False, or a reason code in
    lower_snake_case, to reject it. `row["title"]` is the value of a column, `row.text` and `row.url` are the
    columns with these roles, and `row.source` is the name of the source. If the function raises, the row is
    `failed` and the build continues.

    A recipe with `call` runs code, so `builder check` and `builder build` need `--allow-code`. The manifest
    has a hash of that code. If it changes, the next build is a full rebuild and says so. The hash covers a
    file alone, or all Python files of a package. `version` is for what it does not cover.
    """

    name: ClassVar[str] = "filter"
    untrusted: ClassVar[bool] = False
    rules: ClassVar[int] = 1
    needs: ClassVar[Sequence[str]] = ()
    reasons: ClassVar[Mapping[str, str]] = CODE_REASONS

    call: str | None = option(
        None,
        help="The function: `package.module:function`, or `./file.py:function` next to the recipe.",
    )
    version: str | None = option(
        None,
        help="Version of the function. Change it if code that the function imports has changed.",
    )
    called: CalledFunction | None = field(default=None, repr=False)

    def with_function(self, called: CalledFunction) -> Filter:
        """Return the stage with the function that ``call`` names; the recipe finds it."""
        return replace(self, called=called)

    def bind(self, schema: pa.Schema, resources: Resources) -> pa.Schema:  # noqa: ARG002 - a stage
        """Import the function; return the schema unchanged.

        Raises:
            RecipeError: if there is nothing to filter by, or the function cannot be imported.
        """
        if self.called is None:
            advice = "name a function, as in call: ./keep.py:keep"
            raise RecipeError(
                Fault(where=self.name, what="the stage has nothing to filter by", advice=advice)
            )
        self.called.load()
        return schema

    def apply(self, batch: pa.RecordBatch, *, resources: Resources, guard: Guard) -> Outcome:  # noqa: ARG002
        """Split a batch by what the function returns."""
        if self.called is None:
            raise RecipeError(Fault(where=self.name, what="the stage is not bound"))
        function = self.called.load()
        found = _refused_rows(function, LazyColumns(batch, resources.columns), batch.num_rows)
        if not found:
            return Outcome(kept=batch, rejected=rejection_batch([]))
        kept = np.ones(batch.num_rows, np.bool_)
        kept[list(found)] = False
        rejected = rejection_batch(
            _rejection(self.name, batch, row, one, resources.columns) for row, one in found.items()
        )
        return Outcome(kept=batch.filter(pa.array(kept)), rejected=rejected)


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Why a row leaves: a reason, or the error that the function raised."""

    reason: str
    error: str | None = None


def _refused_rows(
    function: Callable[[RowView], Any], columns: LazyColumns, n_rows: int
) -> dict[int, _Refusal]:
    """Call a function for each row; return why rows leave, by row number in their order."""
    found: dict[int, _Refusal] = {}
    for row in range(n_rows):
        try:
            answer = function(RowView(columns, row))
            if answer is True:
                continue
            reason = _reason_of(answer)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - code of the user can raise anything
            found[row] = _Refusal(STAGE_ERROR, describe_error(error))
        else:
            if reason:
                found[row] = _Refusal(reason)
    return found


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


def _rejection(stage: str, batch: pa.RecordBatch, row: int, why: _Refusal, columns: Columns) -> Rejection:
    return Rejection(
        record=batch.column(RECORD)[row].as_py(),
        stage=stage,
        reason=why.reason,
        outcome="failed" if why.error else "rejected",
        url=batch.column(columns.url)[row].as_py() if columns.url in batch.schema.names else None,
        message=why.error,
    )
