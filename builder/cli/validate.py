"""``builder validate``: any file against any JSON Schema."""

from __future__ import annotations

import click

from builder.cli.options import json_option


@click.command(
    "validate", epilog="Example: builder validate feed/*.jsonl --contract page-1 --rejected bad.jsonl"
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--contract", required=True, help="A built-in contract, or the path of a JSON Schema.")
@click.option(
    "--rejected",
    type=click.Path(dir_okay=False),
    help="Write each record that is not valid, with its faults, to this JSONL file.",
)
@click.option(
    "--schemas",
    type=click.Path(file_okay=False),
    multiple=True,
    help="Folder in which references of the contract are looked up as well; may be repeated.",
)
@json_option
def validate_command(
    files: tuple[str, ...], *, contract: str, rejected: str | None, schemas: tuple[str, ...], as_json: bool
) -> int:
    """Check JSONL, JSON or Parquet FILEs against a JSON Schema.

    A .json file is one document, a .parquet file has rows, any other a document a line. Any JSON value is
    judged, and the schema need not have a form in Arrow. Exit status 4 if a record does not meet it, or
    cannot be read.
    """
    from builder.pipeline.preload import JUDGING, preload

    preload(None, JUDGING)
    from builder.operations.validate import validate
    from builder.report.validate import print_validation

    return print_validation(
        validate(files, contract=contract, schemas=schemas, rejected=rejected), as_json=as_json
    )
