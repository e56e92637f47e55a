"""What ``builder verify`` found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from builder.report.json_text import print_json
from builder.report.table import size_text

if TYPE_CHECKING:
    from builder.build.verify import Verification

FAULTS_FOUND = 4


def print_verify(verification: Verification, *, as_json: bool) -> int:
    """Print every fault; exit status 4 if there is one."""
    if as_json:
        print_json(verification)
    else:
        for fault in verification.faults:
            click.echo(str(fault))
        found = f"{len(verification.faults):,} faults" if verification.faults else "clean"
        click.echo(
            f"{verification.corpus}: {found}; {verification.n_files:,} files, "
            f"{size_text(verification.n_bytes)}, {verification.n_rows:,} rows of "
            f"{', '.join(verification.versions) or 'no version'}"
        )
    return 0 if verification.clean else FAULTS_FOUND
