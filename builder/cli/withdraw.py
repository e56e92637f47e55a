"""``builder yank``, ``drop`` and ``gc``: what nobody should use any more."""

from __future__ import annotations

import click

from builder.cli.options import json_option


@click.command(
    "yank", epilog='Example: builder yank out/southern-news@1.1.0 --because "half of it was a test"'
)
@click.argument("corpus", metavar="FOLDER@V")
@click.option("--because", metavar="TEXT", help="Why; it stands in the corpus's card.")
@click.option("--undo", is_flag=True, help="Take an earlier yank back.")
@json_option
def yank_command(corpus: str, *, because: str | None, undo: bool, as_json: bool) -> None:
    """Mark a version as not to be used; its rows stay, and it can still be loaded by its number.

    What load_dataset gives for the folder, and the link `latest`, go to the newest version that is not
    yanked.
    """
    from builder.operations.withdraw import yank
    from builder.report.withdraw import print_yank

    if undo == (because is not None) or because == "":
        raise click.UsageError("give either --because TEXT or --undo")
    print_yank(yank(corpus, because=because), as_json=as_json)


@click.command("drop", epilog="Example: builder drop out/southern-news@1.0.0")
@click.argument("corpus", metavar="FOLDER@V")
@json_option
def drop_command(corpus: str, *, as_json: bool) -> None:
    """Delete the rows of an old version, for good.

    Its number, digest, manifest and ledger stay, and the number is never used again. Shards that other
    versions hold stay. The newest version that is not yanked cannot be dropped.
    """
    from builder.operations.withdraw import drop
    from builder.report.withdraw import print_drop

    print_drop(drop(corpus), as_json=as_json)


@click.command("gc", epilog="Example: builder gc out/southern-news --dry-run")
@click.argument("folder", type=click.Path(file_okay=False))
@click.option(
    "--spool-days",
    type=click.FloatRange(0),
    default=7,
    show_default=True,
    help="Remove unfinished builds that nobody touched for so many days; 0 removes all.",
)
@click.option("--dry-run", is_flag=True, help="Tell what would go, and remove nothing.")
@json_option
def gc_command(folder: str, *, spool_days: float, dry_run: bool, as_json: bool) -> None:
    """Free what no version of the corpus in FOLDER uses.

    That is: objects, what a killed command left half done, and unfinished builds that were given up.
    """
    from builder.operations.withdraw import gc
    from builder.report.withdraw import print_gc

    print_gc(gc(folder, spool_days=spool_days, only_look=dry_run), as_json=as_json)
