"""Write a report to a file, and write the reports of a corpus again after a purge."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builder.corpus import split_address
from builder.corpus.names import is_report
from builder.errors import BuilderError, Fault
from builder.operations.overview.overview import look_over
from builder.pipeline.disk import reports_disk_faults
from builder.report.json_text import print_json
from builder.report.overview.diff_page import diff_html
from builder.report.overview.page import report_html
from builder.report.printer import print_line
from builder.summary import Summarised

if TYPE_CHECKING:
    from collections.abc import Sequence

    from builder.operations.diff import Diff
    from builder.removal.purge_reports import StoredReport

DEFAULT_REPORT = "report.html"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class WrittenReport(Summarised):
    """A report that was written: its file, its size, and its HTML."""

    corpus: Path
    version: str
    output: Path
    public: bool
    size_bytes: int
    html: str = field(repr=False)

    def document(self) -> dict[str, Any]:
        """Return the result as ``--json`` prints it."""
        facts = {"corpus": str(self.corpus), "version": self.version, "output": str(self.output)}
        return facts | {"public": self.public, "size_bytes": self.size_bytes}

    def _summary(self) -> dict[str, object]:
        return self.document()


@reports_disk_faults
def write_report(
    address: str | Path, output: str | Path = DEFAULT_REPORT, *, public: bool = False
) -> WrittenReport:
    """Write one HTML page that shows a version: what it is, why records are missing, and what it has.

    The same version gives the same bytes. The page has no script, and a browser makes no request for it.

    Args:
        address: ``FOLDER`` or ``FOLDER@VERSION``.
        output: the file to write. Directly in a corpus folder, its name must begin with ``report``.
        public: show counts and published documents only, so that the page can be shared.

    Raises:
        CorpusError: if the corpus or the version does not exist, or its rows were dropped.
        BuilderError: if the file cannot be written.

    >>> write_report("my-corpus/corpus", "report.html").public
    False
    """
    folder, _ = split_address(address)
    path = Path(output)
    _check_place(path, folder)
    view = look_over(address, public=public)
    html = report_html(view)
    data = html.encode()
    write_page(path, data, mode=0o644 if public else 0o600)
    return WrittenReport(
        corpus=folder, version=view.version, output=path, public=public, size_bytes=len(data), html=html
    )


def public_report(address: str | Path) -> bytes:
    """Return the public report of a version, to be published with it."""
    return report_html(look_over(address, public=True)).encode()


def rewrite_reports(corpus: Path, reports: Sequence[StoredReport]) -> list[str]:
    """Write reports again that a purge deleted; return the names of those that stay deleted."""
    left = []
    for one in reports:
        try:
            if one.version is None:
                raise BuilderError(Fault(where=one.name, what="does not say what it describes"))
            write_report(f"{corpus}@{one.version}", corpus / one.name, public=one.public)
        except BuilderError:
            left.append(one.name)
    return left


def write_diff(diff: Diff, output: str | Path) -> None:
    """Write the differences between two versions as an HTML page.

    Raises:
        BuilderError: if the file cannot be written, or would be in the corpus folder.
    """
    path = Path(output)
    _check_place(path, diff.corpus)
    write_page(path, diff_html(diff).encode(), mode=0o600)


def write_page(path: Path, data: bytes, *, mode: int) -> None:
    """Write an HTML page, whole or not at all.

    Raises:
        BuilderError: if the file cannot be written.
    """
    beside = path.with_name(f"{path.stem}.part.html")  # a purge finds it too, if this process is killed
    try:
        beside.unlink(missing_ok=True)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(data)
        beside.replace(path)
    except OSError as error:
        raise BuilderError(Fault(where=str(path), what=f"cannot be written: {error.strerror}")) from None


def print_report(written: WrittenReport, *, as_json: bool) -> None:
    """Print where the report is."""
    if as_json:
        print_json(written.document())
        return
    kind = "public report" if written.public else "report"
    print_line(
        f"{kind} of version {written.version} written to {written.output} ({written.size_bytes:,} bytes)"
    )
    if not written.public:
        print_line("it shows dropped texts and URLs; use --public for a report to share")


def _check_place(path: Path, corpus: Path) -> None:
    """Refuse a file inside the corpus that a purge would not find.

    Raises:
        BuilderError: if the file would be in a folder of the corpus, or have another name than a report.
    """
    place, inside = path.resolve(), corpus.resolve()
    if not place.is_relative_to(inside) or (place.parent == inside and is_report(place.name)):
        return
    what = f"is a place in the corpus folder {corpus} where a purge does not look for reports"
    advice = f"write to {corpus / DEFAULT_REPORT}, or to a file outside of the corpus"
    raise BuilderError(Fault(where=str(path), what=what, advice=advice))
