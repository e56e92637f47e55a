"""``builder schema``: print the contracts and formats that come with the tool."""

from __future__ import annotations

import click

from builder.cli.options import json_option


@click.command("schema", epilog="Example: builder schema page-1")
@click.argument("name", required=False)
@json_option
def schema_command(name: str | None, *, as_json: bool) -> None:
    """Print the schema NAME, or list all schemas.

    The schemas describe the contracts (page-1, document-1), the recipe, the files of a corpus (manifest-1,
    ledger-1, card-1), and the documents that commands print with --json (json-build and so on).
    """
    from builder.report.schema import print_schema, print_schema_names

    if name is None:
        print_schema_names(as_json=as_json)
    else:
        print_schema(name)
