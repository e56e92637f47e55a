"""``builder rejected``: the rejected records, to be mended and fed in again."""

from __future__ import annotations

import click

from builder.cli.options import json_option


@click.command("rejected", epilog="Example: builder rejected out/southern-news --output mend.jsonl")
@click.argument("corpus", metavar="FOLDER[@V]")
@click.option("--output", required=True, type=click.Path(dir_okay=False), help="The JSONL file to write.")
@json_option
def rejected_command(corpus: str, *, output: str, as_json: bool) -> None:
    """Write the records that a contract rejected or a reader failed on, a line each, as they came.

    What was wrong with each stands in a second file beside it, OUTPUT.faults.jsonl: stage, reason, all
    faults, and the number of the record's line, which is null where a record could not be kept.
    """
    from builder.operations.rejected import write_rejected_records
    from builder.report.rejected import print_rejected

    print_rejected(write_rejected_records(corpus, output), as_json=as_json)
