"""``builder check``: is a recipe fit to be built, or a version to be published?"""

from __future__ import annotations

from pathlib import Path

import click

from builder.cli.options import json_option


@click.command("check", epilog="Example: builder check recipe.yaml && builder check out/southern-news@1.0.0")
@click.argument("target", metavar="RECIPE|FOLDER[@V]")
@click.option(
    "--set",
    "settings",
    metavar="KEY=VALUE",
    multiple=True,
    help="Override one value of the recipe, such as stages.dedup_near.threshold=0.7; may be repeated.",
)
@click.option(
    "--schemas",
    type=click.Path(file_okay=False),
    multiple=True,
    help="Folder in which references of the contract are looked up as well; may be repeated.",
)
@json_option
def check_command(target: str, *, settings: tuple[str, ...], schemas: tuple[str, ...], as_json: bool) -> int:
    """Check a recipe before it is built, or a version before it is published.

    Of a RECIPE: its contract, its stages and their columns, its inputs; and what a build will take, from a
    sample of the first records. Nothing is written but that sample, in the folder for temporary files.

    Of a version (FOLDER is a corpus; its newest version if none is named): every shard opens, has the columns
    of the manifest and is not empty, the card leads to all rows, and load_dataset gives as many as the
    manifest tells. What the viewer of the Hub cannot show is a warning. Exit status 4 if there is a fault.
    """
    if not _is_corpus(target):
        return _check_recipe(target, settings=settings, schemas=schemas, as_json=as_json)
    if settings or schemas:
        raise click.UsageError("--set and --schemas belong to a recipe, and this is a folder.")
    from builder.hub.guard import check_version
    from builder.report.check import print_version_check

    return print_version_check(check_version(target), as_json=as_json)


def _is_corpus(target: str) -> bool:
    """Tell ``FOLDER`` and ``FOLDER@V`` from the path of a recipe, which may hold an ``@``."""
    folder, at, _ = target.rpartition("@")
    return Path(target).is_dir() or (bool(at) and not Path(target).exists() and Path(folder).is_dir())


def _check_recipe(target: str, *, settings: tuple[str, ...], schemas: tuple[str, ...], as_json: bool) -> int:
    from builder.operations.check import check
    from builder.recipe import Recipe
    from builder.report.check import print_check

    print_check(check(Recipe.load(target, settings=settings, schemas=schemas)), as_json=as_json)
    return 0
