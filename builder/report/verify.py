"""Print the result of ``builder verify``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.progress.amounts import size_text
from builder.report.json_text import print_json
from builder.report.printer import print_line, print_lines
from builder.report.table import counted

if TYPE_CHECKING:
    from builder.operations.verify import Verification

FAULTS_FOUND = 4


def print_verify(verification: Verification, *, as_json: bool) -> int:
    """Print every fault. Return exit status 4 if there is one."""
    if as_json:
        print_json(verification)
    else:
        print_lines(map(str, verification.faults))
        print_lines(
            f"{version}: {counted(n_rows, 'row')} purged" for version, n_rows in verification.purged.items()
        )
        checked = verification.n_rows or verification.clean
        rows = counted(verification.n_rows, "row") if checked else "rows not checked"
        found = counted(len(verification.faults), "fault") if verification.faults else "clean"
        print_line(
            f"{verification.corpus}: {found}; {counted(verification.n_files, 'file')}, "
            f"{size_text(verification.n_bytes)}, {rows} of "
            f"{', '.join(verification.versions) or 'no version'}"
        )
    return 0 if verification.clean else FAULTS_FOUND
