"""What ``builder check`` found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from builder.report.json_text import print_json
from builder.report.table import size_text, table_lines

if TYPE_CHECKING:
    from builder.build.check import Check


def print_check(check: Check, *, as_json: bool) -> None:
    """Print stages, columns, inputs and the estimate."""
    if as_json:
        print_json(check)
        return
    estimate = check.estimate
    lines = [
        f"{check.name}: the recipe can be built",
        f"contract {check.contract}; stages {', '.join(check.stages)}",
        f"inputs   {check.n_inputs:,} files, {size_text(check.input_bytes)}",
        f"splits   {', '.join(check.splits)}",
        f"corpus   {check.corpus}",
        "",
        *table_lines(check.columns, header=["column", "type"]),
        "",
        f"estimate from {estimate.sample_records:,} records; {estimate.sample_kept:,} of them would be kept:",
        f"  time     about {_time_text(estimate.seconds)}",
        f"  memory   about {size_text(estimate.memory_bytes)}",
        f"  disk     about {size_text(estimate.disk_bytes)} while it runs",
    ]
    click.echo("\n".join(lines))


def _time_text(seconds: float) -> str:
    if seconds < 90:
        return f"{max(seconds, 1):.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"
