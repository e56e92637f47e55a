"""``clean_text`` in a build: the audit of removed spans, ``why``, laws of order, additions and purges."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from planted import write_lines

from builder import BuildResult, Corpus, verify
from builder.errors import NothingKeptError
from builder.operations.takedown import takedown
from builder.operations.why import why

Make = Callable[..., BuildResult]
STAGES = ["validate", "extract_text", "clean_text", "repair_text", "dedup_exact"]
TITLE = "The ferry that left at night"
MENU = "Home\nNews\nSport\nWeather\nContact"
CANARY = "Subscribe to the canary letter of the lighthouse, which sings only once | Share | Print | E-mail"


def page(number: int, *, extra: str = "") -> dict[str, Any]:
    """Return a page that came as text, with a menu and its title twice."""
    body = "\n\n".join(
        f"On day {number} of the winter the ferry left the harbour at {hour} in the morning, with "
        f"{number + hour} passengers, and nobody knew when it would come back."
        for hour in (5, 6, 7)
    )
    text = f"{MENU}\n\n{TITLE} {number}\n\n{TITLE} {number}\n\n{body}\n\n{extra}"
    return {"url": f"https://a.example/{number}", "text": text}


def rows_of(result: BuildResult) -> list[dict[str, Any]]:
    """Return the published rows of the newest version."""
    corpus = Corpus(result.corpus)
    files = [file for files in corpus.data_files(corpus.newest()).values() for file in files]
    rows = [row for file in files for row in pq.read_table(file).to_pylist()]
    return sorted(rows, key=lambda row: str(row["url"]))


def stored(corpus: Path) -> str:
    """Return the content of all tables of a corpus."""
    tables = sorted(corpus.rglob("*.parquet"))
    return "\n".join(json.dumps(pq.read_table(one).to_pylist(), default=repr) for one in tables)


def test_the_audit_has_each_removed_span_and_why_shows_it(make: Make, tmp_path: Path) -> None:
    """The spans and the published text together have each word of the page."""
    write_lines(tmp_path / "feed/a.jsonl", [page(1)])
    result = make(stages=STAGES)
    (row,) = rows_of(result)
    spans = pq.read_table(result.ledger.with_name("removed.parquet")).to_pylist()
    assert {span["stage"] for span in spans} == {"clean_text"}
    whole = page(1)["text"].encode()
    for span in spans:
        assert whole[span["start"] :].startswith(span["text"].encode())
        assert 0 <= span["score"] <= 1
    words = [*row["text"].split(), *(word for span in spans for word in span["text"].split())]
    assert sorted(words) == sorted(page(1)["text"].split())
    assert row["text"].count(TITLE) <= 1
    assert "Weather" not in row["text"]
    assert 0 < row["removed_share"] < 0.6
    (history,) = why(str(result.corpus), page(1)["url"]).histories
    assert list(history.removed) == spans


def test_a_text_from_html_is_exempt_unless_where_names_it(make: Make, tmp_path: Path) -> None:
    """A marker says where a text came from, so that a text that was kept next to HTML is cleaned."""
    body = "".join(f"<p>{part}</p>" for part in page(1)["text"].split("\n\n"))
    write_lines(
        tmp_path / "feed/a.jsonl",
        [{"url": "https://a.example/h", "html": f"<html><body>{body}</body></html>"}],
    )
    (row,) = rows_of(make(stages=STAGES))
    assert row["removed_share"] is None
    named = [*STAGES[:2], {"clean_text": {"where": {"sources": ["jsonl"]}}}, *STAGES[3:]]
    (row,) = rows_of(make(stages=named, corpus="named"))
    assert row["removed_share"] is not None


def test_a_document_that_loses_too_much_is_rejected(make: Make, tmp_path: Path) -> None:
    """It is not published half-empty; its spans are in the audit, and `why` has value and limit."""
    write_lines(tmp_path / "feed/a.jsonl", [page(1), page(2)])
    strict = [*STAGES[:2], {"clean_text": {"max_removed": 0.01}}, *STAGES[3:]]
    with pytest.raises(NothingKeptError):
        make(stages=strict)
    (history,) = why(f"{tmp_path / 'corpus'}", page(1)["url"]).histories
    (record,) = history.records
    assert (record["stage"], record["reason"], record["limit"]) == ("clean_text", "mostly_removed", "0.01")
    assert float(record["value"]) > 0.01
    assert history.removed


def test_workers_and_batches_do_not_change_a_byte(make: Make, tmp_path: Path) -> None:
    """Neither the rows nor the audit."""
    write_lines(tmp_path / "feed/a.jsonl", [page(number, extra=CANARY) for number in range(30)])
    found = set()
    for name, options in (("one", {"workers": 1}), ("two", {"workers": 2, "batch_rows": 7})):
        result = make(stages=STAGES, corpus=name, **options)
        spans = pq.read_table(result.ledger.with_name("removed.parquet")).to_pylist()
        found.add((Corpus(result.corpus).manifest(result.version).data_digest, json.dumps(spans)))
    assert len(found) == 1


def test_additions_equal_a_full_build(make: Make, tmp_path: Path) -> None:
    """Each text is cleaned by itself."""
    write_lines(tmp_path / "feed/a.jsonl", [page(number) for number in range(5)])
    make(stages=STAGES)
    write_lines(tmp_path / "feed/b.jsonl", [page(number) for number in range(5, 9)])
    added = rows_of(make(stages=STAGES))
    assert added == rows_of(make(stages=STAGES, corpus="full"))


def test_a_purge_removes_the_spans_of_a_page(make: Make, tmp_path: Path) -> None:
    """What left the text of a page is in no file after the purge of the page."""
    pages = [page(number) for number in range(4)] + [page(7, extra=CANARY)]
    write_lines(tmp_path / "feed/a.jsonl", pages)
    result = make(stages=STAGES, recipe={"audit": {"texts": "all"}})
    assert CANARY in stored(result.corpus)
    takedown(result.corpus, urls=["https://a.example/7"], because="asked", purge=True)
    assert CANARY not in stored(result.corpus)
    assert f"{TITLE} 7" not in stored(result.corpus)
    assert "Weather" in stored(result.corpus), "spans of other pages stay"
    assert verify(result.corpus).clean


def test_spans_have_no_text_if_the_recipe_keeps_none(make: Make, tmp_path: Path) -> None:
    """`audit: {texts: none}` keeps class, score and place."""
    write_lines(tmp_path / "feed/a.jsonl", [page(1)])
    result = make(stages=STAGES, recipe={"audit": {"texts": "none"}})
    spans = pq.read_table(result.ledger.with_name("removed.parquet")).to_pylist()
    assert spans and all(span["text"] is None and span["text_chars"] > 0 for span in spans)
