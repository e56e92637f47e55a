"""Print the result of ``builder check``."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from builder.progress.amounts import size_text
from builder.release.result import reasons_document
from builder.report.bars.funnel import funnel_lines
from builder.report.build import nulled_lines
from builder.report.json_text import print_json
from builder.report.losses import fault_lines, message_lines, outcome_lines, unreadable_lines
from builder.report.passed_over import passed_over_lines
from builder.report.printer import print_line, print_lines, print_notice
from builder.report.table import counted, table_lines
from builder.report.verify import FAULTS_FOUND

if TYPE_CHECKING:
    from builder.hub.guard import VersionCheck
    from builder.operations.check import Check


def print_check(check: Check, *, as_json: bool) -> int:
    """Print stages, columns, inputs, the losses of the sample and the estimate.

    Warnings go to stderr. Return exit status 1 if a build would keep nothing.
    """
    if as_json:
        print_json(_document(check))
    else:
        print_lines(_lines(check))
        for warning in check.warnings:
            print_notice(f"warning: {warning}")
    if check.keeps_something:
        return 0
    print_notice(f"error: 0 of {counted(check.sample.n_records, 'sampled record')} would be kept")
    return 1


def _lines(check: Check) -> list[str]:
    estimate, sample = check.estimate, check.sample
    verdict = "the recipe can be built" if check.keeps_something else "a build would keep nothing"
    records = counted(sample.n_records, "record")
    parts = f"{sample.n_tasks:,} of {counted(sample.n_all_tasks, 'part')} of the inputs"
    spread = f"spread evenly over {parts}" if sample.n_tasks < sample.n_all_tasks else f"from {parts}"
    counts = ", ".join(f"{n:,} {outcome}" for outcome, n in sample.outcomes.items())
    tables = [outcome_lines(sample.reasons) if sample.n_records else []]
    tables += [fault_lines(sample.contract_faults), unreadable_lines(sample.unreadable)]
    tables += [message_lines(sample.messages, sample.unreadable)]
    return [
        f"{check.name}: {verdict}",
        f"contract  {check.contract}",
        f"stages    {', '.join(check.stages)}",
        f"inputs    {counted(check.n_inputs, 'file')}, {size_text(check.input_bytes)}",
        *passed_over_lines(check.passed_over),
        f"splits    {', '.join(check.splits)}",
        f"corpus    {check.corpus}",
        "",
        *table_lines(check.columns, header=["column", "type"]),
        "",
        f"sample of {records}, {spread}: {counts}",
        *nulled_lines(estimate.nulled, n_records=estimate.sample_records),
        *(line for table in tables if table for line in ("", *table)),
        "",
        f"estimate from a sample of {records}, of which {estimate.sample_kept:,} would be kept",
        f"time      about {_time_text(estimate.seconds)}",
        f"memory    about {size_text(estimate.memory_bytes)}",
        f"disk      about {size_text(estimate.disk_bytes)} while it runs",
        *(["", *_funnel(check)] if sample.n_records else []),
    ]


def _funnel(check: Check) -> list[str]:
    sample = check.sample
    return funnel_lines(
        sample.reasons, n_records=sample.n_records, stages=check.stages, sources=sample.sources
    )


def _document(check: Check) -> dict[str, Any]:
    facts = {field.name: getattr(check, field.name) for field in dataclasses.fields(check)}
    sample = check.sample
    return facts | {
        "columns": [{"name": name, "type": kind} for name, kind in check.columns],
        "sample": {
            "tasks": sample.n_tasks,
            "all_tasks": sample.n_all_tasks,
            "records": {"read": sample.n_records, **sample.outcomes},
            "reasons": reasons_document(sample.reasons),
            "contract_faults": [group.document() for group in sample.contract_faults],
            "unreadable_files": [one.document() for one in sample.unreadable],
            "messages": [one.document() for one in sample.messages],
        },
    }


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
