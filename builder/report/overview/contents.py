"""What is published: splits, lengths, languages, domains, dates, licences, and some documents."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from builder.charts.bars import Bar, BarChart, bar_table
from builder.charts.blocks import facts, text_block
from builder.charts.figure import figure
from builder.charts.histogram import Histogram, Threshold, histogram
from builder.charts.markup import Inner, element, foreign
from builder.charts.numbers import count_text
from builder.charts.page import PagePart
from builder.operations.overview.facts import SHORT_TEXT_CHARS
from builder.report.overview.samples import cut

if TYPE_CHECKING:
    from builder.operations.overview.facts import Binned, Overview, PublishedRow, ValueTally


def contents_part(view: Overview) -> PagePart | None:
    """Return charts of the published rows; None without a row."""
    if not view.rows:
        return None
    figures: list[Inner] = []
    if view.lengths is not None:
        figures.append(histogram(_lengths(view.lengths)))
    figures.append(figure("Documents by split", bar_table(_splits(view))))
    tallies = [*([view.domains] if view.domains else []), *view.tallies]
    figures += [figure(_heading(one), bar_table(_bars(one))) for one in tallies]
    if view.private and view.private.domains_read:
        chart = replace(
            _bars(view.private.domains_read), counted="pages", title="Pages that were read, by domain"
        )
        figures.append(figure("Pages that were read, by domain, before any stage", bar_table(chart)))
    return PagePart(
        key="contents",
        title="What is in it",
        look_for="a peak of very short texts, one domain above all others, a language you did not ask for.",
        content=(element("div", {"class": "grid"}, *figures),),
    )


def published_part(view: Overview, *, n: int, chars: int) -> PagePart | None:
    """Return some published documents; None without one."""
    if not view.kept or not n:
        return None
    return PagePart(
        key="published",
        title="Documents that were kept",
        look_for="menus, cookie notices and cut sentences: what you would not want a model to read.",
        content=tuple(published_row(row, chars=chars) for row in view.kept[:n]),
    )


def published_row(row: PublishedRow, *, chars: int) -> Inner:
    """Return one published document with its short columns."""
    pairs = [(name, foreign(value)) for name, value in row.values]
    text, left_out = cut(row.text, chars, row.text_chars)
    return element(
        "article",
        {"class": "sample s-kept"},
        facts(
            [
                ("id", element("code", None, row.id)),
                ("url", None if row.url is None else foreign(row.url)),
                ("split", foreign(row.split)),
                ("characters", count_text(row.text_chars)),
                *pairs,
            ]
        ),
        text_block(text, left_out=left_out),
    )


def _lengths(lengths: Binned) -> Histogram:
    return Histogram(
        key="lengths",
        title="Length of the published texts",
        unit="characters in a text" + (" (logarithmic)" if lengths.log else ""),
        counted="documents",
        edges=lengths.edges,
        series={"plain": lengths.counts["kept"]},
        log=lengths.log,
        thresholds=[Threshold(value=SHORT_TEXT_CHARS, label="short: under 100")]
        if lengths.edges[0] < SHORT_TEXT_CHARS < lengths.edges[-1]
        else (),
        note=_sampled(lengths.of, lengths.sampled_from),
    )


def _splits(view: Overview) -> BarChart:
    return BarChart(
        title="Documents by split",
        hide_title=True,
        names="split",
        counted="documents",
        bars=[Bar(name=one.name, parts={"plain": one.rows}) for one in view.splits],
    )


def _sampled(n: int, whole: int | None) -> str:
    return "" if whole is None else f"Counted in {count_text(n)} of {count_text(whole)} documents."


def _heading(tally: ValueTally) -> str:
    return f"Documents by {tally.column}"


def _bars(tally: ValueTally) -> BarChart:
    bars = [Bar(name=name or "(empty)", parts={"plain": n}) for name, n in tally.values]
    if tally.without:
        bars.append(Bar(name="(none)", parts={"plain": tally.without}))
    return BarChart(
        title=_heading(tally),
        hide_title=True,
        names=tally.column,
        counted="documents",
        bars=bars,
        rest=tally.others,
    )
