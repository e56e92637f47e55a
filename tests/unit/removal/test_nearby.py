"""Find published documents that are similar to a document of a takedown."""

from __future__ import annotations

from pathlib import Path

from planted import sentence
from renamed_columns import build_renamed

from builder import takedown


def test_a_near_duplicate_is_listed_with_its_url_whatever_the_column_is_called(tmp_path: Path) -> None:
    """A person decides by the URL, and the recipe names the URL column."""
    half = " ".join(sentence(1, 60).split()[:52]) + " " + sentence(9, 8)
    pages = [
        {"url": "https://a.example/1", "text": sentence(1, 60)},
        {"url": "https://a.example/2", "text": half},
        {"url": "https://a.example/3", "text": sentence(3)},
    ]
    near = {"dedup_near": {"threshold": 0.9, "bands": 60, "rows": 1}}
    corpus = build_renamed(tmp_path, pages, stages=[near]).corpus
    result = takedown(corpus, urls=["https://a.example/1"], because="asked")
    assert [one.url for one in result.nearby] == ["https://a.example/2"]
