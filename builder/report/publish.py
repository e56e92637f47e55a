"""Print what was published to the Hub or fetched from it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from builder.progress.amounts import size_text
from builder.report.json_text import print_json
from builder.report.printer import print_line, print_lines, print_notice, print_text
from builder.report.table import counted, table_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from builder.hub import FetchResult, PublishResult

_MAIN = "; `main` now points to it"


def print_publish(result: PublishResult, *, as_json: bool) -> None:
    """Print what was uploaded, copied and deleted; after a dry run, what would be, and the card."""
    for warning in result.warnings:
        print_notice(f"warning: {warning}")
    if as_json:
        print_json(_document(result))
        return
    print_lines(_publish_lines(result))
    if result.card is not None:
        print_text(f"\nREADME.md\n\n{result.card}")


def _document(result: PublishResult) -> dict[str, Any]:
    facts = {field.name: getattr(result, field.name) for field in dataclasses.fields(result)}
    return facts | {"bytes_to_send": result.bytes_to_send}


def _publish_lines(result: PublishResult) -> Iterator[str]:
    name = f"{result.repo}@{result.tag}"
    if result.nothing_new:
        yield f"{name}: already published with this digest; nothing was changed"
    elif result.dry_run:
        yield f"{name}: would be published{'' if result.main else ' as a tag only, because `main` is newer'}"
    else:
        yield f"{name}: published{_MAIN if result.main else ' as a tag only, because `main` is newer'}"
    files = [("add", one.path, size_text(one.bytes), "") for one in result.add]
    files += [("copy", one.path, size_text(one.bytes), f"from {one.source}") for one in result.copy]
    files += [("delete", path, "", "") for path in result.delete]
    if files:
        yield ""
        yield from table_lines(files, header=["", "file", "size", ""])
        yield ""
        verb = "to upload" if result.dry_run else "uploaded"
        yield f"{size_text(result.bytes_to_send)} {verb} at most"
    if result.left_alone:
        yield f"left unchanged: {', '.join(result.left_alone)}"
    if not result.dry_run:
        read = result.read_back
        rows = f"{counted(read.rows, 'row')} of {counted(read.row_groups, 'row group')}"
        yield f"read back: {counted(read.files, 'file')} by hash, {rows}"
    yield f"digest {result.digest}"
    yield result.url


def print_fetch(result: FetchResult, *, as_json: bool) -> None:
    """Print what was fetched, and whether the ledger is missing."""
    if as_json:
        print_json(result)
        return
    came = "already fetched" if result.nothing_new else "fetched"
    size = f"{counted(result.rows, 'row')}, {size_text(result.bytes)}"
    print_line(f"{result.corpus}@{result.version}: {came} from {result.repo}; {size}, digest {result.digest}")
    if not result.ledger:
        print_line("the ledger was not published, so rejected and merged records are not known here")
