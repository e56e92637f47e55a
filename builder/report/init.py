"""Print the files that ``builder init`` created."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from builder.report.json_text import print_json
from builder.report.printer import print_lines

if TYPE_CHECKING:
    from builder.operations.init import InitResult


def print_init(started: InitResult, *, as_json: bool) -> None:
    """Print the files and the next command."""
    if as_json:
        print_json(started)
        return
    print_lines([*map(str, started.files), "", f"next: builder build {shlex.quote(str(started.recipe))}"])
