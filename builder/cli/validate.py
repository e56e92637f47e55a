"""``builder validate``: check any file against any JSON Schema."""

from __future__ import annotations

import click

from builder.cli.options import json_option, schemas_option


@click.command(
    "validate", epilog="Example: builder validate feed/*.jsonl --contract page-1 --rejected bad.jsonl"
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--contract", required=True, help="Name of a built-in contract, or path of a JSON Schema.")
@click.option(
    "--rejected",
    type=click.Path(dir_okay=False),
    help="JSONL file to write each invalid record to, with its faults.",
)
@schemas_option
@json_option
def validate_command(
    files: tuple[str, ...], *, contract: str, rejected: str | None, schemas: tuple[str, ...], as_json: bool
) -> int:
    """Check JSONL, JSON or Parquet FILEs against a JSON Schema.

    A .json file is one record, a .parquet file has one record per row, and any other file has one record per
    line. A record may be any JSON value, and the schema need not map to Arrow. Exit status 4 if a record is
    invalid or cannot be read.
    """
    from builder.pipeline.preload import JUDGING, preload

    preload(None, JUDGING)
    from builder.operations.validate import validate
    from builder.report.validate import print_validation

    return print_validation(
        validate(files, contract=contract, schemas=schemas, rejected=rejected), as_json=as_json
    )
