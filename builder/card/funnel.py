"""Count how many records reached each stage and with which outcome they left it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from builder.card.facts import Count


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One stage of the funnel; ``came`` = ``went_on`` + ``rejected`` + ``merged`` + ``failed``."""

    stage: str
    came: int
    rejected: int
    merged: int
    failed: int
    reasons: tuple[Count, ...]

    @property
    def went_on(self) -> int:
        """Records that the next stage receives."""
        return self.came - self.rejected - self.merged - self.failed


def funnel(records: int, stages: Sequence[str], counts: Sequence[Count]) -> list[Step]:
    """Return one step for each stage, with the number of records that left the build there.

    A stage of ``counts`` that is not in ``stages`` comes first, where the sources are. ``went_on`` of the
    last step is the number of records that the build kept.

    Args:
        stages: names in the order of the chain; stages that no record left are included.
    """
    unknown = sorted({count.stage for count in counts} - set(stages))
    steps = []
    came = records
    for stage in [*unknown, *dict.fromkeys(stages)]:
        here = sorted(
            (count for count in counts if count.stage == stage and count.records),
            key=lambda count: (-count.records, count.reason, count.outcome),
        )
        by_outcome = {
            outcome: sum(count.records for count in here if count.outcome == outcome)
            for outcome in ("rejected", "merged", "failed")
        }
        step = Step(stage=stage, came=came, reasons=tuple(here), **by_outcome)
        steps.append(step)
        came = step.went_on
    return steps
