"""Print the result of a build."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.domain.nulled import WARNED_SHARE, columns_above
from builder.report.json_text import print_json
from builder.report.printer import print_line, print_lines, print_notice
from builder.report.table import counted, size_text, table_lines

if TYPE_CHECKING:
    from collections.abc import Mapping

    from builder.release.result import BuildResult


def print_build(result: BuildResult, *, as_json: bool, asked: str | None = None) -> None:
    """Print the result of a build as text or as one JSON document.

    Args:
        asked: the version number that was asked for.
    """
    if result.nothing_new and asked and asked != result.version:
        text = f"--version {asked} has no effect: nothing is new, so no version is written"
        print_notice(text)
    if as_json:
        print_json(result.document())
        return
    if result.nothing_new:
        print_line(f"nothing new: {result.corpus} already has these rows as version {result.version}")
        return
    lines = [*_summary(result), "", *_funnel(result), "", *_splits(result)]
    print_lines([*lines, *(["", *_next_steps(result)] if not result.trial else [])])


def _trial(result: BuildResult) -> list[str]:
    would = f"a build would write {result.version}  {result.reason}" if result.version else ""
    return [f"{result.name}: a trial, no version was written", *filter(None, [would])]


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
    written = f"{result.name} {result.version}  {result.reason}"
    return [
        *(_trial(result) if result.trial else [written]),
        (
            f"{counted(result.n_records, 'record')} read: {kept:,} kept, "
            f"{counts.get('rejected', 0):,} rejected, "
            f"{counts.get('merged', 0):,} merged, {counts.get('failed', 0):,} failed"
        ),
        *([more] if more else []),
        *nulled_lines(result.nulled, n_records=result.n_records),
    ]


def nulled_lines(nulled: Mapping[str, int], *, n_records: int) -> list[str]:
    """List the columns whose bad values were made null; more than 5 % of the records is a warning.

    >>> nulled_lines({"/fetched_at": 2, "/status": 1}, n_records=30)
    ['warning: /fetched_at was made null in 2 records (6.7%)', '/status was made null in 1 record (3.3%)']
    """
    many = columns_above(nulled, n_records, share=WARNED_SHARE)
    return [
        ("warning: " if pointer in many else "")
        + f"{pointer} was made null in {counted(n, 'record')} ({n / n_records:.1%})"
        for pointer, n in nulled.items()
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
