"""``builder takedown``: a version without a page, which never comes back."""

from __future__ import annotations

import click

from builder.cli.options import json_option


@click.command(
    "takedown",
    epilog='Example: builder takedown out/news --url https://example.org/a --because "the owner asked"',
)
@click.argument("folder", type=click.Path(file_okay=False))
@click.option("--url", "urls", multiple=True, help="A page, by any form of its URL; may be repeated.")
@click.option("--domain", "domains", multiple=True, help="All pages of a domain and of its subdomains.")
@click.option("--id", "ids", multiple=True, help="A document, by its id.")
@click.option(
    "--file", type=click.Path(dir_okay=False), help="A file with a URL, a domain or an id on each line."
)
@click.option("--because", required=True, help="The reason; ledger and tombstones keep it.")
@click.option("--and-near", is_flag=True, help="Take the near-duplicates under other names as well.")
@click.option(
    "--only-this",
    is_flag=True,
    help="Refuse to take a document that was not asked for but stands for a page that was.",
)
@click.option("--purge", is_flag=True, help="Remove them from the older versions as well, for good.")
@click.option("--workers", type=click.IntRange(1), help="Worker processes. Default: one.")
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
    workers: int | None,
    as_json: bool,
) -> None:
    """Write a new version of the corpus in FOLDER without some pages, and never let them in again.

    A page that was merged is taken down with the document that stands for it, and what was merged into a
    document goes with it. Near-duplicates under other names are listed and stay, unless --and-near is given.
    Later pages of the same URL or domain, with the same text or nearly the same are rejected as `tombstone`.
    The older versions keep the rows, unless --purge is given: then they are removed from every version,
    ledger and index, also if they were taken down before, and it is told what the Hub may still hold.
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
            workers=workers,
            advance=advance,
        )
    print_takedown(result, as_json=as_json)
