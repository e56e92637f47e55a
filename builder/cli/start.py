"""``builder init``: create a recipe to start from."""

from __future__ import annotations

from pathlib import Path

import click

from builder.cli.options import json_option

_EXAMPLE = "Example: builder init my-corpus && builder build my-corpus/recipe.yaml"


@click.command("init", epilog=_EXAMPLE)
@click.argument("folder", nargs=-1, type=click.Path())
@click.option(
    "--from",
    "samples",
    multiple=True,
    metavar="FILE...",
    type=click.Path(),
    help="Write a contract and a recipe for these files instead of the example.",
)
@click.option(
    "--preset",
    type=click.Choice(["web", "clean", "none"]),
    help="What the recipe does to texts: 'web' cleans them, finds their language and drops texts of low "
    "quality (it needs the extra 'lang'), 'clean' only cleans, 'none' does neither. Default: clean; none "
    "with --from.",
)
@json_option
def init_command(
    folder: tuple[str, ...], samples: tuple[str, ...], preset: str | None, *, as_json: bool
) -> None:
    """Create a recipe, a few pages and a contract in FOLDER. 'builder build' runs on it as it is.

    With --from, the contract and the recipe are those of your files: the types of the members, which are
    required, and which look like text, HTML, URL or time. Without FOLDER, they are written to the current
    folder. The first 10,000 records of each file are looked at: builder init my-corpus --from items.jsonl
    """
    from builder.operations.init import init
    from builder.operations.init_from import init_from
    from builder.report.init import print_init

    if samples:
        more = [one for one in folder if Path(one).is_file()]
        place = _only([one for one in folder if one not in more] or ["."])
        print_init(init_from(place, [*samples, *more], preset=preset or "none"), as_json=as_json)
    else:
        print_init(init(_only(list(folder)), preset=preset or "clean"), as_json=as_json)


def _only(folders: list[str]) -> str:
    if not folders:
        raise click.UsageError("Missing argument 'FOLDER'.")
    if len(folders) > 1:
        raise click.UsageError(f"Got more than one FOLDER: {', '.join(folders)}.")
    if Path(folders[0]).is_file():
        raise click.BadParameter(f"Directory '{folders[0]}' is a file.", param_hint="'FOLDER'")
    return folders[0]
