"""`publish --with-report`: the public report goes along with its version, and no other page ever does."""

from __future__ import annotations

from pathlib import Path

import pytest
from hub.looks import REPO, commit_at, text_at
from hub.process import StandIn

from builder import Corpus, publish, write_report
from builder.errors import PublishError

REPORT = "builder-report.html"


def with_report(hub: StandIn, corpus: Corpus, version: str, *options: str) -> None:
    done = hub.builder("publish", f"{corpus.path}@{version}", "--repo", REPO, *options)
    assert done.returncode == 0, done.stderr


def test_the_public_report_is_published_with_its_version(
    hub: StandIn, corpus: Corpus, tmp_path: Path
) -> None:
    """The Hub has the bytes that `report --public` writes, and no word of a rejected page."""
    with_report(hub, corpus, "1.1.0", "--with-report")
    written = write_report(f"{corpus.path}@1.1.0", tmp_path / "r.html", public=True)
    assert text_at(hub, "v1.1.0", REPORT) == written.html
    assert "https://example.org/rejected" not in written.html
    with_report(hub, corpus, "1.1.0", "--with-report")


def test_a_newer_version_without_a_report_removes_the_old_one(hub: StandIn, corpus: Corpus) -> None:
    """A report of another version next to the data would mislead; at its tag it stays."""
    with_report(hub, corpus, "1.0.0", "--with-report")
    with_report(hub, corpus, "1.1.0")
    assert REPORT not in commit_at(hub, "main").files
    assert REPORT in commit_at(hub, "v1.0.0").files


@pytest.mark.parametrize(("version", "public"), [("1.1.0", False), ("1.0.0", True)])
def test_another_page_is_refused(corpus: Corpus, tmp_path: Path, version: str, public: bool) -> None:
    """Neither a private report nor that of another version leaves the machine."""
    page = write_report(f"{corpus.path}@{version}", tmp_path / "r.html", public=public).html.encode()
    with pytest.raises(PublishError, match=r"is not the public report of version 1\.1\.0"):
        publish(f"{corpus.path}@1.1.0", REPO, report=page)
