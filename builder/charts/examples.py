"""Draw the examples of ``docs/charts.md``: one of each chart, with made-up numbers."""

from __future__ import annotations

from builder.charts.bars import Bar, BarChart, bar_table
from builder.charts.blocks import Finding, TextSpan, Tile, checks, side_by_side, text_block, tiles
from builder.charts.funnel import Funnel, FunnelStep, funnel_table
from builder.charts.histogram import Histogram, Threshold, histogram
from builder.charts.markup import Element, element
from builder.charts.page import HtmlPage, PagePart, render_page
from builder.charts.sheet import CHART_WIDTH, COLOURS, OUTCOME_COLOURS, colour_rules, series_rules

_SVG_STYLE = (
    "svg{background:var(--ground)}"
    "text{font:11px system-ui,sans-serif;fill:var(--quiet)}"
    "text.unit{fill:var(--text)}"
    ".grid-line{stroke:var(--rule)}"
    ".axis{stroke:var(--quiet)}"
    "line.limit{stroke:var(--limit);stroke-width:1.5;stroke-dasharray:4 3}"
    "text.limit{fill:var(--limit);font-weight:600}"
)
_ROW = 22


def example_files() -> dict[str, str]:
    """Return the files of the sheet, by their path below ``docs/charts``."""
    drawings = {name: _drawing_of(histogram(chart)) for name, chart in _histograms().items()}
    files = {f"{name}.svg": _alone(drawing) for name, drawing in drawings.items()}
    return {**files, "colours.svg": _alone(_colours()), "examples.html": _examples()}


def _histograms() -> dict[str, Histogram]:
    similarities = (0, 0, 0, 0, 0, 0, 41, 38, 52, 60, 74, 90, 120, 210)
    words = (12, 30, 88, 40, 0, 0, 0, 0, 0, 0)
    return {
        "similarity": Histogram(
            key="similarity",
            title="Similarity of near-duplicates and their keepers",
            unit="similarity (exact Jaccard, 0 to 1)",
            edges=tuple(round(0.65 + 0.025 * i, 3) for i in range(15)),
            series={"merged": similarities},
            thresholds=(Threshold(value=0.8, label="merged from 0.8"),),
        ),
        "limit": Histogram(
            key="limit",
            title="filter / words_below",
            unit="words in a text",
            counted="documents",
            edges=(0, 20, 40, 60, 80, 100, 120, 140, 160, 180, 200),
            series={"rejected": words, "kept": (0, 0, 0, 60, 130, 160, 150, 110, 70, 40)},
            thresholds=(Threshold(value=65, label="min 65"), Threshold(value=190, label="max 190")),
        ),
    }


def _examples() -> str:
    """Return a page with one example of each chart and block."""
    parts = (
        _part("funnel", "Funnel", "the stage with the longest coloured end.", _funnel()),
        _part("histograms", "Histograms", "a limit that cuts through a hill.", _side_by_side()),
        _part("bars", "Bars", "a bar that outweighs all others.", _bars()),
        _part(
            "texts",
            "Texts",
            "what is struck out, and what differs.",
            text_block("Home | News\nThe ferry leaves at ten.", removed=[TextSpan(start=0, end=11)]),
            side_by_side(("merged", "The red ferry leaves."), ("kept", "The blue ferry leaves.")),
        ),
        _part(
            "blocks",
            "Tiles and findings",
            "a word other than OK.",
            tiles([Tile(name="Kept", value="57.0 %", note="570 records")]),
            checks(
                [
                    Finding(verdict="good", text="Every record is accounted for."),
                    Finding(verdict="warn", text="No split for evaluation has a row."),
                    Finding(verdict="bad", text="The version has no row."),
                ]
            ),
        ),
    )
    return render_page(
        HtmlPage(
            title="Charts",
            window_title="Charts of builder",
            lead="One example of each chart, with made-up numbers.",
            sections=parts,
            footer="docs/charts.md explains the sheet.",
        )
    )


def _part(key: str, title: str, look_for: str, *content: Element) -> PagePart:
    return PagePart(key=key, title=title, look_for=look_for, content=content)


def _funnel() -> Element:
    steps = (
        FunnelStep(stage="validate", came=1_000, left={"rejected": 60, "failed": 15}),
        FunnelStep(stage="filter", came=925, left={"rejected": 210}),
        FunnelStep(stage="dedup_near", came=715, left={"merged": 145}),
    )
    return funnel_table(Funnel(title="Records by stage", steps=steps))


def _side_by_side() -> Element:
    return element("div", {"class": "grid"}, *map(histogram, _histograms().values()))


def _bars() -> Element:
    languages = [Bar(name="en", parts={"plain": 410}), Bar(name="de", parts={"plain": 120})]
    chart = BarChart(
        title="Documents by language", names="language", counted="documents", bars=languages, rest=40
    )
    return bar_table(chart)


def _colours() -> Element:
    """Draw each colour of the outcomes and of limits with its name and its values."""
    shown = [*OUTCOME_COLOURS, "plain", "limit"]
    rows = []
    for i, name in enumerate(shown):
        light, dark = COLOURS[name]
        y = 8 + _ROW * i
        words = {"x": 30, "y": y + 11}
        rows.append(element("rect", {"fill": f"var(--{name})", "x": 8, "y": y, "width": 14, "height": 14}))
        rows.append(element("text", words, f"{name}: {light} on light, {dark} on dark"))
    box = {"viewBox": f"0 0 {CHART_WIDTH} {16 + _ROW * len(shown)}", "role": "img", "aria-label": "Colours"}
    return element("svg", box, *rows)


def _drawing_of(figure: Element) -> Element:
    return next(one for one in figure.content if isinstance(one, Element) and one.tag == "svg")


def _alone(drawing: Element) -> str:
    """Return a drawing as a file that an image can show."""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{2 * CHART_WIDTH}" '
    start, _, rest = str(drawing).partition(">")
    style = f"<style>{colour_rules()}{series_rules()}{_SVG_STYLE}</style>"
    return f"{head}{start.removeprefix('<svg ')}>{style}{rest}\n"
