"""Duplicates: similarities with the threshold, sizes of clusters, and pairs side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.charts.bars import Bar, BarChart, bar_table
from builder.charts.figure import figure
from builder.charts.histogram import Histogram, Threshold, histogram
from builder.charts.markup import Inner, element
from builder.charts.numbers import count_text
from builder.charts.page import PagePart
from builder.report.overview.samples import pair_block

if TYPE_CHECKING:
    from builder.operations.overview.facts import Binned, Duplicates, Overview


def duplicates_part(view: Overview, *, n: int, chars: int) -> PagePart | None:
    """Return what was merged; None if no stage looks for duplicates."""
    found = view.duplicates
    if found is None:
        return None
    content: list[Inner] = [element("p", None, _merged(found))]
    if found.merged:
        charts: list[Inner] = (
            [histogram(_similarities(found, found.similarities))] if found.similarities else []
        )
        charts.append(figure("Clusters by size", bar_table(_sizes(found))))
        content.append(element("div", {"class": "grid"}, *charts))
    if view.private and view.private.pairs and n:
        content.append(element("h3", None, "Near-duplicates side by side"))
        content.append(
            element("p", {"class": "note"}, "The first ones are the least similar pairs that were merged.")
        )
        content += [pair_block(one, chars=chars) for one in view.private.pairs[: 2 * n]]
    return PagePart(
        key="duplicates",
        title="Duplicates",
        look_for="pairs just above the threshold: if they are different documents, raise it.",
        content=tuple(content),
    )


def _merged(found: Duplicates) -> str:
    if not found.merged:
        return "No record was merged into another one."
    records = "1 record was" if found.merged == 1 else f"{count_text(found.merged)} records were"
    return f"{records} merged. The largest cluster has {count_text(found.largest)} records, with its keeper."


def _similarities(found: Duplicates, similarities: Binned) -> Histogram:
    return Histogram(
        key="similarities",
        title="Similarity of near-duplicates and their keepers",
        unit="similarity (exact Jaccard, 0 to 1)",
        edges=similarities.edges,
        series=similarities.counts,
        thresholds=[
            Threshold(value=value, label=f"merged from {value:g}")
            for value in sorted({t for _, t in found.thresholds})
        ],
    )


def _sizes(found: Duplicates) -> BarChart:
    return BarChart(
        title="Clusters by size",
        hide_title=True,
        names="size",
        counted="clusters",
        bars=[Bar(name=name, parts={"merged": n}) for name, n in found.sizes],
        legend=False,
    )
