"""``builder rejected``: export rejected records so that you can fix and re-feed them."""

from __future__ import annotations

import click

from builder.cli.options import json_option


@click.command("rejected", epilog="Example: builder rejected out/southern-news --output rejected.jsonl")
@click.argument("corpus", metavar="FOLDER[@V]")
@click.option("--output", required=True, type=click.Path(dir_okay=False), help="JSONL file to write.")
@json_option
def rejected_command(corpus: str, *, output: str, as_json: bool) -> None:
    """Export the records that a contract rejected or that a reader could not read, one per line, unchanged.

    FOLDER@stopped is the last build that wrote no version.

    A second file, OUTPUT.faults.jsonl, lists for each record its stage, its reason, all faults, and the line
    number of the record in OUTPUT. The line number is null if the record's bytes were not kept.
    """
    from builder.operations.rejected import rejected
    from builder.report.rejected import print_rejected

    print_rejected(rejected(corpus, output), as_json=as_json)
