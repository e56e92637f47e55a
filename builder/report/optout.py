"""Print the published pages that a reservation covers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from builder.report.json_text import print_json
from builder.report.printer import print_line, print_lines
from builder.report.table import counted

if TYPE_CHECKING:
    from builder.operations.optout.covered import OptOutFindings
    from builder.operations.takedown import TakedownResult

MAX_SHOWN = 20
"""Maximum number of pages to show; ``--json`` and ``--write`` have all."""


def print_optout(
    findings: OptOutFindings, *, missing: bool, taken_down: TakedownResult | None, as_json: bool
) -> int:
    """Print the pages, and the sites without a robots.txt if asked for."""
    if as_json:
        print_json(_document(findings, taken_down))
        return 0
    print_lines(f"{one.url}: {one.evidence}" for one in findings.covered[:MAX_SHOWN])
    if (n_more := len(findings.covered) - MAX_SHOWN) > 0:
        print_line(f"and {n_more:,} more: --write FILE writes all of them")
    if missing:
        print_lines(f"{one}: no robots.txt in any archive" for one in findings.hosts_without_robots)
    n = len(findings.covered)
    pages = f"{n:,} of {counted(findings.n_pages, 'published page')}"
    print_line(f"{findings.corpus}@{findings.version}: a reservation covers {pages}")
    print_line(f"{counted(len(findings.hosts_without_robots), 'site')} without a robots.txt")
    if taken_down is not None and not taken_down.nothing_new:
        print_line(f"taken down in version {taken_down.version}")
    elif n and taken_down is None:
        print_line(f"next: builder optout {findings.corpus} --takedown --because TEXT")
    return 0


def _document(findings: OptOutFindings, taken_down: TakedownResult | None) -> dict[str, Any]:
    return {
        "corpus": findings.corpus,
        "version": findings.version,
        "policy": findings.policy,
        "pages": findings.n_pages,
        "covered": list(findings.covered),
        "hosts_without_robots": list(findings.hosts_without_robots),
        "taken_down_in": taken_down.version if taken_down and not taken_down.nothing_new else None,
    }
