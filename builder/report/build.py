"""Print the result of a build."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from builder.domain.contract.nulled import WARNED_SHARE, columns_above
from builder.progress.amounts import size_text
from builder.report.bars.funnel import funnel_lines
from builder.report.json_text import print_json
from builder.report.losses import fault_lines, message_lines, outcome_lines, unreadable_lines
from builder.report.passed_over import passed_over_lines
from builder.report.printer import print_error, print_line, print_lines, print_notice
from builder.report.rule_lines import rule_lines
from builder.report.table import counted, table_lines
from builder.report.value_notes import value_note_lines

if TYPE_CHECKING:
    from collections.abc import Mapping

    from builder.errors import NothingKeptError, TooManyNulledError, TooManyRejectedError
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
        print_lines(passed_over_lines(result.passed_over))
        print_line(f"nothing new: {result.corpus} already has these rows as version {result.version}")
        return
    end = [] if result.trial else _next_steps(result)
    notes = value_note_lines(result.counts)
    parts = [summary_lines(result), *_losses(result), notes, _splits(result), end, _funnel(result)]
    print_lines(_paragraphs(*parts))


def print_stopped(
    error: NothingKeptError | TooManyNulledError | TooManyRejectedError, *, as_json: bool
) -> int:
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
        last = [] if result.trial else [f"ledger  {result.ledger}", f"export  {export}"]
        counts = [first, *_read_lines(result)]
        for line in _paragraphs(counts, *_losses(result), last, _funnel(result), [""]):
            print_notice(line)
    print_error(error)
    return error.exit_status


def _paragraphs(*parts: list[str]) -> list[str]:
    """Return the lines of all parts that have a line, with an empty line between parts."""
    full = [part for part in parts if part]
    return [line for part in full for line in (*part, "")][:-1]


def _losses(result: BuildResult) -> list[list[str]]:
    faults, files = fault_lines(result.contract_faults), unreadable_lines(result.unreadable)
    messages = message_lines(result.messages, result.unreadable)
    return [outcome_lines(result.reasons), rule_lines(result.counts), faults, files, messages]


def _funnel(result: BuildResult) -> list[str]:
    """Return the funnel of the records of this build and of those that it restated."""
    n_records = sum(result.outcomes.values())
    return funnel_lines(result.reasons, n_records=n_records, stages=result.stages, sources=result.sources)


def _trial(result: BuildResult) -> list[str]:
    would = f"a build would write {result.version}  {result.reason}" if result.version else ""
    return [f"{result.name}: a trial, no version was written", *filter(None, [would])]


def summary_lines(result: BuildResult) -> list[str]:
    """Return the version and the numbers of records, as lines."""
    written = f"{result.name} {result.version}  {result.reason}"
    return [*(_trial(result) if result.trial else [written]), *_read_lines(result)]


def _read_lines(result: BuildResult) -> list[str]:
    counts = result.outcomes
    kept = counts.get("kept", 0)
    known = f"{result.n_known:,} were accounted for by an earlier build" if result.n_known else ""
    whose = "its" if result.n_restated == 1 else "their"
    restated = f"{counted(result.n_restated, 'record')} of earlier builds changed {whose} outcome"
    more = "; ".join(filter(None, (known, restated if result.n_restated else "")))
    return [
        (
            f"{counted(result.n_records, 'record')} read: {kept:,} kept, "
            f"{counts.get('rejected', 0):,} rejected, "
            f"{counts.get('merged', 0):,} merged, {counts.get('failed', 0):,} failed"
        ),
        *([more] if more else []),
        *(
            f"{stage} in mode: tag marked {counted(n, 'record')} as duplicates and removed none"
            for stage, n in result.tagged.items()
        ),
        *(
            f"{stage} decided about the new pages alone; a new file of a site can cover older ones: "
            f"builder optout {result.corpus}"
            for stage in result.new_pages_only
        ),
        *nulled_lines(result.nulled, n_records=result.n_records),
        *passed_over_lines(result.passed_over),
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
