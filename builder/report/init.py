"""Print the files that ``builder init`` created."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

from builder.report.json_text import print_json

if TYPE_CHECKING:
    from builder.operations.init import InitResult


def print_init(started: InitResult, *, as_json: bool) -> None:
    """Print the files and the next command."""
    if as_json:
        print_json(started)
        return
    click.echo("\n".join(str(path) for path in started.files))
    click.echo(f"\nnext: builder build {shlex.quote(str(started.recipe))}")
