"""Find the reports that are in a corpus folder: they may show what a purge deletes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from builder.charts.page import GENERATOR
from builder.corpus.names import is_report

if TYPE_CHECKING:
    from pathlib import Path

    from builder.corpus import Corpus

_HEAD_BYTES = 4_096
_KIND = re.compile(
    rb'content="' + GENERATOR.encode() + rb'report (public|private) (\d+\.\d+\.\d+) [0-9a-f]{64}"'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReport:
    """A report in a corpus folder. ``version`` is None if the file does not say what it describes."""

    name: str
    version: str | None
    public: bool = False


def find_reports(corpus: Corpus) -> tuple[StoredReport, ...]:
    """List the reports directly in the corpus folder, sorted by name. Links are not followed."""
    paths = sorted(corpus.path.iterdir())
    return tuple(
        _describe(one) for one in paths if is_report(one.name) and not one.is_symlink() and one.is_file()
    )


def _describe(path: Path) -> StoredReport:
    with path.open("rb") as file:
        found = _KIND.search(file.read(_HEAD_BYTES))
    if found is None:
        return StoredReport(name=path.name, version=None)
    return StoredReport(name=path.name, version=found[2].decode(), public=found[1] == b"public")
