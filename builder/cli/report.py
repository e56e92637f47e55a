"""``builder report``: one HTML page that shows a version."""

from __future__ import annotations

import click

from builder.cli.options import json_option


@click.command("report", epilog="Example: builder report out/southern-news -o report.html")
@click.argument("corpus", metavar="FOLDER[@V]")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False),
    default="report.html",
    show_default=True,
    help="HTML file to write. It is replaced if it exists.",
)
@click.option(
    "--public",
    is_flag=True,
    help="Only counts and published documents: no dropped text, no rejected value, no URL of a dropped page.",
)
@json_option
def report_command(corpus: str, *, output: str, public: bool, as_json: bool) -> None:
    """Write one HTML page that shows a version: what it is, why records are missing, and what it has.

    The page is one file without a script. A browser makes no request for it, also not for pages that it
    names. The same version gives the same bytes.

    Without --public, the page shows dropped texts, rejected values and URLs, like the audit of the corpus.
    A report directly in the corpus folder must have a name that begins with `report`: a purge writes it
    again without the purged pages. It cannot find reports in other places.
    """
    from builder.report.overview.write import print_report, write_report

    print_report(write_report(corpus, output, public=public), as_json=as_json)
