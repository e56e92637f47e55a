"""Print what changed between two versions, as text or JSON."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import orjson

from builder.domain.changelog import WHY, why_removed
from builder.report.json_text import print_json
from builder.report.printer import print_document, print_lines
from builder.report.table import counted, table_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from builder.comparison.row_changes import RowChange
    from builder.domain.excerpt import Excerpt
    from builder.operations.diff import Diff

_COUNTS = ("added", "removed", "changed", "moved", "reordered")


class DiffPrinter:
    """Prints rows as they are found, if all rows are requested, and then the counts."""

    def __init__(self, *, as_json: bool, all_rows: bool) -> None:
        self._as_json = as_json
        self._all_rows = all_rows
        self._n_printed = 0

    def row(self, row: RowChange) -> None:
        """Print one row."""
        if self._as_json:
            start = ",\n    " if self._n_printed else '{\n  "rows": [\n    '
            print_document(start + orjson.dumps(row_document(row)).decode())
        else:
            print_lines(_row_lines(row))
        self._n_printed += 1

    def end(self, diff: Diff) -> None:
        """Print the counts and, unless all rows were printed, the first rows of each kind."""
        if not self._as_json:
            blank = [""] if self._n_printed else []
            lines = [*blank, *_lines(diff)] + ([] if self._all_rows else list(_example_lines(diff)))
            print_lines(lines)
        elif not self._n_printed:
            print_json({"rows": [row_document(row) for row in diff.rows], **_document(diff)})
        else:
            rest = orjson.dumps(_document(diff), default=str, option=orjson.OPT_INDENT_2).decode()
            print_document("\n  ],\n" + rest.removeprefix("{\n") + "\n")


# -- JSON ------------------------------------------------------------------------------------------


def row_document(row: RowChange) -> dict[str, Any]:
    """Return one row as ``--json`` prints it."""
    outcome, stage, reason = row.because or (None, None, None)
    removed = row.kind == "removed"
    return {
        "kind": row.kind,
        "id": row.id,
        "url": row.url,
        "split": row.split,
        "old_split": row.old_split,
        "reordered": row.reordered,
        "why": why_removed(row.because) if removed else None,
        "outcome": outcome,
        "stage": stage,
        "reason": reason,
        "columns": [
            {"column": name, "before": one.before, "old": one.old, "new": one.new, "after": one.after}
            for name, one in row.columns
        ],
    }


def _document(diff: Diff) -> dict[str, Any]:
    old_license, new_license = diff.changes.licenses
    return {
        "corpus": str(diff.corpus),
        "old": diff.old,
        "new": diff.new,
        "level": diff.level,
        "reason": diff.reason,
        "splits": {
            name: {"old_rows": diff.sizes[name][0], "new_rows": diff.sizes[name][1]}
            | {count: getattr(split, count) for count in _COUNTS}
            for name, split in diff.changes.splits.items()
        },
        "removed_because": [
            {"why": one.why, "stage": one.stage, "reason": one.reason, "rows": one.rows}
            for one in diff.removals
        ],
        "changed_columns": dict(diff.changed_columns),
        "columns": {"broken": list(diff.changes.broken_columns), "added": list(diff.changes.added_columns)},
        "license": {"old": old_license, "new": new_license},
        "shards": {"shared": diff.n_shared, "read": diff.n_read},
    }


# -- text ------------------------------------------------------------------------------------------


def _lines(diff: Diff) -> list[str]:
    header = ["split", "rows before", "rows now", *_COUNTS]
    cells = [
        [name, *diff.sizes[name], *(getattr(split, count) for count in _COUNTS)]
        for name, split in diff.changes.splits.items()
    ]
    lines = [f"{diff.old} -> {diff.new}  {diff.reason}", "", *table_lines(cells, header=header)]
    if diff.removals:
        lines += ["", "removed rows by reason:"]
        lines += table_lines([[f"  {WHY[one.why]}", one.rows, _place(one)] for one in diff.removals])
    if diff.changed_columns:
        lines += ["", "changed rows by column:"]
        lines += table_lines([[f"  {name}", rows] for name, rows in diff.changed_columns.items()])
    return [*lines, "", f"{counted(diff.n_shared, 'shard')} in both, {counted(diff.n_read, 'other')} read"]


def _place(removal: Any) -> str:
    return f"{removal.stage}/{removal.reason}" if removal.stage else ""


def _example_lines(diff: Diff) -> Iterator[str]:
    listed = Counter(row.kind for row in diff.rows)
    for kind, n_listed in listed.items():
        yield ""
        for row in diff.rows:
            if row.kind == kind:
                yield from _row_lines(row)
        n_rows = sum(getattr(split, kind) for split in diff.changes.splits.values())
        if n_rows > n_listed and kind != "reordered":
            yield f"{kind}: {n_rows - n_listed:,} more (use --rows to list all)"


def _row_lines(row: RowChange) -> Iterator[str]:
    split = f"{row.old_split} -> {row.split}" if row.old_split else row.split
    facts = [row.kind, row.id, split, *([row.url] if row.url else [])]
    if row.kind == "removed":
        facts.append(f"({WHY[why_removed(row.because)]})")
    elif row.reordered and row.kind != "reordered":
        facts.append("(reordered)")
    yield "  ".join(facts)
    for name, one in row.columns:
        yield f"  {name}: {_marked(one)}"


def _marked(one: Excerpt) -> str:
    """Mark removed and added text on one line, in the notation of word diffs."""
    old = "" if one.old == "" else f"[-{_plain(one.old)}-]"
    new = "" if one.new == "" else f"{{+{_plain(one.new)}+}}"
    return f"{_plain(one.before)}{old}{new}{_plain(one.after)}"


def _plain(text: str | None) -> str:
    """Return a text on one line, with control characters escaped."""
    if text is None:
        return "null"
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
