"""Print the result of a build."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from builder.report.json_text import print_json
from builder.report.losses import fault_lines, outcome_lines, unreadable_lines
from builder.report.passed_over import passed_over_lines
from builder.report.printer import print_error, print_line, print_lines, print_notice
from builder.report.table import counted, size_text, table_lines
from builder.report.value_notes import value_note_lines

if TYPE_CHECKING:
    from builder.errors import NothingKeptError, TooManyRejectedError
    from builder.release.result import BuildResult


def print_build(result: BuildResult, *, as_json: bool) -> None:
    """Print the result of a build as text or as one JSON document."""
    if as_json:
        print_json(result.document())
        return
    if result.nothing_new:
        print_lines(passed_over_lines(result.passed_over))
        print_line(f"nothing new: {result.corpus} already has these rows as version {result.version}")
        return
    notes = value_note_lines(result.counts)
    print_lines(_paragraphs(_summary(result), *_losses(result), notes, _splits(result), _next_steps(result)))


def print_stopped(error: NothingKeptError | TooManyRejectedError, *, as_json: bool) -> int:
    """Print what a build counted that wrote no version, and why it stopped; return the exit status.

    Text goes to stderr, because nothing was written.
    """
    result = cast("BuildResult", error.result)
    if as_json:
        faults = [{"where": f.where, "what": f.what, "advice": f.advice} for f in error.faults]
        print_json({**result.document(), "faults": faults})
    else:
        first = f"{result.name}: no version was written"
        export = f"builder rejected {result.corpus}@{result.version} --output rejected.jsonl"
        last = [f"ledger  {result.ledger}", f"export  {export}"]
        for line in _paragraphs([first, *_summary(result)[1:]], *_losses(result), last, [""]):
            print_notice(line)
    print_error(error)
    return error.exit_status


def _paragraphs(*parts: list[str]) -> list[str]:
    """Return the lines of all parts that have a line, with an empty line between parts."""
    full = [part for part in parts if part]
    return [line for part in full for line in (*part, "")][:-1]


def _losses(result: BuildResult) -> list[list[str]]:
    faults, files = fault_lines(result.contract_faults), unreadable_lines(result.unreadable)
    return [outcome_lines(result.reasons), faults, files]


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
        *passed_over_lines(result.passed_over),
    ]


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
