"""Print the result of ``builder plugin check``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.report.printer import print_line
from builder.report.table import counted
from builder.report.verify import FAULTS_FOUND

if TYPE_CHECKING:
    from builder.operations.plugin import PluginCheck


def print_plugin_check(check: PluginCheck) -> int:
    """Print a line for each law. Return exit status 4 if the stage breaks one."""
    package = f" of {check.package} {check.version}" if check.package else ""
    print_line(f"{check.stage}{package}: {counted(check.n_rows, 'row')}")
    for verdict in check.laws:
        print_line(f"  {'broken' if verdict.faults else 'ok':<6}  {verdict.law}")
        for fault in verdict.faults:
            print_line(f"          {fault}")
    return 0 if check.keeps_all else FAULTS_FOUND
