"""Pages that are fetched again replace published rows, and move no other row."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from planted import ledger_of, sentence, write_lines

from builder import BuildResult, Corpus, verify

Make = Callable[..., BuildResult]


def page(name: str, seed: int, *, day: int | None = 1, tail: str = "") -> dict[str, Any]:
    fetched = {"fetched_at": f"2024-01-{day:02}T00:00:00Z"} if day else {}
    return {"url": f"https://{name}", "text": sentence(seed) + tail, **fetched}


def rows_of(corpus: Path, version: str | None = None) -> dict[str, list[dict[str, Any]]]:
    there = Corpus(corpus)
    files = there.data_files(version or there.newest())
    return {
        name: [row for path in paths for row in pq.read_table(path).to_pylist()]
        for name, paths in files.items()
    }


@pytest.fixture
def corpus(make: Make, tmp_path: Path) -> Path:
    """A corpus of twelve pages of one day, and a near-duplicate of the third."""
    pages = [page(f"a.example/{i}", i) for i in range(12)]
    write_lines(tmp_path / "feed/a.jsonl", [*pages, page("mirror.example/3", 3, tail=" and more")])
    return make().corpus


def again(make: Make, tmp_path: Path, *rows: dict[str, Any], name: str = "b") -> BuildResult:
    write_lines(tmp_path / f"feed/{name}.jsonl", list(rows))
    return make()


def test_a_new_text_replaces_the_row(corpus: Path, make: Make, tmp_path: Path) -> None:
    """Id, split and position stay, as do all other rows; the ledger has the old and the new record."""
    before = rows_of(corpus)
    result = again(make, tmp_path, page("a.example/3", 303, day=2))
    assert (result.version, result.reason.split(" (")[0]) == ("2.0.0", "MAJOR: 1 published row was changed")
    after = rows_of(corpus)
    for split, rows in before.items():
        assert [row["id"] for row in after[split]] == [row["id"] for row in rows]
        differ = [(old, new) for old, new in zip(rows, after[split], strict=True) if old != new]
        assert all(
            old["url"] == "https://a.example/3" and new["text"] == sentence(303) for old, new in differ
        )
    outcomes = {
        row["record_id"]: (row["outcome"], row["reason"], row["kept_id"]) for row in ledger_of(result)
    }
    (one,) = [row["id"] for rows in after.values() for row in rows if row["url"] == "https://a.example/3"]
    assert outcomes == {
        "jsonl/b.jsonl@0": ("kept", None, one),
        "jsonl/a.jsonl@" + str(offset_of(tmp_path, 3)): ("merged", "same_url", one),
    }
    assert verify(corpus).clean


def offset_of(tmp_path: Path, line: int) -> int:
    lines = (tmp_path / "feed/a.jsonl").read_bytes().splitlines(keepends=True)
    return sum(map(len, lines[:line]))


def test_a_small_change_is_not_a_duplicate_of_the_text_that_it_replaces(
    corpus: Path, make: Make, tmp_path: Path
) -> None:
    """The old text is nearly the same, but no longer published."""
    result = again(make, tmp_path, page("a.example/3", 3, day=2, tail=" and a tail"))
    assert result.reason.startswith("MAJOR: 1 published row was changed")
    texts = {row["text"] for rows in rows_of(corpus).values() for row in rows}
    assert sentence(3) + " and a tail" in texts


def test_the_same_text_changes_nothing(corpus: Path, make: Make, tmp_path: Path) -> None:
    """The new page is merged; the version has the same rows, and one more record in the ledger."""
    before = rows_of(corpus)
    result = again(make, tmp_path, page("a.example/3", 3, day=2))
    assert (result.reason.split(":")[0], rows_of(corpus)) == ("PATCH", before)
    assert [(row["outcome"], row["reason"]) for row in ledger_of(result)] == [("merged", "same_url")]


@pytest.mark.sampled(2)
@pytest.mark.parametrize("day", [1, None])
def test_an_older_page_is_merged(corpus: Path, make: Make, tmp_path: Path, day: int | None) -> None:
    """A page without a fetch time is merged too."""
    before = rows_of(corpus)
    again(make, tmp_path, page("a.example/3", 303, day=day))
    assert rows_of(corpus) == before


def test_the_newest_of_several_pages_replaces_the_row(corpus: Path, make: Make, tmp_path: Path) -> None:
    """The other pages are merged into the newest."""
    rows = [page("a.example/3", 300 + day, day=day) for day in (2, 5, 4)]
    result = again(make, tmp_path, *rows)
    texts = {row["text"] for found in rows_of(corpus).values() for row in found}
    assert sentence(305) in texts
    assert not texts & {sentence(302), sentence(304), sentence(3)}
    assert result.outcomes["kept"] == 1


def test_a_page_whose_new_text_is_a_duplicate_is_removed(corpus: Path, make: Make, tmp_path: Path) -> None:
    """If the new text equals that of another page, the row is removed, and the ledger names that page."""
    result = again(make, tmp_path, page("a.example/3", 7, day=2, tail=" and a tail"))
    assert result.reason.startswith("MAJOR: 1 published row was removed")
    urls = {row["url"]: row["id"] for found in rows_of(corpus).values() for row in found}
    assert "https://a.example/3" not in urls
    ledger = {row["record_id"]: row for row in ledger_of(result)}
    assert {row["kept_id"] for row in ledger.values()} == {urls["https://a.example/7"]}
    assert len(ledger) == 3  # the new record, the old one, and what had been merged into that
    old = ledger["jsonl/a.jsonl@" + str(offset_of(tmp_path, 3))]
    assert (old["outcome"], old["stage"], old["reason"]) == ("merged", "dedup_near", "near_duplicate")


def test_a_replaced_text_has_no_duplicates(corpus: Path, make: Make, tmp_path: Path) -> None:
    """A page that is similar only to a replaced text is not a duplicate."""
    again(make, tmp_path, page("a.example/3", 303, day=2))
    result = again(make, tmp_path, page("c.example/1", 3), page("c.example/2", 303), name="c")
    assert [(row["url"], row["reason"]) for row in ledger_of(result)] == [
        ("https://c.example/1", None),
        ("https://c.example/2", "same_text"),
    ]


def test_a_page_can_be_replaced_many_times(corpus: Path, make: Make, tmp_path: Path) -> None:
    """Each time the newest text is at the same position, and no older text is left."""
    place = [row["id"] for rows in rows_of(corpus).values() for row in rows]
    for day in range(2, 6):
        again(make, tmp_path, page("a.example/3", 300 + day, day=day), name=f"b{day}")
    found = [row for rows in rows_of(corpus).values() for row in rows]
    assert [row["id"] for row in found] == place
    assert sentence(305) in {row["text"] for row in found}
    assert verify(corpus).clean


def test_with_keep_first_a_page_stays_unchanged(make: Make, tmp_path: Path) -> None:
    """With `keep: first`, a newer text is merged."""
    stages = [{"dedup_url": {"keep": "first"}}]
    write_lines(tmp_path / "feed/a.jsonl", [page("a.example/1", 1)])
    before = rows_of(make(stages=stages).corpus)
    write_lines(tmp_path / "feed/b.jsonl", [page("a.example/1", 2, day=9)])
    assert rows_of(make(stages=stages).corpus) == before
