"""Print why a command failed: as lines on stderr, or with ``--json`` as a document on stdout."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from builder.errors import Fault


def print_faults(faults: Sequence[Fault]) -> None:
    """Print each fault as a line on stderr."""
    for fault in faults:
        for line in str(fault).splitlines():
            click.echo(f"error: {line}", err=True)


def print_faults_document(faults: Sequence[Fault]) -> None:
    """Print all faults as one JSON document on stdout."""
    from builder.report.json_text import print_json

    print_json({"faults": list(faults)})
