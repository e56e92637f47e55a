"""``builder why``: explain what happened to a page."""

from __future__ import annotations

import click

from builder.cli.options import json_option


@click.command("why", epilog="Example: builder why out/southern-news https://example.org/a-page")
@click.argument("corpus", metavar="FOLDER[@V]")
@click.argument("page", metavar="URL-OR-ID")
@json_option
def why_command(corpus: str, page: str, *, as_json: bool) -> int:
    """Explain what happened to a page and to its duplicates, in every version.

    Name the page by its URL (as it came, or canonical), its document id, or its record id. The last build
    that wrote no version is shown as well; FOLDER@stopped shows only this build.
    """
    from builder.operations.why import why
    from builder.report.why import print_why

    return print_why(why(corpus, page), as_json=as_json)
