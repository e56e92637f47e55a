"""Draw a histogram: stacked bars by outcome over bins, with the thresholds as lines."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from builder.charts.figure import drawing, figure, numbers_of
from builder.charts.legend import legend
from builder.charts.markup import element
from builder.charts.numbers import axis_marks, count_text, log_marks, share_text, short_number
from builder.charts.sheet import CHART_HEIGHT, CHART_WIDTH, SERIES, TEXT_SIZE
from builder.domain.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from builder.charts.markup import Element, Value

_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 8, 42, 38
_LIMIT_ROWS = (24, 36)
"""Base lines of the labels of limits, below the label of the vertical axis."""
_PLOT_WIDTH = CHART_WIDTH - _LEFT - _RIGHT
_PLOT_HEIGHT = CHART_HEIGHT - _TOP - _BOTTOM


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A limit that is drawn into a histogram; ``label`` says what it does, such as ``at most 0.3``."""

    value: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """How often a value occurs.

    Attributes:
        key: begins ids in the page; unique in it.
        unit: label of the horizontal axis, with its unit: ``similarity (Jaccard, 0 to 1)``.
        counted: what is counted: label of the vertical axis.
        edges: float[n_bins + 1], rising. A bin has its lower edge, and the last bin both.
        series: int[n_bins] by outcome, or by ``plain``.
        log: space the edges by their logarithm; all edges are then above 0.
        bin_names: names of the bins in the table, in place of their edges.
    """

    key: str
    title: str
    unit: str
    edges: Sequence[float]
    series: Mapping[str, Sequence[int]]
    counted: str = "records"
    thresholds: Sequence[Threshold] = ()
    log: bool = False
    bin_names: Sequence[str] = ()
    note: str = ""

    @property
    def totals(self) -> list[int]:
        """The height of each bar."""
        return [sum(counts[i] for counts in self.series.values()) for i in range(len(self.edges) - 1)]


def histogram(chart: Histogram) -> Element:
    """Return the histogram as a figure with its legend and its numbers.

    Title, unit and labels may be names of strangers: a drawing cannot isolate their direction, so characters
    without a glyph are visible escapes.
    """
    limits = [replace(one, label=visible(one.label)) for one in chart.thresholds]
    chart = replace(chart, title=visible(chart.title), unit=visible(chart.unit), thresholds=limits)
    shown = [name for name in SERIES if name in chart.series]
    picture = drawing(
        chart.key,
        *_axes(chart),
        *_bars(chart, shown),
        *_threshold_lines(chart),
        title=chart.title,
        description=_description(chart),
    )
    header = [chart.unit, *(chart.counted if name == "plain" else name for name in shown)]
    rows = [
        [_bin_name(chart, i), *(count_text(chart.series[name][i]) for name in shown)]
        for i, total in enumerate(chart.totals)
        if total
    ]
    return figure(
        chart.title,
        legend(shown) if shown != ["plain"] else None,
        picture,
        numbers_of(chart.title, header, rows),
        note=chart.note or None,
    )


# -- drawing ---------------------------------------------------------------------------------------


def _place(chart: Histogram, value: float) -> float:
    """Return the horizontal place of a value, within the plot."""
    low, high = chart.edges[0], chart.edges[-1]
    if chart.log:
        low, high, value = math.log(low), math.log(high), math.log(max(value, 1e-300))
    part = (value - low) / (high - low) if high > low else 0.0
    return _LEFT + _PLOT_WIDTH * min(1.0, max(0.0, part))


def _height(chart: Histogram, n: int) -> float:
    return _PLOT_HEIGHT * n / max(*chart.totals, 1)


def _bars(chart: Histogram, shown: Sequence[str]) -> Iterator[Element]:
    for i, total in enumerate(chart.totals):
        if not total:
            continue
        left, right = _place(chart, chart.edges[i]), _place(chart, chart.edges[i + 1])
        gap = 0.5 if right - left > 3 else 0.0
        bottom = float(_TOP + _PLOT_HEIGHT)
        shapes = []
        for name in shown:
            if n := chart.series[name][i]:
                height = max(_height(chart, n), 0.75)
                box: dict[str, Value] = {"class": f"f-{name}", "x": left + gap, "y": bottom - height}
                box |= {"width": max(right - left - 2 * gap, 0.5), "height": height}
                shapes.append(element("rect", box))
                bottom -= height
        parts = ", ".join(
            f"{count_text(chart.series[name][i])} {chart.counted if name == 'plain' else name}"
            for name in shown
            if chart.series[name][i]
        )
        yield element("g", None, element("title", None, f"{_bin_name(chart, i)}: {parts}"), *shapes)


def _axes(chart: Histogram) -> Iterator[Element]:
    bottom = _TOP + _PLOT_HEIGHT
    top = max(*chart.totals, 1)
    for mark in axis_marks(0, top):
        if mark != int(mark):
            continue
        y = bottom - _height(chart, int(mark))
        yield element(
            "line", {"class": "grid-line", "x1": _LEFT, "x2": CHART_WIDTH - _RIGHT, "y1": y, "y2": y}
        )
        yield element("text", {"x": _LEFT - 5, "y": y + 4, "text-anchor": "end"}, short_number(mark))
    low, high = chart.edges[0], chart.edges[-1]
    for mark in log_marks(low, high) if chart.log else axis_marks(low, high, n=5):
        x = _place(chart, mark)
        anchor = "end" if x > CHART_WIDTH - 20 else "middle"
        yield element("line", {"class": "axis", "x1": x, "x2": x, "y1": bottom, "y2": bottom + 4})
        at: dict[str, Value] = {"x": min(x, CHART_WIDTH - 2.0), "y": bottom + 15, "text-anchor": anchor}
        yield element("text", at, short_number(mark))
    yield element(
        "line", {"class": "axis", "x1": _LEFT, "x2": CHART_WIDTH - _RIGHT, "y1": bottom, "y2": bottom}
    )
    middle = _LEFT + _PLOT_WIDTH / 2
    yield element(
        "text", {"class": "unit", "x": middle, "y": bottom + 31, "text-anchor": "middle"}, chart.unit
    )
    yield element("text", {"class": "unit", "x": 2, "y": TEXT_SIZE}, chart.counted)


def _threshold_lines(chart: Histogram) -> Iterator[Element]:
    """Draw the limits; a limit outside of the axis is at its end, and its label says the value."""
    for i, limit in enumerate(sorted(chart.thresholds, key=lambda one: one.value)):
        x = _place(chart, limit.value)
        y = _LIMIT_ROWS[i % 2]
        on_the_right = x < _LEFT + _PLOT_WIDTH * 0.6
        at: dict[str, Value] = {
            "x": x + 4 if on_the_right else x - 4,
            "y": y,
            "text-anchor": None if on_the_right else "end",
        }
        yield element(
            "line", {"class": "limit", "x1": x, "x2": x, "y1": y - TEXT_SIZE + 2, "y2": _TOP + _PLOT_HEIGHT}
        )
        yield element("text", {"class": "limit", **at}, limit.label)


# -- words -----------------------------------------------------------------------------------------


def _bin_name(chart: Histogram, i: int) -> str:
    if chart.bin_names:
        return chart.bin_names[i]
    return f"{_edge(chart.edges[i])} to {_edge(chart.edges[i + 1])}"


def _edge(value: float) -> str:
    return count_text(float(f"{value:.4g}"))


def _description(chart: Histogram) -> str:
    """Say in words what the picture shows."""
    totals = chart.totals
    whole = sum(totals)
    if not whole:
        return f"No {chart.counted}."
    most = max(range(len(totals)), key=lambda i: totals[i])
    said = [
        f"{count_text(whole)} {chart.counted}.",
        f"{chart.unit}: {_edge(chart.edges[0])} to {_edge(chart.edges[-1])}.",
        f"The tallest bar is {_bin_name(chart, most)}, with {share_text(totals[most], whole)}.",
        *(f"A line marks {one.label}." for one in chart.thresholds),
    ]
    return " ".join(said)
