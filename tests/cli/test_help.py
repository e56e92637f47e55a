"""The help of each command explains it and has a working example."""

from __future__ import annotations

import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from builder.cli.main import COMMANDS, cli


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_an_example_that_parses(name: str) -> None:
    """The example calls this command with existing options."""
    done = CliRunner().invoke(cli, [name, "--help"])
    assert done.exit_code == 0
    assert "Example: builder " in done.output
    command = cli.get_command(click.Context(cli), name)
    assert command is not None and command.epilog is not None
    examples = command.epilog.removeprefix("Example: ").split(" && ")
    calls = [shlex.split(example)[1:] for example in examples]
    assert calls[0][0] == name
    for called, *args in calls:
        other = cli.get_command(click.Context(cli), called)
        assert other is not None
        other.make_context(called, args)


def test_the_list_of_commands_is_complete() -> None:
    """`builder --help` lists each command, and `builder/cli` has a file for each."""
    done = CliRunner().invoke(cli, ["--help"])
    assert [name for name in COMMANDS if f"\n  {name} " not in done.output] == []
    folder = Path(str(cli.callback.__code__.co_filename)).parent if cli.callback else Path()
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__", "interrupts", "main", "options"}
    assert {module for module, _ in COMMANDS.values()} == modules


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_help(name: str) -> None:
    """Users must not have to guess the meaning of an option."""
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    options = [param for param in command.params if isinstance(param, click.Option)]
    assert [option.name for option in options if not (option.help or "").endswith(".")] == []
