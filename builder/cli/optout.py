"""``builder optout``: list published pages that a later reservation covers, and take them down."""

from __future__ import annotations

import click

from builder.cli.options import json_option


@click.command("optout", epilog="Example: builder optout out/southern-news --write urls.txt")
@click.argument("corpus", metavar="FOLDER[@V]")
@click.option(
    "--write",
    "file",
    type=click.Path(dir_okay=False),
    help="Write the URLs of these pages to a file for `builder takedown --file`.",
)
@click.option("--missing", is_flag=True, help="Also list the sites without a robots.txt in any archive.")
@click.option(
    "--takedown", "takes_down", is_flag=True, help="Take these pages down in a new version; needs --because."
)
@click.option("--because", help="Reason of the takedown.")
@json_option
def optout_command(
    corpus: str,
    *,
    file: str | None,
    missing: bool,
    takes_down: bool,
    because: str | None,
    as_json: bool,
) -> int:
    """List the published pages that the newest files of their sites reserve.

    The policy is that of the stage `opt_out` in the version's recipe, or the default one. robots.txt,
    tdmrep.json and ai.txt come from the audits of all versions. A reservation in the headers or tags of a
    later fetch counts as well. Nothing is fetched.
    """
    from builder.operations.optout.covered import optout, write_urls
    from builder.report.optout import print_optout

    if takes_down and not because:
        raise click.UsageError("--takedown needs --because TEXT, which the ledger records.")
    findings = optout(corpus)
    if file is not None:
        write_urls(file, findings)
    taken_down = None
    if takes_down and findings.covered:
        from builder.operations.takedown import takedown

        urls = [one.url for one in findings.covered]
        taken_down = takedown(findings.corpus, urls=urls, because=str(because))
    return print_optout(findings, missing=missing, taken_down=taken_down, as_json=as_json)
