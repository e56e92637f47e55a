"""What a build loses is named: contract faults, unreadable files, the URLs of records that cannot be read."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from planted import ledger_of, sentence, write_lines

from builder import BuildResult, Corpus, Recipe, build
from builder.errors import NothingKeptError, TooManyRejectedError
from builder.operations.rejected import rejected
from builder.operations.takedown import takedown
from builder.operations.why import why
from builder.report.build import summary_lines

Make = Callable[..., BuildResult]
SCHEMA = {
    "type": "object",
    "properties": {"url": {"type": "string"}, "status": {"type": "integer"}, "text": {"type": "string"}},
    "required": ["text"],
}


def url(number: int) -> str:
    return f"https://a.example/{number}"


@pytest.fixture
def refused(make: Make, tmp_path: Path) -> Callable[..., BuildResult]:
    """Return a function that builds three records that the contract refuses, and returns the counts."""
    (tmp_path / "c.schema.json").write_text(json.dumps(SCHEMA))
    rows = [{"url": url(i), "status": "ok", "text": sentence(i)} for i in range(3)]
    write_lines(tmp_path / "feed/a.jsonl", rows)

    def run(**options: Any) -> BuildResult:
        with pytest.raises(NothingKeptError) as stopped:
            make(stages=["validate"], recipe={"contract": "c.schema.json"}, **options)
        assert isinstance(stopped.value.result, BuildResult)
        return stopped.value.result

    return run


def test_a_build_that_keeps_nothing_has_its_counts(refused: Callable[..., BuildResult]) -> None:
    """They are those that a build prints that keeps something."""
    result = refused()
    assert result.is_stopped
    assert result.reasons == [(("rejected", "validate", "type"), 3)]
    (group,) = result.contract_faults
    assert (group.rule, group.pointer, group.count, group.example) == ("type", "/status", 3, '"ok"')


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_stopped_build_is_read_like_a_version(
    elsewhere: bool, refused: Callable[..., BuildResult], tmp_path: Path
) -> None:
    """Also with its unfinished work in another folder."""
    result = refused(spool=tmp_path / "spool" if elsewhere else None)
    for address in (str(result.corpus), f"{result.corpus}@stopped"):
        written = rejected(address, tmp_path / "rejected.jsonl")
        assert (written.version, written.n_written) == ("stopped", 3)
        (history,) = why(address, url(1)).histories
        assert [row["reason"] for row in history.records] == ["type"]
    assert len(ledger_of(result)) == 3


def test_the_next_version_replaces_the_stopped_build(
    refused: Callable[..., BuildResult], make: Make, tmp_path: Path
) -> None:
    """Its records would be taken for those of the version."""
    corpus = refused().corpus
    write_lines(tmp_path / "feed/a.jsonl", [{"url": url(1), "text": sentence(1)}])
    make(stages=["validate"], recipe={"contract": "c.schema.json"})
    assert [history.version for history in why(str(corpus), url(1)).histories] == ["1.0.0"]
    assert not (corpus / ".spool/stopped").exists()


def test_too_many_rejected_leaves_the_version_and_its_own_ledger(make: Make, tmp_path: Path) -> None:
    """`rejected FOLDER` is the version, `rejected FOLDER@stopped` the build that stopped."""
    write_lines(tmp_path / "feed/a.jsonl", [{"url": url(0), "text": sentence(0)}])
    make()
    write_lines(tmp_path / "feed/b.jsonl", [{"url": url(1), "text": 1}, {"url": url(2), "text": sentence(2)}])
    with pytest.raises(TooManyRejectedError) as stopped:
        make(max_rejected=0.1)
    assert isinstance(stopped.value.result, BuildResult)
    corpus = stopped.value.result.corpus
    assert rejected(corpus, tmp_path / "r.jsonl").n_written == 0
    assert rejected(f"{corpus}@stopped", tmp_path / "r.jsonl").n_written == 1
    histories = why(str(corpus), url(1)).histories
    assert [(one.version, len(one.records)) for one in histories] == [("1.0.0", 0), ("stopped", 1)]


def test_a_purge_removes_the_stopped_build(make: Make, tmp_path: Path) -> None:
    """It can have the bytes of the page."""
    write_lines(tmp_path / "feed/a.jsonl", [{"url": url(i), "text": sentence(i)} for i in range(3)])
    corpus = make().corpus
    write_lines(tmp_path / "feed/b.jsonl", [{"url": url(1), "text": 1}, "{"])
    with pytest.raises(TooManyRejectedError):
        make(max_rejected=0.1)
    takedown(corpus, urls=[url(1)], because="a test", purge=True)
    assert not (corpus / ".spool/stopped").exists()


UNREADABLE = {
    "parquet": ("a.parquet", b"no parquet at all", "not_parquet"),
    "csv": ("a.csv", b"url,text,text\nx,y,z\n", "csv_header"),
    "jsonl": ("a.jsonl.gz", b"\x1f\x8bnonsense", "gzip_corrupt"),
    "warc": ("a.warc", b"nothing like an archive" * 10, "bad_header"),
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_a_file_that_cannot_be_read_is_named_and_fails_the_limit(kind: str, tmp_path: Path) -> None:
    """It is one failed record among hundreds, but nobody knows how many it had."""
    name, data, reason = UNREADABLE[kind]
    write_lines(tmp_path / "good.jsonl", [{"url": url(i), "text": sentence(i)} for i in range(200)])
    (tmp_path / name).write_bytes(data)
    recipe = Recipe.from_dict(
        {
            "name": "harbour",
            "sources": [{kind: {"path": name}}, {"jsonl": {"path": "good.jsonl", "name": "good"}}],
            "corpus": "corpus",
        },
        folder=tmp_path,
    )
    with pytest.raises(TooManyRejectedError, match=f"{kind}/{name}"):
        build(recipe, max_rejected=0.5)
    result = build(recipe)
    assert [(one.source, one.path, one.reason) for one in result.unreadable] == [(kind, name, reason)]


def test_a_file_that_is_cut_short_is_not_unreadable(tmp_path: Path, make: Make) -> None:
    """Its first records are read, and the rest is one failed record."""
    lines = "".join(json.dumps({"url": url(i), "text": sentence(i)}) + "\n" for i in range(500))
    (tmp_path / "feed").mkdir()
    (tmp_path / "feed/a.jsonl.gz").write_bytes(gzip.compress(lines.encode())[:-2000])
    result = make(path="feed/*.gz", max_rejected=0.5)
    assert result.outcomes["failed"] == 1
    assert result.unreadable == []


def test_a_broken_line_is_a_record_and_not_a_file(make: Make, tmp_path: Path) -> None:
    """The file has one record, and it is known."""
    write_lines(tmp_path / "feed/a.jsonl", ["{"])
    write_lines(tmp_path / "feed/b.jsonl", [{"url": url(i), "text": sentence(i)} for i in range(9)])
    assert make(max_rejected=0.5).unreadable == []


def test_a_line_that_fails_in_one_value_keeps_its_url(make: Make, tmp_path: Path) -> None:
    """`builder why URL` must find it."""
    rows = [
        '{"url": "https://a.example/1", "text": "x", "score": NaN}',
        f'{{"url": "https://a.example/2", "text": "x", "n": {"9" * 5000}}}',
        '{"url": "https://a.example/3", "text": "\\ud800"}',
        '{"url": "https://a.example/4", "text": 1}',
        {"url": url(5), "text": sentence(5)},
        '{"url": "https://a.example/6", "text": ',
    ]
    write_lines(tmp_path / "feed/a.jsonl", rows)
    assert [row["url"] for row in ledger_of(make())] == [*map(url, range(1, 6)), None]


@pytest.mark.parametrize("rename", [{}, {"link": "url"}, {"meta.link": "url"}])
def test_a_row_that_fails_in_one_cell_keeps_its_url(rename: dict[str, str], tmp_path: Path) -> None:
    """Also if the URL has another name in the file."""
    (path,) = rename or ["url"]
    # a writer that does not check: bytes that are not UTF-8 in a column of strings
    cells: dict[str, Any] = {"text": pa.array([b"\xff", sentence(2).encode()], pa.binary()).view(pa.string())}
    if path == "meta.link":
        cells["meta"] = pa.array([{"link": url(1)}, {"link": url(2)}])
    else:
        cells[path] = pa.array([url(1), url(2)])
    pq.write_table(pa.table(cells), tmp_path / "a.parquet")
    document = {
        "name": "harbour",
        "sources": [{"parquet": {"path": "a.parquet", "rename": rename}}],
        "corpus": "corpus",
    }
    result = build(Recipe.from_dict(document, folder=tmp_path))
    assert [(row["outcome"], row["url"]) for row in ledger_of(result)] == [
        ("failed", url(1)),
        ("kept", url(2)),
    ]
    assert Corpus(result.corpus).versions() == ["1.0.0"]


def test_a_deduplication_that_only_tags_is_in_summary_and_card(make: Make, tmp_path: Path) -> None:
    """Nothing is removed, so neither may say that the version has no duplicates."""
    write_lines(tmp_path / "feed/a.jsonl", [{"url": url(i), "text": sentence(i // 2)} for i in range(6)])
    result = make(stages=["validate", {"dedup_exact": {"mode": "tag"}}])
    assert (result.outcomes["kept"], result.tagged) == (6, {"dedup_exact": 3})
    assert "dedup_exact in mode: tag marked 3 records as duplicates and removed none" in summary_lines(result)
    card = (result.corpus / result.version / "README.md").read_text()
    assert (
        "`dedup_exact` runs in `mode: tag`: it removes no document. The column `dedup_exact_cluster`" in card
    )
    assert "did not find any duplicates" not in card
    assert "was not deduplicated" not in card
