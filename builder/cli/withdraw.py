"""``builder yank``, ``drop`` and ``gc``: withdraw versions and free disk space."""

from __future__ import annotations

import click

from builder.cli.options import json_option


@click.command(
    "yank", epilog='Example: builder yank out/southern-news@1.1.0 --because "half of it was a test"'
)
@click.argument("corpus", metavar="FOLDER@V")
@click.option("--because", metavar="TEXT", help="Reason. It is shown in the card of the corpus.")
@click.option("--undo", is_flag=True, help="Undo an earlier yank.")
@json_option
def yank_command(corpus: str, *, because: str | None, undo: bool, as_json: bool) -> None:
    """Mark a version as not to be used. Its rows stay, and you can still load it by its number.

    load_dataset on the folder, and the link `latest`, use the newest version that is not yanked.
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
    """Delete the rows of an old version permanently.

    The number, digest, manifest and ledger stay, and the number is never used again. Shards that other
    versions use stay. You cannot drop the newest version that is not yanked.
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
    help="Delete unfinished builds that were not used for this many days. 0 deletes all.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be deleted, and delete nothing.")
@json_option
def gc_command(folder: str, *, spool_days: float, dry_run: bool, as_json: bool) -> None:
    """Delete files that no version of the corpus in FOLDER uses.

    These are unused objects, leftovers of commands that were killed, and old unfinished builds.
    """
    from builder.operations.withdraw import gc
    from builder.report.withdraw import print_gc

    print_gc(gc(folder, spool_days=spool_days, only_look=dry_run), as_json=as_json)
