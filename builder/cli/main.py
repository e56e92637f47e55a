"""The command ``builder``: finds its commands by name and imports one only when it is called."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import click

from builder._version import __version__
from builder.errors import BuilderError

COMMANDS = {
    "init": ("start", "Write a recipe, a few pages and a contract to start from."),
    "check": ("check", "Check a recipe, or a version; nothing is written."),
    "build": ("build", "Build a new version of a corpus from a recipe."),
    "validate": ("validate", "Check any file against any JSON Schema."),
    "dedup": ("dedup", "Remove exact and near duplicates from files."),
    "versions": ("versions", "List the versions of a corpus."),
    "diff": ("diff", "Tell what changed between two versions, row by row."),
    "verify": ("verify", "Hash everything again and compare."),
    "why": ("why", "Tell what became of a page."),
    "publish": ("publish", "Put a version on the Hugging Face Hub."),
    "fetch": ("publish", "Get a version from the Hugging Face Hub."),
    "rejected": ("rejected", "Write the rejected records to a file, to be mended."),
    "takedown": ("takedown", "Write a version without some pages, which never come back."),
    "yank": ("withdraw", "Mark a version as not to be used, or take that back."),
    "drop": ("withdraw", "Delete the rows of an old version; its name and digest stay."),
    "gc": ("withdraw", "Free what no version uses."),
    "schema": ("schema", "Print a built-in contract or the recipe's schema."),
}


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports none of them to list them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """List the commands in the order in which a user meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        module, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(f"builder.cli.{module}"), f"{cmd_name}_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with: builder init my-corpus && builder build my-corpus/recipe.yaml",
)
@click.version_option(__version__, prog_name="builder")
def cli() -> None:
    """Scraped pages in; a versioned, contract-checked, deduplicated dataset out.

    Every page that went in can be accounted for.
    """


def main(args: list[str] | None = None) -> None:
    """Run the command line; a BuilderError becomes lines on stderr and an exit status."""
    try:
        status = cli.main(args=args, prog_name="builder", standalone_mode=False)
    except BuilderError as error:
        for line in str(error).splitlines():
            click.echo(f"error: {line}", err=True)
        sys.exit(error.exit_status)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted; what was finished is kept, the same command goes on from there", err=True)
        sys.exit(130)
    sys.exit(_status(status))


def _status(result: Any) -> int:
    return result if isinstance(result, int) else 0
