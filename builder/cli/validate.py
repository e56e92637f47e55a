"""``builder validate``: check any file against any JSON Schema."""

from __future__ import annotations

import click

from builder.cli.options import json_option, schemas_option


@click.command(
    "validate", epilog="Example: builder validate feed/*.jsonl --contract page-1 --rejected bad.jsonl"
)
@click.argument("files", nargs=-1, metavar="FILE...")
@click.option("--contract", help="Name of a built-in contract, or path of a JSON Schema.")
@click.option(
    "--recipe",
    type=click.Path(),
    help="In place of FILEs and --contract: check all inputs of this recipe against its contract.",
)
@click.option(
    "--rejected",
    type=click.Path(dir_okay=False),
    help="JSONL file to write each invalid record to, with its faults.",
)
@schemas_option
@json_option
def validate_command(
    files: tuple[str, ...],
    *,
    contract: str | None,
    recipe: str | None,
    rejected: str | None,
    schemas: tuple[str, ...],
    as_json: bool,
) -> int:
    """Check FILEs of any format that a build reads against a JSON Schema.

    The end of a name shows the format: .jsonl, .json, .csv, .tsv, .parquet, .warc, .html, .txt and so on,
    also compressed. A .json file is one record. A file with another name is read as JSON lines if it begins
    like one. A record may be any JSON value, and the schema need not map to Arrow. Prints the first invalid
    records of each file, and all faults by rule and place with an example. Exit status 4 if a record is
    invalid or cannot be read.
    """
    if recipe is not None and (files or contract is not None):
        raise click.UsageError("--recipe replaces FILEs and --contract: remove one of them")
    if recipe is None and not (files and contract is not None):
        raise click.UsageError("name FILEs and a --contract, or a --recipe")
    from builder.pipeline.preload import JUDGING, preload

    preload(None, JUDGING)
    from builder.operations.validate import validate
    from builder.report.validate import print_validation

    found = validate(files, contract=contract, recipe=recipe, schemas=schemas, rejected=rejected)
    return print_validation(found, as_json=as_json)
