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
    "--rejected", type=click.Path(dir_okay=False), help="Write the rejected records to this JSONL file."
)
@click.option(
    "--schemas", type=click.Path(file_okay=False), multiple=True, help="Folder to look up references in."
)
@json_option
def validate_command(
    files: tuple[str, ...], *, contract: str, rejected: str | None, schemas: tuple[str, ...], as_json: bool
) -> int:
    """Check JSONL, JSON or Parquet FILEs against a JSON Schema.

    Exit status 4 if a record does not meet it.
    """
    from builder.build.validate import validate
    from builder.report.validate import print_validation

    return print_validation(
        validate(files, contract=contract, schemas=schemas, rejected=rejected), as_json=as_json
    )
