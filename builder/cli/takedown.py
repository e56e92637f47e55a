"""``builder takedown``: remove pages in a new version and keep them out for good."""

from __future__ import annotations

import click

from builder.cli.options import json_option


@click.command(
    "takedown",
    epilog='Example: builder takedown out/news --url https://example.org/a --because "the owner asked"',
)
@click.argument("folder", type=click.Path(file_okay=False))
@click.option("--url", "urls", multiple=True, help="URL of a page, in any form. Repeat to name more.")
@click.option(
    "--domain",
    "domains",
    multiple=True,
    help="All pages of a domain and its subdomains. Repeat to name more.",
)
@click.option("--id", "ids", multiple=True, help="Id of a document. Repeat to name more.")
@click.option(
    "--file",
    type=click.Path(dir_okay=False),
    help=(
        "File with one URL, domain or id per line. A line with :// is a URL, 32 hexadecimal digits are an "
        "id, and any other line is a domain. Blank lines and lines that begin with # are skipped."
    ),
)
@click.option("--because", required=True, help="Reason. It is recorded in the ledger and in the tombstones.")
@click.option(
    "--and-near",
    is_flag=True,
    help="Also remove the listed near-duplicates (similarity of at least 0.5) at other URLs.",
)
@click.option(
    "--only-this",
    is_flag=True,
    help="Stop without writing anything if a named page was merged into a document that you did not name.",
)
@click.option(
    "--purge",
    is_flag=True,
    help="Also delete the rows from older versions, and all unfinished builds, permanently.",
)
@click.option("--dry-run", is_flag=True, help="List what would be removed, and write nothing.")
@click.option("--workers", type=click.IntRange(1), help="Number of worker processes. Default: one.")
@json_option
def takedown_command(
    folder: str,
    *,
    urls: tuple[str, ...],
    domains: tuple[str, ...],
    ids: tuple[str, ...],
    file: str | None,
    because: str,
    and_near: bool,
    only_this: bool,
    purge: bool,
    dry_run: bool,
    workers: int | None,
    as_json: bool,
) -> None:
    """Write a new version of the corpus in FOLDER without some pages, and keep them out of later versions.

    If a page was merged into a document, that document is removed too. Records that were merged into a
    removed document are removed with it. Near-duplicates at other URLs with a Jaccard similarity of at least
    0.5 are listed and stay, unless you give --and-near.

    Later builds reject pages with the same URL, domain or text (reason `tombstone`). If the recipe has
    dedup_near, they also reject pages with nearly the same text. This includes URLs and domains that are not
    published; an id that is not published is only listed. No command undoes a takedown.

    Older versions keep the rows, unless you give --purge: then the rows are deleted from every version,
    ledger and index, even if they were taken down earlier. The command lists the files and tags of the Hub
    that may still contain the rows.
    """
    from builder.operations.takedown import takedown
    from builder.report.progress import show_progress
    from builder.report.takedown import print_takedown

    with show_progress() as advance:
        result = takedown(
            folder,
            urls=urls,
            domains=domains,
            ids=ids,
            file=file,
            because=because,
            and_near=and_near,
            only_this=only_this,
            purge=purge,
            dry_run=dry_run,
            workers=workers,
            advance=advance,
        )
    lost = []
    if result.purged is not None and result.purged.reports:
        from builder.report.overview.write import rewrite_reports

        lost = rewrite_reports(result.corpus, result.purged.reports)
    print_takedown(result, as_json=as_json, lost_reports=lost)
