"""Print what happened to one page, from the ledgers."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from builder.domain.rejection import cut_text
from builder.report.json_text import print_json
from builder.report.printer import print_lines, print_notice
from builder.report.table import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from builder.operations.why import Explanation, PageHistory

MAX_SPANS = 20
"""Maximum number of removed spans of a record to show; ``--json`` lists all."""

_NO_BREAK = "\u00a0"
"""Between a name and its value, so that both are in one line."""

MAX_DUPLICATES = 20
"""Maximum number of records of the same document to show; ``--json`` lists all."""


def print_why(explanation: Explanation, *, as_json: bool) -> int:
    """Print what happened to a page. Return exit status 1 if no version knows it."""
    if as_json:
        print_json(_document(explanation))
    elif explanation.known:
        before = [None, *explanation.histories]
        told = (_lines(history, last) for history, last in zip(explanation.histories, before, strict=False))
        print_lines(line for lines in told for line in lines)
    if not explanation.known:
        what = "is not in any version"
        advice = "check the spelling; a page can be named by URL, document id or record id"
        if not all(history.ledger for history in explanation.histories):
            what = "is not published in any version"
            advice = "it may have been rejected or merged, but the ledger was not published with the dataset"
        print_notice(f"error: {explanation.page}: {what} of {explanation.corpus} ({advice})")
    return 0 if explanation.known else 1


def _document(explanation: Explanation) -> dict[str, Any]:
    return {
        "corpus": explanation.corpus,
        "page": explanation.page,
        "fates": [
            {
                "version": history.version,
                "records": history.records,
                "duplicates": history.duplicates,
                "ledger": history.ledger,
                "documents": history.documents,
                "removed": history.removed,
                "signals": history.signals,
            }
            for history in explanation.histories
        ],
    }


def _lines(history: PageHistory, before: PageHistory | None) -> Iterator[str]:
    if before and history.records and _told(history) == _told(before):
        yield f"version {history.version}: same as version {before.version}"
        return
    yield f"version {history.version}"
    if not history.ledger:
        yield from _lines_without_ledger(history)
        return
    if not history.records:
        yield "  not among its records"
    for record in history.records:
        yield from _record_lines(record, indent=2)
        spans = [span for span in history.removed if span["record_id"] == record["record_id"]]
        yield from _removed_lines(spans)
        yield from _signal_lines([one for one in history.signals if one["record_id"] == record["record_id"]])
    if history.duplicates:
        yield f"  {counted(len(history.duplicates), 'more record')} of the same document:"
        for record in history.duplicates[:MAX_DUPLICATES]:
            yield from _record_lines(record, indent=4)
        if (left := len(history.duplicates) - MAX_DUPLICATES) > 0:
            yield f"    {left:,} more (use --json to list all)"


def _told(history: PageHistory) -> list[dict[str, Any]]:
    """Return the ledger rows without the shard, whose name changes when shards are added."""
    return [{**row, "shard": None} for row in (*history.records, *history.duplicates)]


def _lines_without_ledger(history: PageHistory) -> Iterator[str]:
    for document in history.documents:
        yield f"  {document['document_id']}" + (f"  {document['url']}" if document["url"] else "")
        yield f"    published in {document['shard']}"
    if not history.documents:
        yield "  not published"
    yield "  the ledger is not here, so rejected and merged records are not known"


def _record_lines(row: dict[str, Any], *, indent: int) -> Iterator[str]:
    blanks = " " * indent
    yield blanks + row["record_id"] + (f"  {row['url']}" if row["url"] else "")
    for line in _facts(row):
        yield f"{blanks}  {line}"


def _removed_lines(spans: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Describe what stages took out of the text of a record."""
    for stage in dict.fromkeys(span["stage"] for span in spans):
        own = [span for span in spans if span["stage"] == stage]
        n_chars = sum(span["text_chars"] for span in own)
        yield f"    {stage} removed {counted(len(own), 'span')}, {counted(n_chars, 'character')}:"
        for span in own[:MAX_SPANS]:
            text = "" if span["text"] is None else f"  {cut_text(' '.join(span['text'].split()), chars=60)}"
            yield f"      {span['class']} {span['score']:.3f} at {span['start']}{text}"
        if (left := len(own) - MAX_SPANS) > 0:
            yield f"      {left:,} more (use --json to list all)"


def _signal_lines(measured: Sequence[dict[str, Any]]) -> Iterator[str]:
    """List all signals of the text of a record that a filter rejected."""
    for one in measured:
        values = [f"{pair['name']}{_NO_BREAK}{_number(pair['value'])}" for pair in one["signals"]]
        yield f"    all signals at {one['stage']}:"
        for line in textwrap.wrap(", ".join(values), 100, initial_indent=" " * 6, subsequent_indent=" " * 6):
            yield line.replace(_NO_BREAK, " ")


def _number(value: float | None) -> str:
    return "null" if value is None else f"{value:.6f}".rstrip("0").rstrip(".")


def _facts(row: dict[str, Any]) -> Sequence[str]:
    if row["outcome"] == "kept":
        return [f"kept as {row['document_id']} in {row['shard']}"]
    place = f" at {row['pointer']}" if row["pointer"] else ""
    by = f"{row['outcome']} by {row['stage']}/{row['reason']}{place}"
    if row["outcome"] == "merged":
        return [f"{by} into {row['merged_into']}{_likeness(row)}{_end(row)}"]
    facts = [f"{name} {row[name]}" for name in ("value", "limit") if row[name] is not None]
    return [by + (f": {row['message']}" if row["message"] else ""), *facts]


def _likeness(row: dict[str, Any]) -> str:
    return "" if row["similarity"] is None else f", similarity {row['similarity']:.3f}"


def _end(row: dict[str, Any]) -> str:
    """Name the published document of a merged record, if it is not the one it was compared with."""
    if row["kept_id"] is None:
        return "; not published, because that document was rejected later"
    return "" if row["kept_id"] == row["merged_into"] else f"; represented by {row['kept_id']}"
