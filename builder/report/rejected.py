"""Print what ``builder rejected`` exported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.report.json_text import print_json
from builder.report.printer import print_line
from builder.report.table import counted

if TYPE_CHECKING:
    from builder.operations.rejected import RejectedRecords


def print_rejected(written: RejectedRecords, *, as_json: bool) -> None:
    """Print how many records were written to which file."""
    if as_json:
        print_json(written)
        return
    print_line(
        f"{counted(written.n_written, 'record')} of version {written.version} written to {written.output}"
    )
    print_line(f"faults of each record written to {written.faults}")
    if left := written.n_cut + written.n_without_bytes:
        what = f"{counted(left, 'more record')} could not be exported, because their bytes were not kept"
        print_line(f"{what}; the second file lists their faults with `line` null")
    if later := written.n_by_stages:
        print_line(f"{counted(later, 'more record')} left at a later stage; `builder show` prints them")
