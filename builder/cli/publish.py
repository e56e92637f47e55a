"""``builder publish`` and ``builder fetch``: to the Hugging Face Hub, and from there."""

from __future__ import annotations

import click

from builder.cli.options import json_option

token_option = click.option(
    "--token", help="Access token for the Hub. Default: $HF_TOKEN, or what `hf auth login` stored."
)


@click.command(
    "publish",
    epilog="Example: builder publish out/southern-news@1.2.0 --repo harbour/southern-news --dry-run",
)
@click.argument("corpus", metavar="FOLDER[@V]")
@click.option(
    "--repo", required=True, metavar="USER/NAME", help="Dataset repository; made if it is not there."
)
@click.option("--dry-run", is_flag=True, help="Tell what would be sent and show the card; change nothing.")
@click.option("--private", is_flag=True, help="Make the repository private, and refuse a public one.")
@token_option
@click.option(
    "--with-ledger",
    is_flag=True,
    help="Publish ledger and clusters too: URLs of all pages, rejected ones as well.",
)
@click.option(
    "--read-back",
    type=click.Choice(["ends", "all"]),
    default="ends",
    show_default=True,
    help="Rows to compare afterwards: first and last row group of each shard, or all.",
)
@json_option
def publish_command(
    corpus: str,
    *,
    repo: str,
    dry_run: bool,
    private: bool,
    token: str | None,
    with_ledger: bool,
    read_back: str,
    as_json: bool,
) -> None:
    """Publish a version of the corpus in FOLDER (the newest if none is named) on the Hugging Face Hub.

    The version is checked first ('builder check'). It gets there by one commit and the tag vX.Y.Z, so whoever
    loads it meanwhile has the old version or the new one; then it is read back. 'main' is always the newest
    version; an older one gets its tag only, and a tag is never moved. Files that the Hub has are not sent
    again, and a call that was stopped goes on where it was. What people wrote into the card there stays.
    """
    from builder.hub import publish
    from builder.report.progress import show_progress
    from builder.report.publish import print_publish

    with show_progress() as advance:
        result = publish(
            corpus,
            repo,
            dry_run=dry_run,
            private=private,
            token=token,
            with_ledger=with_ledger,
            every_row=read_back == "all",
            advance=advance,
        )
    print_publish(result, as_json=as_json)


@click.command("fetch", epilog="Example: builder fetch harbour/southern-news@1.2.0 southern-news")
@click.argument("address", metavar="USER/NAME@V")
@click.argument("folder", type=click.Path(file_okay=False))
@token_option
@click.option("--digest", help="The digest that the version must have, if it is known from elsewhere.")
@json_option
def fetch_command(address: str, folder: str, *, token: str | None, digest: str | None, as_json: bool) -> None:
    """Download one version of a dataset from the Hugging Face Hub into a corpus folder.

    Number, digest and the hash of every file are compared before anything is put into its place. When the Hub
    cannot be reached, nothing else is taken for it. 'verify', 'diff' and 'why' work on what came; what was
    rejected or merged is known only if the ledger was published too.
    """
    from builder.hub import fetch
    from builder.report.progress import show_progress
    from builder.report.publish import print_fetch

    with show_progress() as advance:
        result = fetch(address, folder, token=token, digest=digest, advance=advance)
    print_fetch(result, as_json=as_json)
