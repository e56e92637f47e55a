"""Put a drawing into a figure: title, drawing with a description, and its numbers as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.charts.markup import Inner, element
from builder.charts.sheet import CHART_HEIGHT, CHART_WIDTH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from builder.charts.markup import Element


def drawing(
    key: str,
    *shapes: Inner,
    title: str,
    description: str,
    height: int = CHART_HEIGHT,
    width: int = CHART_WIDTH,
) -> Element:
    """Return an SVG that a screen reader reads as one picture.

    Args:
        key: begins the ids of title and description; unique in the page.
        description: what one sees, in a sentence or two with numbers.
    """
    attributes = {
        "class": "chart",
        "viewBox": f"0 0 {width} {height}",
        "role": "img",
        "aria-labelledby": f"{key}-title {key}-desc",
    }
    return element(
        "svg",
        attributes,
        element("title", {"id": f"{key}-title"}, title),
        element("desc", {"id": f"{key}-desc"}, description),
        *shapes,
    )


def figure(title: Inner, *content: Inner | None, note: Inner | None = None) -> Element:
    """Return a figure: its title first, so that one knows what to look at."""
    caption = element("figcaption", None, title)
    return element("figure", None, caption, *content, element("p", {"class": "note"}, note) if note else None)


def table(
    caption: Inner,
    header: Sequence[Inner],
    rows: Sequence[Sequence[Inner]],
    *,
    numbers: Sequence[int] = (),
    hide_caption: bool = False,
    label: str | None = None,
) -> Element:
    """Return a table whose first cell of each row names the row.

    On a narrow screen the table scrolls inside its own box, which the keyboard can reach.

    Args:
        numbers: columns that are aligned on the right.
        hide_caption: only screen readers read the caption, because a heading says the same.
        label: name of the box for screen readers; the caption, if it is text.
    """
    head = [
        element("th", {"scope": "col", "class": "n" if i in numbers else None}, cell)
        for i, cell in enumerate(header)
    ]
    body = [
        element("tr", None, *(_cell(cell, first=not i, right=i in numbers) for i, cell in enumerate(row)))
        for row in rows
    ]
    whole = element(
        "table",
        None,
        element("caption", {"class": "hidden" if hide_caption else None}, caption),
        element("thead", None, element("tr", None, *head)),
        element("tbody", None, *body),
    )
    name = label or (caption if isinstance(caption, str) else "table")
    return element("div", {"class": "scroll", "tabindex": "0", "role": "group", "aria-label": name}, whole)


def numbers_of(caption: str, header: Sequence[Inner], rows: Sequence[Sequence[Inner]]) -> Element:
    """Return the numbers of a chart as a table that opens on demand and is printed."""
    numbers = range(1, len(header))
    return element(
        "details",
        None,
        element("summary", None, "Numbers"),
        table(caption, header, rows, numbers=numbers, hide_caption=True),
    )


def _cell(content: Inner, *, first: bool, right: bool) -> Element:
    attributes = {"scope": "row" if first else None, "class": "n" if right else None}
    return element("th" if first else "td", attributes, content)
