"""Find a page among the published documents if a corpus has no ledger."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from planted import sentence
from renamed_columns import build_renamed

from builder import Corpus
from builder.operations.why import why
from builder.operations.why_published import find_published

PAGES = [{"url": f"https://a.example/{i}", "text": sentence(i)} for i in range(3)]


@pytest.mark.parametrize("page", ["https://a.example/1", "https://A.example:443/1#top"])
def test_a_page_is_found_by_its_url_whatever_the_column_is_called(page: str, tmp_path: Path) -> None:
    """The recipe names the URL column; the result calls it ``url`` for every recipe."""
    corpus = Corpus(build_renamed(tmp_path, PAGES).corpus)
    (found,) = find_published(corpus, "1.0.0", page)
    assert found["url"] == "https://a.example/1"
    assert find_published(corpus, "1.0.0", found["document_id"]) == [found]


def test_why_finds_a_page_of_a_fetched_corpus(tmp_path: Path) -> None:
    """A fetched corpus has no ledger, so the page is looked up in its rows."""
    corpus = Corpus(build_renamed(tmp_path, PAGES).corpus)
    corpus.ledger_file("1.0.0").unlink()
    (history,) = why(f"{corpus.path}@1.0.0", "https://a.example/2").histories
    assert ([row["url"] for row in history.documents], history.ledger) == (["https://a.example/2"], False)


def test_a_column_called_url_that_is_not_the_url_is_not_searched(tmp_path: Path) -> None:
    """The role of a column counts, not its name."""
    columns = {"text": "url", "url": "link", "fetched_at": "seen"}
    corpus = Corpus(build_renamed(tmp_path, PAGES, columns=columns).corpus)
    assert find_published(corpus, "1.0.0", sentence(1)) == []
    (found,) = find_published(corpus, "1.0.0", "https://a.example/1")
    assert found["url"] == "https://a.example/1"


def test_a_page_without_a_url_is_found_by_its_id(tmp_path: Path) -> None:
    """Without a URL column, no URL finds it, and the result has no URL."""
    pages = [{"text": sentence(i)} for i in range(3)]
    corpus = Corpus(build_renamed(tmp_path, pages, stages=[{"dedup_exact": {}}]).corpus)
    assert find_published(corpus, "1.0.0", "https://a.example/1") == []
    (path,) = corpus.data_files("1.0.0")["train"]
    one = pq.read_table(path)["id"][0].as_py()
    (found,) = find_published(corpus, "1.0.0", one)
    assert (found["document_id"], found["url"]) == (one, None)
