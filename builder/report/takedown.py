"""What a takedown says when it is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from builder.report.json_text import print_json
from builder.report.table import counted, table_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from builder.build.takedown import TakedownResult

MAX_LINES = 20
"""Documents that are shown of each kind; ``--json`` has them all."""


def print_takedown(result: TakedownResult, *, as_json: bool) -> None:
    """Print what was taken down: for people, or as one JSON document."""
    if as_json:
        print_json(result.document())
        return
    click.echo("\n".join(_lines(result)))


def _lines(result: TakedownResult) -> Iterator[str]:
    if result.nothing_new:
        yield f"nothing new: {result.corpus} is at {result.version}, and this is taken down already"
    else:
        yield f"{result.corpus} {result.version}  {result.reason}"
        yield f"{counted(len(result.documents), 'document')} taken down, {result.n_restated:,} records in all"
    yield from _list([[one, url or ""] for one, url in result.documents], header=["document", "url"])
    if result.merged:
        yield "merged, and gone with the document that stood for it:"
        yield from _list([[page, one] for page, one in result.merged], header=["page", "document"])
    if result.unknown:
        yield "not published, and barred from now on:"
        yield from _list([[one] for one in result.unknown], header=["asked for"])
    if result.nearby:
        yield "alike, under other names; they stay unless you give --and-near:"
        rows = [[f"{one.similarity:.3f}", one.id, one.url or ""] for one in result.nearby]
        yield from _list(rows, header=["similarity", "document", "url"])


def _list(rows: list[list[str]], *, header: list[str]) -> Iterator[str]:
    if rows:
        yield from table_lines(rows[:MAX_LINES], header=header)
    if (left := len(rows) - MAX_LINES) > 0:
        yield f"{left:,} more (--json tells all)"
