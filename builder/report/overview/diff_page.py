"""Show the differences between two versions as one HTML page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.charts.bars import Bar, BarChart, bar_table
from builder.charts.blocks import Tile, facts, tiles
from builder.charts.figure import table
from builder.charts.markup import Inner, document_text, element, foreign
from builder.charts.numbers import count_text
from builder.charts.page import HtmlPage, PagePart, render_page
from builder.domain.changelog import WHY, why_removed

if TYPE_CHECKING:
    from builder.comparison.row_changes import RowChange
    from builder.domain.excerpt import Excerpt
    from builder.operations.diff import Diff

_KINDS = {
    "added": "rows that only the new version has",
    "removed": "rows that only the old version has, and why they left",
    "changed": "columns whose values differ, with what was removed and what was added",
    "moved": "rows in another split",
    "reordered": "rows that follow a row which they preceded",
}
_VALUE_CHARS = 400


def diff_html(diff: Diff) -> str:
    """Return the page; it has the rows that the difference lists, and counts of all."""
    parts = [
        _summary(diff),
        *(_rows(diff, kind) for kind in _KINDS if any(r.kind == kind for r in diff.rows)),
    ]
    title = f"{diff.old} to {diff.new}"
    return render_page(
        HtmlPage(
            title=element("span", None, "What changed from ", title),
            window_title=f"{diff.corpus.name}: {title}",
            kind=f"diff private {diff.old} {diff.new}",
            lead=element("span", None, foreign(diff.corpus.name), ": ", foreign(diff.reason)),
            sections=parts,
            footer="Nothing on this page is a link to a page of the corpus.",
        )
    )


def _summary(diff: Diff) -> PagePart:
    splits = diff.changes.splits
    counts = {kind: sum(getattr(split, kind) for split in splits.values()) for kind in _KINDS}
    found = [
        Tile(name=kind.capitalize(), value=count_text(n), note="row" if n == 1 else "rows")
        for kind, n in counts.items()
    ]
    header = ["split", "rows before", "rows now", *_KINDS]
    rows: list[list[Inner]] = [
        [name, *map(count_text, diff.sizes[name]), *(count_text(getattr(split, kind)) for kind in _KINDS)]
        for name, split in splits.items()
    ]
    content: list[Inner] = [
        tiles([Tile(name="Level", value=diff.level, note="of the version number"), *found]),
        table("Rows by split", header, rows, numbers=range(1, len(header))),
    ]
    if diff.removals:
        bars = [
            Bar(name=WHY[one.why], parts={"rejected": one.rows}, note=_place(one.stage, one.reason))
            for one in diff.removals
        ]
        content.append(
            bar_table(
                BarChart(
                    title="Removed rows by reason", names="reason", counted="rows", bars=bars, legend=False
                )
            )
        )
    if diff.changed_columns:
        bars = [Bar(name=name, parts={"plain": n}) for name, n in diff.changed_columns.items()]
        content.append(
            bar_table(BarChart(title="Changed rows by column", names="column", counted="rows", bars=bars))
        )
    notes = [*diff.changes.broken_columns, *(f"column {one} was added" for one in diff.changes.added_columns)]
    old, new = diff.changes.licenses
    notes += [f"licence: {old or 'none'} to {new or 'none'}"] if old != new else []
    if notes:
        content.append(element("ul", None, *(element("li", None, foreign(one)) for one in notes)))
    return PagePart(
        key="summary",
        title="At a glance",
        look_for="removed, changed or moved rows that you did not expect, or an evaluation split that grew.",
        content=tuple(content),
    )


def _rows(diff: Diff, kind: str) -> PagePart:
    rows = [row for row in diff.rows if row.kind == kind]
    total = sum(getattr(split, kind) for split in diff.changes.splits.values())
    left = total - len(rows)
    note = element("p", {"class": "note"}, f"{count_text(left)} more; builder diff --rows lists all.")
    return PagePart(
        key=kind,
        title=f"{kind.capitalize()} rows",
        look_for=f"{_KINDS[kind]}.",
        content=(*map(_row, rows), *([note] if left > 0 else [])),
    )


def _row(row: RowChange) -> Inner:
    outcome = {"added": "kept", "removed": "rejected"}.get(row.kind, "merged")
    split = f"{row.old_split} to {row.split}" if row.old_split else row.split
    because = WHY[why_removed(row.because)] if row.kind == "removed" else None
    pairs: list[tuple[str, Inner | None]] = [
        ("id", element("code", None, foreign(row.id))),
        ("url", None if row.url is None else foreign(row.url)),
        ("split", foreign(split)),
        ("why", because),
    ]
    columns = [
        element(
            "div", {"class": "text", "dir": "auto"}, element("b", None, foreign(name), ": "), *_marked(one)
        )
        for name, one in row.columns
    ]
    return element("article", {"class": f"sample s-{outcome}"}, facts(pairs), *columns)


def _marked(one: Excerpt) -> list[Inner]:
    def text(value: str | None) -> str:
        return "null" if value is None else document_text(value[:_VALUE_CHARS])

    return [
        document_text(one.before),
        *([element("del", None, text(one.old))] if one.old != "" else []),
        *([element("ins", None, text(one.new))] if one.new != "" else []),
        document_text(one.after),
    ]


def _place(stage: str | None, reason: str | None) -> str:
    return f"{stage}/{reason}" if stage else ""
