"""``builder init``: create a recipe to start from."""

from __future__ import annotations

import click

from builder.cli.options import json_option


@click.command("init", epilog="Example: builder init my-corpus && builder build my-corpus/recipe.yaml")
@click.argument("folder", type=click.Path(file_okay=False))
@json_option
def init_command(folder: str, *, as_json: bool) -> None:
    """Create a recipe, a few pages and a contract in FOLDER. 'builder build' runs on it as it is."""
    from builder.operations.init import init
    from builder.report.init import print_init

    print_init(init(folder), as_json=as_json)
