"""A takedown removes pages, keeps the others, and keeps the removed pages out of later versions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from planted import ledger_of, sentence, write_lines

from builder import BuildResult, Corpus, takedown, verify
from builder.errors import CorpusError, NothingKeptError

Make = Callable[..., BuildResult]
WHY = "the owner asked"


def ids_of(corpus: Path) -> dict[str, str]:
    """Return URL -> id of all rows of the newest version."""
    there = Corpus(corpus)
    files = [path for paths in there.data_files(there.newest()).values() for path in paths]
    return {row["url"]: row["id"] for path in files for row in pq.read_table(path).to_pylist()}


def page(name: str, seed: int, **more: Any) -> dict[str, Any]:
    return {"url": f"https://{name}", "text": sentence(seed), **more}


def near(name: str, seed: int) -> dict[str, Any]:
    return {"url": f"https://{name}", "text": sentence(seed) + " and one more"}


@pytest.fixture
def corpus(make: Make, tmp_path: Path) -> Path:
    """Ten pages, a near-duplicate of the first, an exact duplicate of the second, and a subdomain."""
    rows = [page(f"a.example/{i}", i) for i in range(10)]
    rows += [near("mirror.example/0", 0), page("mirror.example/1", 1), page("sub.a.example/x", 50)]
    write_lines(tmp_path / "feed/a.jsonl", [*rows, page("b.example/y", 60)])
    return make().corpus


def test_a_page_is_taken_down_with_the_pages_merged_into_it(corpus: Path) -> None:
    """The version is a MAJOR without the row; the ledger has the reason of both records."""
    before = ids_of(corpus)
    result = takedown(corpus, urls=["https://A.example:443/0#top"], because=WHY)
    assert (result.version, result.reason.split(" (")[0]) == ("2.0.0", "MAJOR: 1 published row was removed")
    assert result.documents == [(before["https://a.example/0"], "https://a.example/0")]
    assert set(before) - set(ids_of(corpus)) == {"https://a.example/0"}
    ledger = pq.read_table(corpus / ".audit" / "2.0.0" / "ledger.parquet").to_pylist()
    assert {(row["url"], row["outcome"], row["stage"], row["reason"], row["message"]) for row in ledger} == {
        ("https://a.example/0", "rejected", "takedown", "taken_down", WHY),
        ("https://mirror.example/0", "rejected", "takedown", "taken_down", WHY),
    }
    assert verify(corpus).clean


def test_a_merged_page_is_taken_down_with_its_document(corpus: Path) -> None:
    """The result names the document; `only_this` refuses the takedown, and nothing changes."""
    with pytest.raises(CorpusError, match=r"was merged into .* which would be taken down with it"):
        takedown(corpus, urls=["https://mirror.example/1"], because=WHY, only_this=True)
    assert Corpus(corpus).versions() == ["1.0.0"]
    gone = ids_of(corpus)["https://a.example/1"]
    result = takedown(corpus, urls=["https://mirror.example/1"], because=WHY)
    assert list(result.merged) == [("https://mirror.example/1", gone)]
    assert list(result.documents) == [(gone, "https://a.example/1")]
    assert "https://a.example/1" not in ids_of(corpus)


def test_a_domain_is_taken_down_with_its_subdomains(corpus: Path) -> None:
    """Other pages stay, except those that pages of the domain were merged into."""
    takedown(corpus, domains=["a.example"], because=WHY)
    assert set(ids_of(corpus)) == {"https://b.example/y"}


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("again", "reason"),
    [
        (page("a.example/0?utm_source=x", 700), "tombstone"),
        (page("other.example/0", 0), "tombstone"),
        (near("other.example/1", 0), "tombstone"),
        (page("mirror.example/0", 701), "tombstone"),
        (page("other.example/2", 2), "same_text"),
        (page("other.example/3", 702), None),
    ],
    ids=["url", "text", "near", "url of a merged page", "another text", "new"],
)
def test_what_was_taken_down_does_not_come_back(
    corpus: Path, make: Make, tmp_path: Path, again: dict[str, Any], reason: str | None
) -> None:
    """URL, URL of a merged page, text and nearly the text are kept out, also in a full rebuild."""
    takedown(corpus, urls=["https://a.example/0"], because=WHY)
    write_lines(tmp_path / "feed/b.jsonl", [again])
    (row,) = ledger_of(make())
    assert row["reason"] == reason
    result = make(full=True)
    assert "https://a.example/0" not in ids_of(corpus)
    (row,) = [row for row in ledger_of(result) if row["path"] == "b.jsonl"]
    assert row["reason"] == reason


def test_a_domain_does_not_come_back(corpus: Path, make: Make, tmp_path: Path) -> None:
    """New pages of the domain are kept out as well."""
    takedown(corpus, domains=["a.example"], because=WHY)
    write_lines(tmp_path / "feed/b.jsonl", [page("new.a.example/z", 800), page("aa.example/z", 801)])
    reasons = {row["url"]: row["reason"] for row in ledger_of(make())}
    assert reasons == {"https://new.a.example/z": "tombstone", "https://aa.example/z": None}


def test_tombstones_reveal_nothing(corpus: Path) -> None:
    """A tombstone has no URL, text or unkeyed hash, and the key stays in the corpus."""
    gone = ids_of(corpus)["https://a.example/0"]
    takedown(corpus, urls=["https://a.example/0"], because=WHY)
    text = (corpus / "tombstones.jsonl").read_text()
    assert gone not in text
    assert "a.example" not in text
    assert text.count("\n") == 2


def test_only_the_shards_with_the_rows_are_written(corpus: Path) -> None:
    """The other splits keep their files."""
    first, second = (Corpus(corpus).manifest("1.0.0"), None)
    takedown(corpus, urls=["https://a.example/0"], because=WHY)
    second = Corpus(corpus).manifest("2.0.0")
    changed = [name for name in first.splits if first.splits[name].shards != second.splits[name].shards]
    assert len(changed) == 1


def test_the_same_twice_writes_one_version(corpus: Path) -> None:
    """The second takedown finds nothing to do."""
    takedown(corpus, urls=["https://a.example/0"], because=WHY)
    assert takedown(corpus, urls=["https://a.example/0"], because=WHY).nothing_new
    assert Corpus(corpus).versions() == ["1.0.0", "2.0.0"]


def test_a_page_that_was_never_published_is_kept_out_too(corpus: Path, make: Make, tmp_path: Path) -> None:
    """No row is removed, and later builds keep the page out."""
    result = takedown(corpus, urls=["https://c.example/1"], because=WHY)
    assert (list(result.unknown), result.reason.split(":")[0]) == (["https://c.example/1"], "PATCH")
    write_lines(tmp_path / "feed/b.jsonl", [page("c.example/1", 900)])
    assert [row["reason"] for row in ledger_of(make())] == ["tombstone"]


def test_a_file_may_have_urls_domains_and_ids(corpus: Path, tmp_path: Path) -> None:
    """A line is a URL, a domain or an id; the error lists each other line."""
    one = ids_of(corpus)["https://a.example/3"]
    (tmp_path / "list").write_text(f"# asked for\n\nhttps://a.example/2\nb.example\n{one}\n")
    result = takedown(corpus, file=tmp_path / "list", because=WHY)
    assert {url for _, url in result.documents} == {
        "https://a.example/2",
        "https://a.example/3",
        "https://b.example/y",
    }
    (tmp_path / "list").write_text("nonsense\nftp://x/\n")
    with pytest.raises(CorpusError, match=r"(?s)list:1.*not a domain.*list:2.*not a URL"):
        takedown(corpus, file=tmp_path / "list", because=WHY)


def test_a_takedown_of_all_rows_is_refused(corpus: Path) -> None:
    """A version without rows cannot be loaded."""
    with pytest.raises(NothingKeptError):
        takedown(corpus, domains=["a.example", "b.example"], because=WHY)
    assert Corpus(corpus).versions() == ["1.0.0"]


def test_similar_documents_are_listed_for_a_decision(make: Make, tmp_path: Path) -> None:
    """A similar document under another URL stays, unless `and_near` is set."""
    half = " ".join(sentence(1, 60).split()[:52]) + " " + sentence(9, 8)
    rows = [page("a.example/1", 1), {"url": "https://a.example/2", "text": half}, page("a.example/3", 3)]
    rows[0]["text"] = sentence(1, 60)
    write_lines(tmp_path / "feed/a.jsonl", rows)
    corpus = make(stages=[{"dedup_near": {"threshold": 0.9, "bands": 60, "rows": 1}}]).corpus
    result = takedown(corpus, urls=["https://a.example/1"], because=WHY)
    (alike,) = result.nearby
    assert (alike.url, 0.5 < alike.similarity < 0.9) == ("https://a.example/2", True)
    assert set(ids_of(corpus)) == {"https://a.example/2", "https://a.example/3"}
