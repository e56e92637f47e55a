"""Draw horizontal bars as a table: each row has a name, its number, its share and a bar.

Names and numbers are text of the page and not of a drawing, so they keep their size on any screen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from builder.charts.figure import table
from builder.charts.legend import legend
from builder.charts.markup import Inner, element, foreign
from builder.charts.numbers import count_text, share_text
from builder.charts.sheet import SERIES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from builder.charts.markup import Element, Value

_WIDTH, _HEIGHT = 200, 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One row: its name, and its parts by outcome or ``plain``. ``note`` follows the name in small text."""

    name: str
    parts: Mapping[str, int]
    note: str = ""

    @property
    def total(self) -> int:
        """The sum of the parts."""
        return sum(self.parts.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class BarChart:
    """BarChart that share one scale.

    Attributes:
        names: what the rows are, such as ``domain``: header of the first column.
        whole: number that shares are of; the sum of all bars if None.
        rest: number that belongs to the rows that are left out.
        hide_title: only screen readers read the title, because a heading says the same.
        legend: whether outcomes have a legend.
    """

    title: str
    names: str
    bars: Sequence[Bar]
    counted: str = "records"
    whole: int | None = None
    rest: int = 0
    hide_title: bool = False
    legend: bool = True


def bar_table(chart: BarChart) -> Element:
    """Return the bars as a table, with a legend if they have outcomes."""
    shown = [name for name in SERIES if any(bar.parts.get(name) for bar in chart.bars)]
    whole = chart.whole if chart.whole is not None else sum(bar.total for bar in chart.bars) + chart.rest
    longest = max((bar.total for bar in chart.bars), default=0)
    rows: list[list[Inner]] = [
        [_named(bar), count_text(bar.total), share_text(bar.total, whole), strip(bar.parts, longest)]
        for bar in chart.bars
    ]
    if chart.rest:
        rows.append(["all others", count_text(chart.rest), share_text(chart.rest, whole), ""])
    header: list[Inner] = [chart.names, chart.counted, "share", element("span", {"class": "hidden"}, "bar")]
    return element(
        "div",
        {"class": "bars"},
        legend(shown) if chart.legend and set(shown) - {"plain"} else None,
        table(chart.title, header, rows, numbers=(1, 2), hide_caption=chart.hide_title),
    )


def strip(parts: Mapping[str, int], longest: int) -> Element:
    """Return one bar whose parts are drawn to the scale of ``longest``; the numbers are next to it."""
    shapes = []
    x = 0.0
    for name in SERIES:
        if n := parts.get(name, 0):
            width = max(_WIDTH * n / max(longest, 1), 0.8)
            box: dict[str, Value] = {"class": f"f-{name}", "x": x, "width": width, "height": _HEIGHT}
            shapes.append(element("rect", box, element("title", None, f"{count_text(n)} {name}")))
            x += width
    frame = {"class": "strip", "viewBox": f"0 0 {_WIDTH} {_HEIGHT}", "preserveAspectRatio": "none"}
    return element("svg", frame | {"aria-hidden": "true"}, *shapes)


def _named(bar: Bar) -> Element:
    note = element("small", None, " ", foreign(bar.note)) if bar.note else None
    return element("span", None, foreign(bar.name), note)
