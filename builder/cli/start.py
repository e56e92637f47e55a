"""``builder init``: something to start from."""

from __future__ import annotations

import click

from builder.cli.options import json_option


@click.command("init", epilog="Example: builder init my-corpus && builder build my-corpus/recipe.yaml")
@click.argument("folder", type=click.Path(file_okay=False))
@json_option
def init_command(folder: str, *, as_json: bool) -> None:
    """Write a recipe, a few pages and a contract into FOLDER; 'builder build' on it works at once."""
    from builder.operations.init import init
    from builder.report.init import print_init

    print_init(init(folder), as_json=as_json)
