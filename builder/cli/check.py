"""``builder check``: is a recipe fit to be built?"""

from __future__ import annotations

import click

from builder.cli.options import json_option


@click.command("check", epilog="Example: builder check recipe.yaml")
@click.argument("recipe", type=click.Path())
@click.option(
    "--set", "settings", metavar="KEY=VALUE", multiple=True, help="Override one value of the recipe."
)
@click.option(
    "--schemas", type=click.Path(file_okay=False), multiple=True, help="Folder to look up references in."
)
@json_option
def check_command(recipe: str, *, settings: tuple[str, ...], schemas: tuple[str, ...], as_json: bool) -> None:
    """Check RECIPE: its contract, its stages and their columns, its inputs; estimate the build.

    Nothing is written but a sample in the folder for temporary files.
    """
    from builder.build.check import check
    from builder.recipe import Recipe
    from builder.report.check import print_check

    print_check(check(Recipe.load(recipe, settings=settings, schemas=schemas)), as_json=as_json)
