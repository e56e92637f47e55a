"""The funnel of a report: stages, sources and reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.charts.bars import Bar, BarChart, bar_table
from builder.charts.funnel import Funnel, FunnelStep, funnel_table
from builder.charts.markup import element
from builder.charts.page import PagePart

if TYPE_CHECKING:
    from builder.operations.overview.facts import Overview

_MAX_ROWS = 60
"""Sources and reasons that a table lists."""


def funnel_part(view: Overview) -> PagePart | None:
    """Return how many records came to each stage, and why they left; None if nothing was read."""
    if not view.read.records:
        return None
    steps = [
        FunnelStep(
            stage=step.stage,
            came=step.came,
            left={"rejected": step.rejected, "merged": step.merged, "failed": step.failed},
        )
        for step in view.steps
    ]
    return PagePart(
        key="funnel",
        title="The way of the records",
        look_for="the stage with the longest coloured end: most of what is missing left there.",
        content=(
            funnel_table(Funnel(title="Records by stage, in the order of the recipe", steps=steps)),
            *([element("h3", None, "Sources"), bar_table(_sources(view))] if view.read.sources else []),
            element("h3", None, "Reasons"),
            bar_table(_reasons(view)) if view.read.counts else element("p", None, "All records were kept."),
        ),
    )


def _sources(view: Overview) -> BarChart:
    bars = [
        Bar(
            name=one.name,
            parts={"kept": one.kept, "merged": one.merged, "rejected": one.rejected, "failed": one.failed},
        )
        for one in view.read.sources
    ]
    return BarChart(
        title="Records by source and outcome",
        names="source",
        bars=bars[:_MAX_ROWS],
        rest=sum(bar.total for bar in bars[_MAX_ROWS:]),
    )


def _reasons(view: Overview) -> BarChart:
    ordered = sorted(view.read.counts, key=lambda one: (-one.records, one.stage, one.reason))
    bars = [Bar(name=f"{one.stage} / {one.reason}", parts={one.outcome: one.records}) for one in ordered]
    return BarChart(
        title="Records that were not kept, by stage and reason",
        names="stage / reason",
        bars=bars[:_MAX_ROWS],
        whole=view.read.records,
        rest=sum(bar.total for bar in bars[_MAX_ROWS:]),
    )
