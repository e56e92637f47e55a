"""Examples of the written pages run on the corpus that `init` and `build` create."""

from __future__ import annotations

import contextlib
import io
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from builder.domain.url import TRACKING, TRACKING_PREFIXES, URL_RULES, canonical_url
from builder.kernels.dedup.bands import choose, found

DOCS = Path(__file__).resolve().parents[2] / "docs"


def blocks(page: str, language: str) -> list[str]:
    """Return the examples of a page."""
    return re.findall(rf"```{language}\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)


@pytest.mark.parametrize("page", ["ledger.md", "python.md"])
def test_python_examples_run(page: str, start: Any, tmp_path: Path) -> None:
    """Each block runs by itself next to `my-corpus`, and prints something."""
    shutil.copytree(start.folder / "my", tmp_path / "my-corpus", symlinks=True)
    assert blocks(page, "python")
    for text in blocks(page, "python"):
        out = io.StringIO()
        with contextlib.chdir(tmp_path), contextlib.redirect_stdout(out):
            exec(compile(text, page, "exec"), {})
        assert out.getvalue().strip()


def test_the_table_of_canonical_urls_is_right() -> None:
    """Each example has the canonical form in its row, and the page names every removed parameter."""
    text = (DOCS / "deduplication.md").read_text()
    table = text.split("| as it came |")[1].split("Parameters that are removed")[0]
    rows = re.findall(r"^\| `(\S+)` \| (?:`(\S+)`|none) \|$", table, re.MULTILINE)
    assert len(rows) == 7
    assert {url: canonical or None for url, canonical in rows} == {url: canonical_url(url) for url, _ in rows}
    assert f"These rules have the number {URL_RULES}." in text
    named = text.split("Parameters that are removed")[1].split("Canonical URLs are only compared")[0]
    assert set(re.findall(r"`(\w+)`", named)) == {*TRACKING, *TRACKING_PREFIXES}


def test_the_table_of_bands_is_right() -> None:
    """Bands, rows and probability are those of the stage."""
    text = (DOCS / "deduplication.md").read_text()
    rows = re.findall(r"^\| ([\d.]+) \| (\d+) x (\d+) \| ([\d.]+) % \|$", text, re.MULTILINE)
    assert rows
    for threshold, n_bands, n_rows, chance in rows:
        bands, width = choose(float(threshold))
        assert (bands, width) == (int(n_bands), int(n_rows))
        assert f"{found(float(threshold), bands=bands, rows=width):.1%}" == f"{chance}%"


def test_every_column_of_the_ledger_is_explained() -> None:
    """The page names each column of the three tables."""
    from builder.domain.ledger import CLUSTERS_SCHEMA, LEDGER_SCHEMA, REJECTED_SCHEMA

    text = (DOCS / "ledger.md").read_text()
    ledger, rest = text.split("`rejected.parquet` has a row")
    rejected, clusters = rest.split("`clusters.parquet` has a row")
    for part, columns in ((ledger, LEDGER_SCHEMA), (rejected, REJECTED_SCHEMA), (clusters, CLUSTERS_SCHEMA)):
        rows = "\n".join(line.split("|")[1] for line in part.splitlines() if line.startswith("| `"))
        assert [name for name in columns.names if f"`{name}`" not in rows] == []
