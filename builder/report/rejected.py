"""What ``builder rejected`` wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from builder.report.json_text import print_json
from builder.report.table import counted

if TYPE_CHECKING:
    from builder.operations.rejected import RejectedRecords


def print_rejected(written: RejectedRecords, *, as_json: bool) -> None:
    """Print how many records went where."""
    if as_json:
        print_json(written)
        return
    click.echo(f"{counted(written.n_written, 'record')} of {written.version} in {written.output}")
    click.echo(f"what was wrong with each, a line for each, in {written.faults}")
    if left := written.n_cut + written.n_without_bytes:
        what = f"{counted(left, 'record')} more could not be kept as they came"
        click.echo(f"{what}: their faults stand in the second file, with a line of null")
