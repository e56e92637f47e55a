"""Patterns of URLs in a source: unwanted records are rejected with a reason, before other stages."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commands import ledger_rows

from builder import BuildResult
from builder.errors import RecipeError

URLS = [
    "https://www.example.org/blog/1",
    "https://www.example.org/tag/1",
    "http://www.example.org/blog/2",
    "https://other.example/blog/3",
    None,
]


def source(**options: Any) -> dict[str, Any]:
    """Return a recipe's sources: one that selects, and one that reads everything."""
    both = [{"jsonl": {"path": "a.jsonl", **options}}, {"jsonl": {"path": "a.jsonl", "name": "all"}}]
    return {"sources": both}


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    """Write five records with texts of their own; the last has no URL."""
    lines = [json.dumps({"url": url, "text": f"Text number {n} of a page."}) for n, url in enumerate(URLS)]
    (tmp_path / "a.jsonl").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_each_record_that_a_source_does_not_select_has_a_reason(
    feed: Path, make: Callable[..., BuildResult]
) -> None:
    """The stage is the kind of the source, as for records that the reader rejects; `all` is untouched."""
    options = source(urls=["*.example.org/*"], skip_urls=["*/tag/*"], schemes=["https"])
    result = make(recipe=options, stages=["dedup_exact"])
    rows = ledger_rows(feed / "corpus")
    found = [
        (row["url"], row["outcome"], row["stage"], row["reason"]) for row in rows if row["source"] == "jsonl"
    ]
    assert found == [
        (URLS[0], "kept", None, None),
        (URLS[1], "rejected", "jsonl", "url_skipped"),
        (URLS[2], "rejected", "jsonl", "scheme_not_selected"),
        (URLS[3], "rejected", "jsonl", "url_not_selected"),
        (None, "rejected", "jsonl", "url_not_selected"),
    ]
    assert [row["outcome"] for row in rows if row["source"] == "all"] == ["merged", *["kept"] * 4]
    assert result.outcomes["rejected"] == 4


def test_other_patterns_need_a_full_rebuild(feed: Path, make: Callable[..., BuildResult]) -> None:
    """They decide which rows are published."""
    make(recipe=source(urls=["*"]), stages=["dedup_exact"])
    notices: list[str] = []
    make(recipe=source(urls=["*.example.org"]), stages=["dedup_exact"], notice=notices.append)
    assert "the options of the source jsonl have changed" in notices[0]


def test_patterns_need_a_column_of_urls(feed: Path, make: Callable[..., BuildResult]) -> None:
    """Without one, every record would be rejected."""
    with pytest.raises(RecipeError, match="patterns of URLs need a column"):
        make(recipe={**source(urls=["*"]), "columns": {"url": None}}, stages=["dedup_exact"])
