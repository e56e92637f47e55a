"""Removed parts, contract faults and opt-outs of a report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.charts.bars import Bar, BarChart, bar_table
from builder.charts.figure import table
from builder.charts.markup import Inner, element, foreign
from builder.charts.numbers import count_text, counted_text
from builder.charts.page import PagePart
from builder.report.overview.samples import cleaned_block, record_block

if TYPE_CHECKING:
    from builder.domain.fault_groups import FaultGroup
    from builder.operations.overview.facts import Overview

_MAX_FAULTS = 40
_EXAMPLE_CHARS = 160


def removed_part(view: Overview, *, n: int, chars: int) -> PagePart | None:
    """Return what stages took out of texts; None if nothing was taken out."""
    if not view.removed:
        return None
    bars = [
        Bar(
            name=f"{one.stage} / {one.kind}",
            parts={"rejected": one.chars},
            note=counted_text(one.spans, "part"),
        )
        for one in view.removed[:_MAX_FAULTS]
    ]
    content: list[Inner] = [
        element("p", None, f"Parts were removed from {counted_text(view.cleaned_records, 'text')}."),
        bar_table(
            BarChart(
                title="Removed characters by stage and kind",
                names="stage / kind",
                counted="characters",
                bars=bars,
                rest=sum(one.chars for one in view.removed[_MAX_FAULTS:]),
                legend=False,
            )
        ),
    ]
    if view.private and view.private.cleaned and n:
        content.append(element("h3", None, "Documents with the removed parts struck out"))
        content += [cleaned_block(one, chars=2 * chars) for one in view.private.cleaned[:n]]
    return PagePart(
        key="removed",
        title="Removed parts",
        look_for="struck-out sentences that belong to the document.",
        content=tuple(content),
    )


def faults_part(view: Overview) -> PagePart | None:
    """Return the faults that contracts found, by rule and place; None without one and in a public report."""
    if view.private is None or not view.private.faults:
        return None
    faults = view.private.faults
    rows: list[list[Inner]] = [
        [
            element("code", None, foreign(one.pointer or "(record)")),
            one.rule,
            count_text(one.count),
            one.stage,
            _example(one),
        ]
        for one in faults[:_MAX_FAULTS]
    ]
    notes = []
    if view.private.faults_of is not None:
        notes.append(f"Counted in the first {count_text(view.private.faults_of)} rejected records.")
    if len(faults) > _MAX_FAULTS:
        notes.append(f"{count_text(len(faults) - _MAX_FAULTS)} more kinds are not listed.")
    header = ["place", "rule", "records", "stage", "example value"]
    return PagePart(
        key="faults",
        title="Contract faults",
        look_for="one place with most of the faults: often one wrong field of one source.",
        content=(
            table("Records by place and rule; a record can have several faults", header, rows, numbers=(2,)),
            *(element("p", {"class": "note"}, " ".join(notes)) for _ in notes[:1]),
        ),
    )


def opt_out_part(view: Overview) -> PagePart | None:
    """Return the signals of reservations that were found; None if no stage looks for them."""
    if not any(stage.kind == "opt_out" for stage in view.stages):
        return None
    rows: list[list[Inner]] = [
        [one.signal, one.place, one.answer, "counts" if one.counts else "noted only", count_text(one.pages)]
        for one in view.opt_out_signals
    ]
    header = ["signal", "place", "answer", "policy", "pages"]
    content: list[Inner] = [
        table("Signals by kind, place and answer", header, rows, numbers=(4,))
        if rows
        else element("p", None, "No signal was found.")
    ]
    if view.private and view.private.opt_outs:
        content.append(element("h3", None, "Pages that were left out"))
        content += [record_block(one, chars=0) for one in view.private.opt_outs]
    return PagePart(
        key="opt-outs",
        title="Opt-outs",
        look_for="an answer no that the policy does not count, and unknown answers.",
        content=tuple(content),
    )


def _example(one: FaultGroup) -> Inner:
    if one.example is None:
        return foreign(f"{one.limit} is missing") if one.limit else ""
    return element("code", None, foreign(one.example[:_EXAMPLE_CHARS]))
