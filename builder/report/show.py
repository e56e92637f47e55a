"""Print records with their texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.report.json_text import print_json
from builder.report.printer import print_line, print_lines
from builder.report.table import counted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from builder.operations.show import Shown, ShownRecord

_MAX_CHARS = 400
"""Characters of a text that are printed; ``--output`` and ``--json`` have up to 20,000."""


def print_shown(shown: Shown, *, as_json: bool, output: Path | None) -> None:
    """Print the records, or how many were written to a file."""
    if as_json:
        document = {"corpus": shown.corpus, "version": shown.version, "n_records": shown.n_records}
        print_json(document | {"records": [record.document() for record in shown.records]})
        return
    total = f"{len(shown.records):,} of {counted(shown.n_records, 'record')} of version {shown.version}"
    if output is not None:
        print_line(f"{total} written to {output}")
        return
    for record in shown.records:
        print_lines([*_record_lines(record), ""])
    print_line(total)


def _record_lines(record: ShownRecord) -> Iterator[str]:
    facts = record.facts
    yield facts["record_id"] + (f"  {facts['url']}" if facts["url"] else "")
    place = f" at {facts['pointer']}" if facts["pointer"] else ""
    by = f"{facts['outcome']} by {facts['stage']}/{facts['reason']}{place}" if facts["stage"] else "kept"
    likeness = "" if facts["similarity"] is None else f", similarity {facts['similarity']:.3f}"
    yield f"  {by}{likeness}" + (f": {facts['message']}" if facts["message"] else "")
    for name in ("value", "limit"):
        if facts[name] is not None:
            yield f"  {name} {facts[name]}"
    yield from _text_lines("text", record.text, record.text_chars, missing=record.no_text)
    if record.keeper is not None:
        yield from _text_lines(f"keeper {record.keeper['id']}", record.keeper["text"], None)


def _text_lines(
    label: str, text: str | None, n_chars: int | None, *, missing: str | None = None
) -> Iterator[str]:
    if text is None:
        yield f"  no {label}: {missing}"
        return
    size = f" ({counted(n_chars, 'character')})" if n_chars is not None else ""
    yield f"  {label}{size}:"
    shown = text[:_MAX_CHARS] + ("…" if len(text) > _MAX_CHARS else "")
    for line in shown.splitlines():
        yield f"    {line}"
