"""Print the result of a build."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from builder.report.json_text import print_json
from builder.report.table import counted, size_text, table_lines
from builder.report.value_notes import value_note_lines

if TYPE_CHECKING:
    from builder.release.result import BuildResult


def print_build(result: BuildResult, *, as_json: bool) -> None:
    """Print the result of a build as text or as one JSON document."""
    if as_json:
        print_json(result.document())
        return
    if result.nothing_new:
        click.echo(f"nothing new: {result.corpus} already has these rows as version {result.version}")
        return
    notes = value_note_lines(result.counts)
    parts = [_summary(result), _funnel(result), *([notes] if notes else []), _splits(result)]
    click.echo("\n\n".join("\n".join(lines) for lines in [*parts, _next_steps(result)]))


def _summary(result: BuildResult) -> list[str]:
    counts = result.outcomes
    kept = counts.get("kept", 0)
    known = f"{result.n_known:,} were accounted for by an earlier build" if result.n_known else ""
    restated = (
        f"{counted(result.n_restated, 'record')} of earlier builds changed their outcome"
        if result.n_restated
        else ""
    )
    more = "; ".join(filter(None, (known, restated)))
    return [
        f"{result.name} {result.version}  {result.reason}",
        (
            f"{counted(result.n_records, 'record')} read: {kept:,} kept, "
            f"{counts.get('rejected', 0):,} rejected, "
            f"{counts.get('merged', 0):,} merged, {counts.get('failed', 0):,} failed"
        ),
        *([more] if more else []),
    ]


def _funnel(result: BuildResult) -> list[str]:
    rows = [[outcome, stage, reason, n] for (outcome, stage, reason), n in result.reasons]
    return (
        table_lines(rows, header=["outcome", "stage", "reason", "records"])
        if rows
        else ["all records were kept"]
    )


def _splits(result: BuildResult) -> list[str]:
    rows = [[s.name, s.rows, s.shards, size_text(s.bytes)] for s in result.splits]
    lines = table_lines(rows, header=["split", "rows", "shards", "size"])
    return lines + [f"split {name} has no rows, so it has no file" for name in result.empty_splits]


def _next_steps(result: BuildResult) -> list[str]:
    return [
        f"ledger  {result.ledger}",
        f"load    datasets.load_dataset({str(result.corpus)!r})",
        f"digest  {result.digest}",
    ]
