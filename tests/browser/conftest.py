"""Fixtures: a browser without a network, and pages of three corpora."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from reported import build_reported

from builder import diff, takedown, write_report
from builder.report.overview.write import write_diff

GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "corpus-1"
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The browser of BUILDER_CHROMIUM, or the one that is installed."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = os.environ.get("BUILDER_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("chromium is not installed (set BUILDER_CHROMIUM to its path)")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=list(OPTIONS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Reports of a hostile corpus and of one with several versions, and their differences."""
    folder = tmp_path_factory.mktemp("pages")
    corpus = build_reported(folder).corpus
    write_report(corpus, folder / "private.html")
    write_report(corpus, folder / "public.html", public=True)
    takedown(corpus, urls=["https://first.example/"], because="asked")
    write_diff(diff(corpus, "1.0.0", "2.0.0"), folder / "diff.html")
    write_report(GOLDEN, folder / "golden.html")
    return {name: folder / f"{name}.html" for name in ("private", "public", "diff", "golden")}
