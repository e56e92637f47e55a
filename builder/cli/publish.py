"""``builder publish`` and ``builder fetch``: upload to and download from the Hugging Face Hub."""

from __future__ import annotations

import click

from builder.cli.options import json_option

token_option = click.option(
    "--token", help="Access token for the Hub. Default: $HF_TOKEN, or the token stored by `hf auth login`."
)


@click.command(
    "publish",
    epilog="Example: builder publish out/southern-news@1.2.0 --repo harbour/southern-news --dry-run",
)
@click.argument("corpus", metavar="FOLDER[@V]")
@click.option(
    "--repo", required=True, metavar="USER/NAME", help="Dataset repository. Created if it does not exist."
)
@click.option("--dry-run", is_flag=True, help="Show what would be uploaded and the card. Change nothing.")
@click.option("--private", is_flag=True, help="Create a private repository, and refuse a public one.")
@token_option
@click.option(
    "--with-ledger",
    is_flag=True,
    help="Also publish ledger and clusters, with the URLs of all pages, also of rejected ones.",
)
@click.option(
    "--with-signals",
    is_flag=True,
    help="Also publish the signals of all rows, if the recipe has the stage 'signals'.",
)
@click.option(
    "--with-report",
    is_flag=True,
    help="Also publish the public report of the version as builder-report.html.",
)
@click.option(
    "--read-back",
    type=click.Choice(["ends", "all"]),
    default="ends",
    show_default=True,
    help="Rows to compare after the upload: first and last row group of each shard, or all.",
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
    with_signals: bool,
    with_report: bool,
    read_back: str,
    as_json: bool,
) -> None:
    """Publish a version of the corpus in FOLDER (default: the newest) to the Hugging Face Hub.

    The command checks the version ('builder check'), uploads it in one commit with the tag vX.Y.Z, and reads
    it back. Anyone who loads the dataset meanwhile gets the old version or the new one. 'main' always points
    to the newest version. An older version gets only its tag, and a tag is never moved. Files that the Hub
    already has are not uploaded again. If the command is interrupted, run it again to resume. Text that
    people wrote into the card on the Hub stays.
    """
    from builder.hub import publish
    from builder.report.overview.write import public_report
    from builder.report.progress import show_progress
    from builder.report.publish import print_publish

    report = public_report(corpus) if with_report else None
    with show_progress() as advance:
        result = publish(
            corpus,
            repo,
            dry_run=dry_run,
            private=private,
            token=token,
            with_ledger=with_ledger,
            with_signals=with_signals,
            report=report,
            every_row=read_back == "all",
            advance=advance,
        )
    print_publish(result, as_json=as_json)


@click.command("fetch", epilog="Example: builder fetch harbour/southern-news@1.2.0 southern-news")
@click.argument("address", metavar="USER/NAME@V")
@click.argument("folder", type=click.Path(file_okay=False))
@token_option
@click.option("--digest", help="Digest that the version must have, if you know it from another source.")
@json_option
def fetch_command(address: str, folder: str, *, token: str | None, digest: str | None, as_json: bool) -> None:
    """Download one version of a dataset from the Hugging Face Hub into a corpus folder.

    The command compares the version number, the digest and the hash of every file before it moves the
    version into place. If the Hub cannot be reached, the command fails; it never uses another copy.
    'verify', 'diff' and 'why' work on a fetched version. Rejected and merged records are known only if the
    ledger was published too.
    """
    from builder.hub import fetch
    from builder.report.progress import show_progress
    from builder.report.publish import print_fetch

    with show_progress() as advance:
        result = fetch(address, folder, token=token, digest=digest, advance=advance)
    print_fetch(result, as_json=as_json)
