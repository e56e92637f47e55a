"""The command ``builder``. It finds a command by name and imports it only when it is called."""

from __future__ import annotations

import io
import os
import sys
from importlib import import_module
from typing import Any, NoReturn

import click

from builder._version import __version__
from builder.cli.interrupts import INTERRUPTED_STATUS, interruptible
from builder.errors import BuilderError
from builder.report.printer import (
    INTERRUPTED,
    leave_closed_output,
    print_bug,
    print_error,
    print_notice,
    print_usage,
)

COMMANDS = {
    "init": ("start", "Create a recipe, a few pages and a contract to start from."),
    "check": ("check", "Check a recipe or a version, and estimate what a build takes."),
    "build": ("build", "Build a new version of a corpus from a recipe."),
    "validate": ("validate", "Check any file against any JSON Schema."),
    "dedup": ("dedup", "Remove exact and near duplicates from files."),
    "versions": ("versions", "List the versions of a corpus."),
    "diff": ("diff", "Show what changed between two versions, row by row."),
    "verify": ("verify", "Hash all files of a corpus and report what was changed."),
    "why": ("why", "Explain what happened to a page."),
    "publish": ("publish", "Publish a version to the Hugging Face Hub."),
    "fetch": ("publish", "Download a version from the Hugging Face Hub."),
    "show": ("show", "Show records that were kept or dropped, with their texts."),
    "rejected": ("rejected", "Export rejected records so that you can fix and re-feed them."),
    "takedown": ("takedown", "Remove pages in a new version and keep them out for good."),
    "yank": ("withdraw", "Mark a version as not to be used, or undo that."),
    "drop": ("withdraw", "Delete the rows of an old version. Its number and digest stay."),
    "gc": ("withdraw", "Delete files that no version uses."),
    "schema": ("schema", "Print a built-in contract or the schema of recipes."),
}


class LazyGroup(click.Group):
    """A group of commands that lists its commands without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """List the commands in the order in which a user needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        module, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(f"builder.cli.{module}"), f"{cmd_name}_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Format the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with: builder init my-corpus && builder build my-corpus/recipe.yaml",
)
@click.version_option(__version__, prog_name="builder")
def cli() -> None:
    """Turn scraped pages into a versioned, contract-checked, deduplicated dataset.

    Every input page is accounted for in the ledger.
    """


def main(args: list[str] | None = None) -> None:
    """Run the command line. A BuilderError becomes lines on stderr and an exit status."""
    sys.excepthook = print_bug
    try:
        with interruptible():
            status = cli.main(args=args, prog_name="builder", standalone_mode=False)
            sys.stdout.flush()
    except BuilderError as error:
        print_error(error)
        sys.exit(error.exit_status)
    except BrokenPipeError:
        leave_closed_output()
    except OSError as error:
        _report_os_error(error)
    except MemoryError:
        print_notice("error: there is not enough memory (close other programs, or use fewer --workers)")
        sys.exit(1)
    except click.ClickException as error:
        _report_usage(error)
    except (click.Abort, KeyboardInterrupt):
        print_notice(INTERRUPTED)
        sys.exit(INTERRUPTED_STATUS)
    sys.exit(_status(status))


def _report_os_error(error: OSError) -> NoReturn:
    """Say in one line what the system refused, and end."""
    name = error.filename
    place = f"{os.fsdecode(name)}: " if isinstance(name, (str, bytes)) else ""
    print_notice(f"error: {place}{error.strerror or error or type(error).__name__}")
    sys.exit(1)


def _report_usage(error: click.ClickException) -> NoReturn:
    """Say how the command is called, and what is wrong with this call."""
    said = io.StringIO()
    error.show(file=said)
    print_usage(said.getvalue())
    sys.exit(error.exit_code)


def _status(result: Any) -> int:
    return result if isinstance(result, int) else 0
