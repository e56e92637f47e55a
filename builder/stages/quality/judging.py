"""Judge a batch by the conditions of a filter: who is rejected, for what, and with which values."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from builder.domain.record import RECORD
from builder.domain.rejection import Rejection
from builder.stages.quality.rules import value_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from builder.stages.quality.rules import Alternatives, Condition

NONE = -1
"""In ``first``: no condition fires."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The verdicts on a batch.

    Attributes:
        values: what was measured, by signal and column.
        fired: bool[n_conditions, n_rows], whether a document does not meet a condition.
        first: int64[n_rows], the first condition that fires, or ``NONE`` if the document stays.
    """

    conditions: Sequence[Condition | Alternatives]
    values: Mapping[str, pa.Array]
    fired: NDArray[np.bool_]
    first: NDArray[np.int64]

    def counts(self) -> Counter[str]:
        """Return how many documents each condition rejects first, and how many it would reject alone."""
        found: Counter[str] = Counter()
        for number, condition in enumerate(self.conditions):
            found[f"first.{condition.code}"] += int((self.first == number).sum())
            found[f"alone.{condition.code}"] += int(self.fired[number].sum())
        return found

    def codes(self) -> pa.Array:
        """Return the reason code of each document; null without one."""
        codes = [None if one == NONE else self.conditions[one].code for one in self.first.tolist()]
        return pa.array(codes, pa.string())

    def rejections(self, batch: pa.RecordBatch, *, stage: str, url: str | None) -> Iterator[Rejection]:
        """Yield a rejection for each document that a condition rejects, in order."""
        urls = batch.column(url) if url in batch.schema.names else None
        for row in np.flatnonzero(self.first != NONE).tolist():
            condition = self.conditions[self.first[row]]
            yield Rejection(
                record=batch.column(RECORD)[row].as_py(),
                stage=stage,
                reason=condition.code,
                url=None if urls is None else urls[row].as_py(),
                value=condition.value(self.values, row),
                limit=condition.limit_text(),
                message=self._message(row),
            )

    def _message(self, row: int) -> str:
        """Return the other conditions that fire, with value and limit, and all values that rules read."""
        others = [
            f"{one.code} ({one.value(self.values, row)}, {one.limit_text()})"
            for number, one in enumerate(self.conditions)
            if self.fired[number, row] and number != self.first[row]
        ]
        values = ", ".join(f"{name} {value_text(one[row].as_py())}" for name, one in self.values.items())
        return (f"also {', '.join(others)}; " if others else "") + values


def judge_batch(
    conditions: Sequence[Condition | Alternatives],
    values: Mapping[str, pa.Array],
    n_rows: int,
    *,
    min_fired: int = 1,
) -> Judgement:
    """Judge documents by their values; one goes if the conditions that fire weigh at least ``min_fired``."""
    fired = np.zeros((len(conditions), n_rows), np.bool_)
    for number, condition in enumerate(conditions):
        fired[number] = condition.fires(values)
    weights = np.array([one.weight for one in conditions], np.int64)
    some = weights @ fired >= min_fired
    first = np.where(some, np.argmax(fired, axis=0), NONE) if len(conditions) else np.full(n_rows, NONE)
    return Judgement(conditions=conditions, values=values, fired=fired, first=first)
