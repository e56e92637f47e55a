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


ALL_SOURCES = "the sources"
"""The first step if there is more than one kind of source; the kind of the source otherwise."""


def funnel(
    records: int, stages: Sequence[str], counts: Sequence[Count], *, sources: Sequence[str] = ()
) -> list[Step]:
    """Return one step for each stage, with the number of records that left the build there.

    All sources are one step, because each record comes from one of them. A stage of ``counts`` that is not
    in ``stages`` comes last: a takedown, or a stage of an older recipe. ``went_on`` of the last step is the
    number of records that are kept.

    Args:
        stages: names in the order of the chain; stages that no record left are included.
        sources: the names that are sources.
    """
    unknown = sorted({count.stage for count in counts} - {*stages, *sources})
    later = [stage for stage in dict.fromkeys(stages) if stage not in sources]
    first = [(sources[0] if len(sources) == 1 else ALL_SOURCES, tuple(sources))] if sources else []
    steps = []
    came = records
    for stage, names in [*first, *((name, (name,)) for name in [*later, *unknown])]:
        here = sorted(
            (count for count in counts if count.stage in names and count.records),
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
