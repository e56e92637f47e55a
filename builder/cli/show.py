"""``builder show``: look at records that were kept or dropped, with their texts."""

from __future__ import annotations

from pathlib import Path

import click

from builder.cli.options import json_option


@click.command("show", epilog="Example: builder show out/southern-news --stage dedup_near -n 5")
@click.argument("corpus", metavar="FOLDER[@V]")
@click.option("--stage", help="Only records that left at this stage, or failed in this source.")
@click.option("--reason", help="Only records with this reason.")
@click.option(
    "--outcome",
    type=click.Choice(["kept", "rejected", "merged", "failed"]),
    help="Only records with this outcome. Default: all that were not kept.",
)
@click.option(
    "-n", "n", type=click.IntRange(1), default=20, show_default=True, help="Maximum number of records."
)
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Another seed shows other records."
)
@click.option("--output", type=click.Path(dir_okay=False), help="JSONL file to write the records to.")
@json_option
def show_command(
    corpus: str,
    *,
    stage: str | None,
    reason: str | None,
    outcome: str | None,
    n: int,
    seed: int,
    output: str | None,
    as_json: bool,
) -> None:
    """Show records with their texts, the measured value and the limit; merged records next to their keeper.

    The recipe's `audit: {texts: sample | all | none}` decides which texts a build keeps. By default it keeps
    up to 1,000 of each stage and reason, each cut at 20,000 characters. Texts of pages that were taken down
    or opted out are never kept. FOLDER@stopped is the last build that wrote no version.
    """
    from builder.operations.show import show, write_shown
    from builder.report.show import print_shown

    shown = show(corpus, stage=stage, reason=reason, outcome=outcome, n=n, seed=seed)
    if output is not None:
        write_shown(shown, output)
    print_shown(shown, as_json=as_json, output=Path(output) if output is not None else None)
