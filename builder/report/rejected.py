"""What ``builder rejected`` wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from builder.report.json_text import print_json

if TYPE_CHECKING:
    from builder.build.rejected import RejectedRecords


def print_rejected(written: RejectedRecords, *, as_json: bool) -> None:
    """Print how many records went where."""
    if as_json:
        print_json(written)
        return
    click.echo(f"{written.n_written:,} records of {written.version} in {written.output}")
    click.echo(f"what was wrong with each, line by line, in {written.faults}")
    if left := written.n_cut + written.n_without_bytes:
        click.echo(
            f"{left:,} more were too big to keep or could not be read; their places are in the second file"
        )
