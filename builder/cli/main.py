"""The command ``builder``. It finds a command by name and imports it only when it is called."""

from __future__ import annotations

import io
import os
import sys
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn

import click

from builder._version import __version__
from builder.cli.interrupts import INTERRUPTED_STATUS, interruptible
from builder.errors import BuilderError, Fault
from builder.report.printer import (
    INTERRUPTED,
    leave_closed_output,
    print_bug,
    print_error,
    print_notice,
    print_usage,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = {
    "init": ("start", "Create a recipe, a few pages and a contract to start from."),
    "check": ("check", "Check a recipe or a version, and estimate what a build takes."),
    "tune": ("tune", "Choose thresholds: show what others would remove."),
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
    "report": ("report", "Write one HTML page that shows a version."),
    "rejected": ("rejected", "Export rejected records so that you can fix and re-feed them."),
    "takedown": ("takedown", "Remove pages in a new version and keep them out for good."),
    "optout": ("optout", "List published pages that a later reservation covers."),
    "yank": ("withdraw", "Mark a version as not to be used, or undo that."),
    "drop": ("withdraw", "Delete the rows of an old version. Its number and digest stay."),
    "gc": ("withdraw", "Delete files that no version uses."),
    "plugin": ("plugin", "Check a stage of your own."),
    "schema": ("schema", "Print a built-in contract or the schema of recipes."),
}


class LazyGroup(click.Group):
    """A group of commands that lists its commands without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """List the commands in the order in which a user needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command.

        Raises:
            UsageError: if no command has this name. The message names the nearest one.
        """
        if cmd_name not in COMMANDS:
            near = [f"Did you mean {one!r}?" for one in get_close_matches(cmd_name, COMMANDS, n=1)]
            raise click.UsageError(" ".join([f"No such command {cmd_name!r}.", *near]), ctx)
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
    words = sys.argv[1:] if args is None else args
    as_json = "--json" in (words[: words.index("--")] if "--" in words else words)
    try:
        with interruptible():
            status = cli.main(args=args, prog_name="builder", standalone_mode=False)
            sys.stdout.flush()
    except BuilderError as error:
        print_error(error)
        _fail(error.faults, error.exit_status, as_json=as_json)
    except BrokenPipeError:
        leave_closed_output()
    except OSError as error:
        fault = _os_fault(error)
        print_error(BuilderError(fault))
        _fail([fault], 1, as_json=as_json)
    except UnicodeEncodeError as error:
        if sys.getfilesystemencoding() == "utf-8":
            raise
        fault = _outside_the_locale(error)
        print_error(BuilderError(fault))
        _fail([fault], 1, as_json=as_json)
    except MemoryError:
        advice = "close other programs, or use fewer --workers"
        fault = Fault(where="", what="there is not enough memory", advice=advice)
        print_error(BuilderError(fault))
        _fail([fault], 1, as_json=as_json)
    except click.ClickException as error:
        _print_usage(error)
        _fail([Fault(where="", what=error.format_message())], error.exit_code, as_json=as_json)
    except (click.Abort, KeyboardInterrupt):
        print_notice(INTERRUPTED)
        _fail([Fault(where="", what=INTERRUPTED)], INTERRUPTED_STATUS, as_json=as_json)
    sys.exit(_status(status))


def _fail(faults: Sequence[Fault], exit_status: int, *, as_json: bool) -> NoReturn:
    """End, after the faults were printed for people; with ``as_json``, print them as a document too."""
    if as_json:
        from builder.report.json_text import print_json

        print_json({"faults": list(faults)})
    sys.exit(exit_status)


def _os_fault(error: OSError) -> Fault:
    """Return in one line what the system refused."""
    name = error.filename
    place = os.fsdecode(name) if isinstance(name, (str, bytes)) else ""
    return Fault(where=place, what=str(error.strerror or error or type(error).__name__))


def _outside_the_locale(error: UnicodeEncodeError) -> Fault:
    """Explain that a file name has no form in the encoding of the locale."""
    encoding = sys.getfilesystemencoding()
    what = f"{error.object[:200]!a} is not a file name in the locale's encoding, {encoding}"
    advice = "set the environment variable PYTHONUTF8=1, or use a UTF-8 locale"
    return Fault(where="", what=what, advice=advice)


def _print_usage(error: click.ClickException) -> None:
    """Say how the command is called, and what is wrong with this call."""
    said = io.StringIO()
    error.show(file=said)
    print_usage(said.getvalue())


def _status(result: Any) -> int:
    return result if isinstance(result, int) else 0
