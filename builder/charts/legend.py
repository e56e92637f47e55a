"""Draw the legend: a swatch and the word for each series, in the order of the sheet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.charts.markup import element
from builder.charts.sheet import SERIES

if TYPE_CHECKING:
    from collections.abc import Collection

    from builder.charts.markup import Element


def legend(shown: Collection[str], *, plain: str = "records") -> Element:
    """Return a list of the series that a chart shows."""
    return element(
        "ul",
        {"class": "legend"},
        *(
            element("li", None, swatch(name), plain if name == "plain" else name)
            for name in SERIES
            if name in shown
        ),
    )


def swatch(series: str) -> Element:
    """Return a small square in the colour of a series; a word always stands next to it."""
    square = element("rect", {"class": f"f-{series}", "width": 10, "height": 10, "rx": 2})
    return element("svg", {"class": "swatch", "viewBox": "0 0 10 10", "aria-hidden": "true"}, square)
