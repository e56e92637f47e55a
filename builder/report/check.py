"""Print the result of ``builder check``."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from builder.report.build import nulled_lines
from builder.report.json_text import print_json
from builder.report.printer import print_line, print_lines, print_notice
from builder.report.table import counted, size_text, table_lines
from builder.report.verify import FAULTS_FOUND

if TYPE_CHECKING:
    from builder.hub.guard import VersionCheck
    from builder.operations.check import Check


def print_check(check: Check, *, as_json: bool) -> None:
    """Print stages, columns, inputs and the estimate."""
    if as_json:
        print_json(_document(check))
        return
    estimate = check.estimate
    sample = f"{counted(estimate.sample_records, 'record')}, of which {estimate.sample_kept:,} would be kept"
    lines = [
        f"{check.name}: the recipe can be built",
        f"contract  {check.contract}",
        f"stages    {', '.join(check.stages)}",
        f"inputs    {counted(check.n_inputs, 'file')}, {size_text(check.input_bytes)}",
        f"splits    {', '.join(check.splits)}",
        f"corpus    {check.corpus}",
        "",
        *table_lines(check.columns, header=["column", "type"]),
        "",
        f"estimate from a sample of {sample}",
        *nulled_lines(estimate.nulled, n_records=estimate.sample_records),
        f"time      about {_time_text(estimate.seconds)}",
        f"memory    about {size_text(estimate.memory_bytes)}",
        f"disk      about {size_text(estimate.disk_bytes)} while it runs",
    ]
    print_lines(lines)


def _document(check: Check) -> dict[str, Any]:
    facts = {field.name: getattr(check, field.name) for field in dataclasses.fields(check)}
    return facts | {"columns": [{"name": name, "type": kind} for name, kind in check.columns]}


def print_version_check(check: VersionCheck, *, as_json: bool) -> int:
    """Print the faults of a version, or that it is fit to be published. Return exit status 4 if it is not."""
    if as_json:
        print_json(check)
        return FAULTS_FOUND if check.faults else 0
    print_lines(map(str, check.faults))
    for warning in check.warnings:
        print_notice(f"warning: {warning}")
    found = counted(len(check.faults), "fault") if check.faults else "fit to be published"
    rows = ", ".join(f"{name} {counted(n, 'row')}" for name, n in check.rows.items()) or "no rows"
    print_line(f"{check.corpus}@{check.version}: {found}; {counted(check.n_shards, 'shard')}, {rows}")
    return FAULTS_FOUND if check.faults else 0


def _time_text(seconds: float) -> str:
    if seconds < 90:
        return "a second" if seconds < 1.5 else f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"
