"""``builder plugin``: work on stages of other packages."""

from __future__ import annotations

import click

from builder.cli.options import json_option


@click.group("plugin", epilog="Example: builder plugin check min_words --set words=100")
def plugin_command() -> None:
    """Check a stage of your own.

    `builder plugin check NAME` applies the stage to rows of a sample, and compares what it does with the laws
    that every stage keeps.
    """


@plugin_command.command("check", epilog="Example: builder plugin check min_words --set words=100")
@click.argument("name")
@click.option(
    "--set", "settings", metavar="KEY=VALUE", multiple=True, help="Set an option of the stage. Repeatable."
)
@click.option(
    "--contract",
    metavar="CONTRACT",
    default="page-1",
    show_default=True,
    help="Contract whose columns the rows have: a built-in one, or a JSON Schema.",
)
@json_option
def check_plugin_command(name: str, *, settings: tuple[str, ...], contract: str, as_json: bool) -> int:
    """Check that the installed stage NAME keeps the laws of stages.

    Each row that comes in is kept or rejected once, kept rows stay in order and have the columns that `bind`
    returns, other columns stay as they are, reasons are declared, batches and repeated runs give the same
    rows, also in other processes, and no row raises. Exit status 4 if the stage breaks a law.

    The rows have texts, pages and URLs that break stages, and the columns that the stage names in `needs` and
    `uses` and that the stages `signals` and `language` measure.
    """
    from builder.operations.plugin import check_plugin
    from builder.recipe.text import apply_settings
    from builder.report.plugin import print_plugin_check

    return print_plugin_check(
        check_plugin(name, options=apply_settings({}, settings), contract=contract), as_json=as_json
    )
