"""Whole builds: the ledger accounts for every record, and batches and workers do not change a byte."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from planted import ledger_of, outcomes, pages, sentence, write_lines

from builder import BuildResult, Corpus, Recipe, build, verify
from builder.errors import LockedError, NothingKeptError, RecipeError, TooManyRejectedError

Make = Callable[..., BuildResult]


def manifest(result: BuildResult) -> dict[str, Any]:
    return json.loads((result.corpus / result.version / "manifest.json").read_bytes())


def rows_of(result: BuildResult) -> dict[str, list[dict[str, Any]]]:
    files = Corpus(result.corpus).data_files(result.version)
    return {
        name: [row for f in paths for row in pq.read_table(f).to_pylist()] for name, paths in files.items()
    }


def test_every_record_has_one_row(make: Make, tmp_path: Path) -> None:
    """Records read = kept + rejected + merged + failed, and no record has two rows."""
    given = pages(100)
    write_lines(tmp_path / "feed/a.jsonl", given)
    result = make()
    ledger = ledger_of(result)
    assert len(ledger) == len({row["record_id"] for row in ledger}) == len(given)
    assert [row["ordinal"] for row in ledger] == list(range(len(given)))
    assert outcomes(result) == Counter(kept=100, merged=20 + 15 + 10, rejected=8, failed=6)
    assert sum(len(rows) for rows in rows_of(result).values()) == 100
    assert verify(result.corpus).clean


def test_the_ledger_has_the_outcome_of_each_record(make: Make, tmp_path: Path) -> None:
    """A row has stage and reason if not kept, the keeper if merged, and the shard if kept."""
    kept = {"url": "https://example.org/a", "text": sentence(1), "fetched_at": "2024-01-01T00:00:00Z"}
    rows = [
        kept,
        {**kept, "url": "https://example.org/a#top", "fetched_at": "2023-01-01T00:00:00Z"},
        {**kept, "url": "https://mirror.example.net/a"},
        {**kept, "url": "https://near.example.net/a", "text": sentence(1) + " more"},
        {"url": "https://example.org/b", "text": 7},
        '{"broken',
    ]
    write_lines(tmp_path / "feed/a.jsonl", rows)
    ledger = ledger_of(make(splits={"train": 1.0}))
    found = [(row["outcome"], row["stage"], row["reason"]) for row in ledger]
    assert found == [
        ("kept", None, None),
        ("merged", "dedup_url", "same_url"),
        ("merged", "dedup_exact", "same_text"),
        ("merged", "dedup_near", "near_duplicate"),
        ("rejected", "validate", "any_of"),
        ("failed", "jsonl", "broken_json"),
    ]
    keeper = ledger[0]["document_id"]
    assert [row["kept_id"] for row in ledger] == [keeper] * 4 + [None] * 2
    assert [row["similarity"] for row in ledger[1:3]] == [None, 1.0]
    assert ledger[3]["similarity"] == pytest.approx(36 / 37)
    assert ledger[0]["shard"] == "data/train-00000-of-00001.parquet"


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    "options", [{"workers": 2}, {"workers": 2, "batch_rows": 7}, {"workers": 1, "batch_rows": 7}]
)
def test_workers_and_batch_size_do_not_change_the_digest(
    make: Make, tmp_path: Path, options: dict[str, int]
) -> None:
    """The manifest's digest depends on recipe, inputs and libraries alone."""
    for i in range(12):
        write_lines(tmp_path / f"feed/{i:02}.jsonl", pages(20)[i:])
    plain = make(corpus="one", workers=1)
    assert make(corpus="two", **options).digest == plain.digest


def test_one_file_and_many_files_give_the_same_rows(make: Make, tmp_path: Path) -> None:
    """Digests and shards do not depend on the files that rows come from."""
    given = pages(60)
    write_lines(tmp_path / "whole/a.jsonl", given)
    for i, row in enumerate(given):
        write_lines(tmp_path / f"many/{i:04}.jsonl", [row])
    one, many = (manifest(make(path=f"{name}/*.jsonl", corpus=f"out-{name}")) for name in ("whole", "many"))
    assert one["splits"] == many["splits"]
    assert one["data_digest"] == many["data_digest"]


def test_building_again_finds_nothing_new(make: Make, tmp_path: Path) -> None:
    """The same recipe and inputs give no second version."""
    write_lines(tmp_path / "feed/a.jsonl", pages(10))
    first, second = make(), make()
    assert (second.nothing_new, second.version, second.digest) == (True, first.version, first.digest)
    assert Corpus(first.corpus).versions() == ["1.0.0"]


def test_more_pages_make_a_minor_version(make: Make, tmp_path: Path) -> None:
    """Old rows stay, in their splits and in their order."""
    write_lines(tmp_path / "feed/a.jsonl", pages(40))
    first = rows_of(make())
    write_lines(
        tmp_path / "feed/b.jsonl",
        [{"url": f"https://new.example/{i}", "text": sentence(i + 500)} for i in range(20)],
    )
    result = make()
    assert result.version == "1.1.0"
    assert result.reason.startswith("MINOR: 20 rows were added")
    second = rows_of(result)
    ids = {row["id"] for rows in first.values() for row in rows}
    assert {name: [row for row in rows if row["id"] in ids] for name, rows in second.items()} == first


def test_fewer_pages_make_a_major_version(make: Make, tmp_path: Path) -> None:
    """A full rebuild reads only existing inputs, so a published row is gone."""
    write_lines(tmp_path / "feed/a.jsonl", pages(40))
    make()
    write_lines(tmp_path / "feed/a.jsonl", pages(39))
    result = make(full=True)
    assert (result.version, result.reason.split(":")[0]) == ("2.0.0", "MAJOR")


def test_rows_stay_when_their_lines_are_removed(make: Make, tmp_path: Path) -> None:
    """A changed file is read again; records read before are neither lost nor counted twice."""
    write_lines(tmp_path / "feed/a.jsonl", pages(40))
    first = make()
    write_lines(tmp_path / "feed/a.jsonl", [*pages(39), {"text": sentence(777)}])
    second = make()
    assert second.reason.startswith("MINOR: 1 row was added")
    assert (second.n_records, second.n_known) == (1, len(pages(39)))
    assert rows_of(second)["train"][: len(rows_of(first)["train"])] == rows_of(first)["train"]


def test_nothing_kept_writes_no_version(make: Make, tmp_path: Path) -> None:
    """The error names the ledger, which has the reasons."""
    write_lines(tmp_path / "feed/a.jsonl", [{"text": 1}, "{"])
    with pytest.raises(NothingKeptError, match=r"0 of 2 records were kept.*ledger\.parquet"):
        make()
    assert Corpus(tmp_path / "corpus").versions() == []


def test_too_many_rejected_writes_no_version(make: Make, tmp_path: Path) -> None:
    """Merged records do not count; the exit status is 3."""
    write_lines(tmp_path / "feed/a.jsonl", [{"text": sentence(1)}, {"text": sentence(1)}, {"text": 1}, "{"])
    with pytest.raises(TooManyRejectedError, match="2 of 4 records") as error:
        make(max_rejected=0.49)
    assert error.value.exit_status == 3
    assert make(max_rejected=0.5).version == "1.0.0"


def test_limit_is_the_number_of_records_read(make: Make, tmp_path: Path) -> None:
    """The limit counts records over all files, in the order of the build."""
    write_lines(tmp_path / "feed/a.jsonl", [{"text": sentence(i)} for i in range(10)])
    write_lines(tmp_path / "feed/b.jsonl", ["{", {"text": 1}, {}, {"text": sentence(11)}])
    assert dict(make(limit=13).outcomes) == {"kept": 10, "rejected": 2, "merged": 0, "failed": 1}
    assert make(limit=14).outcomes["kept"] == 11


def test_missing_input_stops_before_anything_is_read(make: Make, tmp_path: Path) -> None:
    """The build creates no corpus folder then."""
    with pytest.raises(RecipeError):
        make(path="nowhere/*.jsonl")
    assert not (tmp_path / "corpus").exists()


def test_mode_tag_keeps_duplicates_with_their_cluster(make: Make, tmp_path: Path) -> None:
    """The cluster column has the id of the keeper."""
    text = sentence(3)
    write_lines(tmp_path / "feed/a.jsonl", [{"text": text}, {"text": text + " more"}, {"text": sentence(4)}])
    result = make(stages=["validate", {"dedup_near": {"mode": "tag"}}], splits={"train": 1.0})
    rows = rows_of(result)["train"]
    assert [row["dedup_near_cluster"] for row in rows] == [rows[0]["id"], rows[0]["id"], rows[2]["id"]]
    assert outcomes(result) == Counter(kept=3)


def test_a_split_without_rows_has_no_file(make: Make, tmp_path: Path) -> None:
    """The build reports the empty split: load_dataset fails on files without rows."""
    write_lines(tmp_path / "feed/a.jsonl", [{"text": sentence(1)}])
    result = make(splits={"train": 0.5, "test": 0.5})
    (split,) = result.splits
    assert split.rows == 1
    assert result.empty_splits == [{"train": "test", "test": "train"}[split.name]]


def test_only_one_build_works_on_a_corpus(make: Make, tmp_path: Path) -> None:
    """A second build of the same corpus stops with an error."""
    write_lines(tmp_path / "feed/a.jsonl", pages(5))
    result = make()
    with Corpus(result.corpus).lock(), pytest.raises(LockedError):
        make()


def test_two_kept_records_of_one_url_have_two_ids(make: Make, tmp_path: Path) -> None:
    """Without dedup_url the first record has the id of the URL, the second that of URL and content."""
    url = "https://example.org/a"
    rows = [
        {"url": url, "text": sentence(1)},
        {"url": url, "text": sentence(2)},
        {"url": url, "text": sentence(1)},
    ]
    write_lines(tmp_path / "feed/a.jsonl", rows)
    write_lines(tmp_path / "first/a.jsonl", rows[:1])
    alone = rows_of(make(stages=["validate"], path="first/*.jsonl", corpus="alone", splits={"train": 1.0}))[
        "train"
    ]
    found = rows_of(make(stages=["validate"], splits={"train": 1.0}))["train"]
    assert len({row["id"] for row in found}) == 3
    assert found[0]["id"] == alone[0]["id"]


def test_a_page_of_wrong_length_is_kept_with_a_message(tmp_path: Path) -> None:
    """The message in the ledger has the fault, whatever the outcome of the page is."""
    body = f"<html><body><p>{sentence(5)}</p></body></html>"
    http = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    head = "WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: https://example.org/a\r\n"
    head += "Content-Type: application/http"
    (tmp_path / "a.warc").write_text(f"{head}\r\nContent-Length: {len(http) - 9}\r\n\r\n{http}\r\n\r\n")
    document = {
        "name": "w",
        "sources": [{"warc": {"path": "a.warc"}}],
        "stages": [{"extract_text": {}}],
        "corpus": "out",
    }
    (row,) = ledger_of(build(Recipe.from_dict(document, folder=tmp_path), workers=1))
    assert row["outcome"] == "kept"
    assert row["message"].startswith(f"the record's length is '{len(http) - 9}'")
