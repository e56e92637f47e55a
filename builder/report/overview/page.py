"""Put the parts of a report together, within the limit of its size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.charts.markup import element, foreign
from builder.charts.page import HtmlPage, render_page
from builder.report.overview.contents import contents_part, published_part
from builder.report.overview.duplicates import duplicates_part
from builder.report.overview.evidence import faults_part, opt_out_part, removed_part
from builder.report.overview.funnel import funnel_part
from builder.report.overview.history import changes_part, recipe_part, run_part
from builder.report.overview.measured import measured_part, numbers_part
from builder.report.overview.samples import dropped_part
from builder.report.overview.summary import summary_part

if TYPE_CHECKING:
    from builder.charts.page import PagePart
    from builder.operations.overview.facts import Overview

MAX_BYTES = 3_000_000
"""Bytes of a report. A larger one shows fewer and shorter texts."""

_STEPS = ((8, 3, 1_200), (5, 2, 600), (3, 1, 300), (1, 1, 100), (0, 0, 0))
"""Kept documents, records of each reason, and characters of a text: the first step that fits is taken."""


def report_html(view: Overview) -> str:
    """Return the report as HTML of at most ``MAX_BYTES``."""
    page = ""
    for n_kept, n_dropped, chars in _STEPS:
        page = _page(view, _parts(view, n_kept=n_kept, n_dropped=n_dropped, chars=chars))
        if len(page.encode()) <= MAX_BYTES:
            break
    return page


def _parts(view: Overview, *, n_kept: int, n_dropped: int, chars: int) -> list[PagePart]:
    parts = (
        summary_part(view),
        funnel_part(view),
        contents_part(view),
        numbers_part(view),
        measured_part(view),
        duplicates_part(view, n=n_dropped, chars=chars),
        removed_part(view, n=n_dropped, chars=chars),
        faults_part(view),
        opt_out_part(view),
        published_part(view, n=n_kept, chars=chars),
        dropped_part(view, n=n_dropped, chars=chars),
        changes_part(view),
        run_part(view),
        recipe_part(view),
    )
    return [one for one in parts if one is not None]


def _page(view: Overview, parts: list[PagePart]) -> str:
    kind = "public" if view.private is None else "private"
    whose = (
        "Public report: counts and published documents only."
        if view.private is None
        else "Private report: it shows dropped texts and URLs. Use --public for one that you can share."
    )
    date = f", {view.date}" if view.date else ""
    lead = element(
        "span", None, f"Version {view.version}", foreign(date), ". ", foreign(view.description), " ", whose
    )
    footer = element(
        "p",
        None,
        f"Report of version {view.version}, digest ",
        element("code", None, view.digest),
        ". Text of pages is shown as it is stored; characters without a glyph are escapes such as \\u202e. "
        "No link leads to a page of the corpus. Run builder verify to check the files themselves.",
    )
    return render_page(
        HtmlPage(
            title=foreign(view.title or view.name),
            window_title=f"{view.name} {view.version}: report",
            kind=f"report {kind} {view.version} {view.digest}",
            lead=lead,
            sections=parts,
            footer=footer,
        )
    )
