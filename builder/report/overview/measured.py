"""Histograms of measured values with the limits of the recipe drawn in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.charts.histogram import Histogram, Threshold, histogram
from builder.charts.markup import element
from builder.charts.numbers import count_text
from builder.charts.page import PagePart

if TYPE_CHECKING:
    from builder.operations.overview.facts import MeasuredLimit, Overview


def measured_part(view: Overview) -> PagePart | None:
    """Return one histogram for each limit that dropped documents; None without one."""
    if not view.measured:
        return None
    charts = [histogram(_chart(f"limit-{i}", one)) for i, one in enumerate(view.measured)]
    return PagePart(
        key="limits",
        title="Limits and measured values",
        look_for="a limit that cuts through a hill: a small change of it would keep or drop many documents.",
        content=(element("div", {"class": "grid"}, *charts),),
    )


def numbers_part(view: Overview) -> PagePart | None:
    """Return one histogram for each published column with numbers; None without one."""
    if not view.numbers:
        return None
    charts = [
        histogram(
            Histogram(
                key=f"number-{i}",
                title=name,
                unit=name + (" (logarithmic)" if bins.log else ""),
                counted="documents",
                edges=bins.edges,
                series={"plain": bins.counts["kept"]},
                log=bins.log,
            )
        )
        for i, (name, bins) in enumerate(view.numbers)
    ]
    return PagePart(
        key="numbers",
        title="Signals and other numbers",
        look_for="a second hill or a long tail: often one kind of page that you can filter.",
        content=(element("div", {"class": "grid"}, *charts),),
    )


def _chart(key: str, one: MeasuredLimit) -> Histogram:
    limits = [] if one.threshold is None else [Threshold(value=one.threshold, label=one.limit)]
    note = ""
    if one.kept_measured:
        n = count_text(one.kept_measured)
        note = f"Kept documents are estimated: the texts of {n} published ones were measured again."
    return Histogram(
        key=key,
        title=f"{one.stage} / {one.reason}",
        unit=one.signal + (" (logarithmic)" if one.values.log else ""),
        counted="documents",
        edges=one.values.edges,
        series=one.values.counts,
        log=one.values.log,
        thresholds=limits,
        note=note,
    )
