"""Draw the funnel: how many records reach each stage, and how many leave there, by outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from builder.charts.bars import strip
from builder.charts.figure import table
from builder.charts.legend import legend
from builder.charts.markup import Inner, element, foreign
from builder.charts.numbers import count_text, share_text
from builder.charts.sheet import OUTCOME_COLOURS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from builder.charts.markup import Element


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelStep:
    """One stage: how many records came, and how many left there by outcome (``rejected`` and so on)."""

    stage: str
    came: int
    left: Mapping[str, int]

    @property
    def went_on(self) -> int:
        """Records that the next stage receives."""
        return self.came - sum(self.left.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """The steps in the order of the chain; what goes on after the last step is kept."""

    title: str
    steps: Sequence[FunnelStep]
    counted: str = "records"


def funnel_table(chart: Funnel) -> Element:
    """Return the funnel as a table with a bar for each stage, all to the scale of the first stage."""
    first = chart.steps[0].came if chart.steps else 0
    rows: list[list[Inner]] = []
    for step in chart.steps:
        left = sum(step.left.values())
        parts = {"kept": step.went_on, **step.left}
        lost = f"−{count_text(left)}" if left else "0"
        rows.append(
            [
                foreign(step.stage),
                count_text(step.came),
                lost,
                share_text(left, step.came),
                strip(parts, first),
            ]
        )
    if chart.steps:
        kept = chart.steps[-1].went_on
        rows.append(
            [
                element("strong", None, "kept"),
                element("strong", None, count_text(kept)),
                "",
                element("strong", None, share_text(kept, first)),
                strip({"kept": kept}, first),
            ]
        )
    shown = {name for step in chart.steps for name, n in step.left.items() if n} | {"kept"}
    header: list[Inner] = ["stage", "came in", "left", "share", element("span", {"class": "hidden"}, "bar")]
    return element(
        "div",
        {"class": "bars funnel"},
        legend([name for name in OUTCOME_COLOURS if name in shown]),
        table(chart.title, header, rows, numbers=(1, 2, 3)),
    )
