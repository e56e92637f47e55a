"""Print the result of ``builder validate``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.report.json_text import print_json
from builder.report.losses import fault_lines
from builder.report.printer import print_lines, print_notice
from builder.report.table import counted, table_lines
from builder.report.verify import FAULTS_FOUND

if TYPE_CHECKING:
    from collections.abc import Iterator

    from builder.operations.judging import RecordFault
    from builder.operations.validate import FileVerdict, Validation

_MAX_FAULTS = 5
"""Maximum number of faults to show of one record; ``--json`` lists all."""


def print_validation(validation: Validation, *, as_json: bool) -> int:
    """Print the sums and the first faults of each file. Return exit status 4 if a record is invalid."""
    if as_json:
        print_json(validation)
    else:
        print_lines(_lines(validation))
        for warning in validation.warnings:
            print_notice(f"warning: {validation.contract}{warning}")
    return 0 if validation.is_valid else FAULTS_FOUND


def _lines(validation: Validation) -> Iterator[str]:
    for verdict in validation.files:
        yield from _file_lines(verdict)
    if validation.reasons:
        yield ""
        rows = sorted(validation.reasons.items(), key=lambda item: (-item[1], item[0]))
        yield from [*table_lines(rows, header=["reason", "records"]), ""]
    if validation.contract_faults:
        yield from [*fault_lines(validation.contract_faults), ""]
    if validation.n_not_pages:
        yield f"{counted(validation.n_not_pages, 'record')} of archives that are not pages: not judged"
    yield (
        f"{counted(validation.n_records, 'record')} against {validation.contract}: "
        f"{validation.n_valid:,} valid, "
        f"{validation.n_rejected:,} invalid, {validation.n_failed:,} unreadable"
    )


def _file_lines(verdict: FileVerdict) -> Iterator[str]:
    for place in verdict.places:
        yield f"{verdict.path}:{place.line or place.ordinal + 1}: {_place_text(place)}"
    left = verdict.n_rejected + verdict.n_failed - len(verdict.places)
    if left > 0:
        yield f"{verdict.path}: {left:,} more (use --json or --rejected FILE to list all)"


def _place_text(place: RecordFault) -> str:
    if not place.faults:
        return f"{place.outcome}/{place.reason}" + (f": {place.message}" if place.message else "")
    faults = [
        f"{fault.keyword}{f' at {fault.pointer}' if fault.pointer else ''}: {fault.message}"
        for fault in place.faults[:_MAX_FAULTS]
    ]
    more = len(place.faults) - len(faults)
    return "; ".join(faults) + (f"; {more} more" if more > 0 else "")
