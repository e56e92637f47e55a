"""A build on a corpus without an index (a fetched corpus) makes the index from its rows."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from planted import ledger_of, sentence, write_lines

from builder import BuildResult, Corpus, takedown
from builder.corpus import verify_files
from builder.corpus.names import ROOT_SEAL
from builder.corpus.seals import RootSeal, Sealed, VersionSeal
from builder.history.lineage import Lineage

Make = Callable[..., BuildResult]


def forget(corpus: Path, version: str) -> None:
    """Remove the index and the audit of a version, as in a fetched corpus."""
    for name in (".index", ".audit"):
        shutil.rmtree(corpus / name / version)
        (corpus / name / version).mkdir()
    path = corpus / ".seals" / f"{version}.json"
    seal = VersionSeal.parse(path.read_bytes(), where=version)
    sealed = VersionSeal(version=version, digest=seal.digest, files={}).to_bytes()
    path.write_bytes(sealed)
    root = RootSeal.parse((corpus / ROOT_SEAL).read_bytes(), where=ROOT_SEAL)
    versions = {**root.versions, version: {**root.versions[version], "seal": Sealed.of(sealed).sha256}}
    facts = {"name": root.name, "latest": root.latest, "unused": root.unused, "files": root.files}
    (corpus / ROOT_SEAL).write_bytes(RootSeal(versions=versions, **facts).to_bytes())


@pytest.fixture
def fetched(make: Make, tmp_path: Path) -> Path:
    rows = [{"url": f"https://a.example/{i}", "text": sentence(i)} for i in range(12)]
    write_lines(tmp_path / "feed/a.jsonl", rows)
    corpus = make().corpus
    forget(corpus, "1.0.0")
    return corpus


def test_additions_are_compared_with_the_rows(fetched: Path, make: Make, tmp_path: Path) -> None:
    """The build compares URL, text and shingles, prints what it cannot know, and keeps the old shards."""
    write_lines(
        tmp_path / "feed/b.jsonl",
        [
            {"url": "https://a.example/1", "text": sentence(100)},
            {"url": "https://b.example/2", "text": sentence(2)},
            {"url": "https://b.example/3", "text": sentence(3) + " and more"},
            {"url": "https://b.example/4", "text": sentence(104)},
        ],
    )
    said: list[str] = []
    result = make(notice=said.append)
    assert "Merged URLs and former takedowns are not known" in said[0]
    assert [row["reason"] for row in ledger_of(result)] == ["same_url", "same_text", "near_duplicate", None]
    before, after = (Corpus(fetched).manifest(one) for one in ("1.0.0", result.version))
    assert {s.sha256 for _, s in before.shards()} <= {s.sha256 for _, s in after.shards()}
    assert len(Lineage.of(Corpus(fetched), result.version).folders) == 1


def test_the_next_version_has_an_index_of_its_own(fetched: Path, make: Make, tmp_path: Path) -> None:
    """It begins with the rows of the fetched version, and the added rows follow."""
    write_lines(tmp_path / "feed/b.jsonl", [{"url": "https://b.example/4", "text": sentence(104)}])
    make()
    again = [sentence(104), sentence(5), sentence(6) + " and more"]
    write_lines(tmp_path / "feed/c.jsonl", [{"text": text} for text in again])
    said: list[str] = []
    result = make(notice=said.append)
    assert not any("index" in text for text in said)
    assert [row["reason"] for row in ledger_of(result)] == ["same_text", "same_text", "near_duplicate"]
    assert verify_files(Corpus(fetched)) == []


def test_a_page_of_a_fetched_corpus_can_be_taken_down(fetched: Path, make: Make, tmp_path: Path) -> None:
    """Without a ledger, the takedown finds the page by its row."""
    result = takedown(fetched, urls=["https://a.example/7"], because="asked")
    assert [url for _, url in result.documents] == ["https://a.example/7"]
    write_lines(tmp_path / "feed/b.jsonl", [{"url": "https://c.example/", "text": sentence(7)}])
    assert [row["reason"] for row in ledger_of(make())] == ["tombstone"]
