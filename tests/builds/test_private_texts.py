"""The audit has no text of a page whose use is reserved, whichever stage dropped the page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from reserving_sites import EARLY, LATE, NOON, OTHER, page, record, robots, run_stages

from builder import verify

SECRET = "the keel of the reserved boat"
FOOT = f"<p>{SECRET} leans on the mud until the tide is back, and nobody may learn from it.</p>" * 3
SHORT = {"filter": {"characters": {"max": 500}}}
"""Drops the pages with a secret, which are longer than the others."""


def secret(path: str = "/x", host: str = "a.example", **more: Any) -> bytes:
    return page(host, path, foot=FOOT, **more)


PUBLIC = page("b.example", foot="<p>" + "The tide comes back, and everybody may learn from it. " * 5)


def audit_of(result: Any) -> str:
    """Return all tables of the audit that hold texts or records, as a text."""
    paths = [result.ledger.with_name(f"{name}.parquet") for name in ("texts", "rejected", "removed")]
    return "".join(str(pq.read_table(path).to_pylist()) for path in paths if path.exists())


EXTRACT: dict[str, Any] = {"extract_text": {}}
OPT_OUT: dict[str, Any] = {"opt_out": {}}
EXACT: dict[str, Any] = {"dedup_exact": {}}
DROPPED = {
    "by a stage before": ([EXTRACT, SHORT, OPT_OUT], (robots(), secret())),
    "by the extractor": (
        [EXTRACT, OPT_OUT],
        (robots(), record("https://a.example/x", f"<title>{SECRET}</title>")),
    ),
    "before a stage with a name": (
        [EXTRACT, SHORT, {"opt_out": {"name": "rights"}}],
        (robots(), secret()),
    ),
    "with a header": ([EXTRACT, SHORT, OPT_OUT], (secret(headers={"X-Robots-Tag": "noai"}),)),
    "with a tag": ([EXTRACT, SHORT, OPT_OUT], (secret(head="<meta name=robots content=noai>"),)),
    "as a duplicate": ([EXTRACT, EXACT, OPT_OUT], (robots(), secret(), secret(date=LATE))),
    "as a duplicate, in an earlier barrier": (
        [EXTRACT, {"dedup_url": {}}, {"signals": {}}, OPT_OUT],
        (secret(headers={"X-Robots-Tag": "noai"}), page(), secret(headers={"X-Robots-Tag": "noai"})),
    ),
    "between two barriers": ([EXTRACT, EXACT, SHORT, OPT_OUT], (robots(), secret())),
    "between two barriers, with a tag": (
        [EXTRACT, EXACT, SHORT, OPT_OUT],
        (secret(head="<meta name=robots content=noai>"),),
    ),
    "by a stage after a report": (
        [EXTRACT, {"opt_out": {"mode": "report"}}, SHORT],
        (robots(), secret()),
    ),
    "because nothing permits it": (
        [EXTRACT, SHORT, {"opt_out": {"silence": "drop"}}],
        (secret(), page("c.example", headers={"Content-Usage": "train-ai=y"})),
    ),
}


@pytest.mark.parametrize(("stages", "records"), DROPPED.values(), ids=DROPPED)
def test_the_audit_has_no_text_of_a_reserved_page(
    tmp_path: Path, stages: list[Any], records: tuple[bytes, ...]
) -> None:
    """Whichever stage dropped it, and although the reservation is joined late."""
    result = run_stages(tmp_path, *records, OTHER, stages=stages)
    rows = pq.read_table(result.ledger).to_pylist()
    assert any("a.example/" in row["url"] and row["outcome"] != "kept" for row in rows)
    assert SECRET not in audit_of(result)
    assert verify(result.corpus).clean


def test_texts_of_other_pages_stay_in_the_audit(tmp_path: Path) -> None:
    """Only reserved pages are taken out."""
    result = run_stages(tmp_path, robots(), secret(), PUBLIC, OTHER, stages=[EXTRACT, SHORT, OPT_OUT])
    (text,) = pq.read_table(result.ledger.with_name("texts.parquet")).to_pylist()
    assert "everybody may learn" in text["text"]


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"headers": {"X-Robots-Tag": "noai"}, "url": "https://c.example/x"},
        {"html": "<meta name=robots content=noai>", "url": "https://c.example/x"},
        {"fetched_at": LATE},
    ],
)
def test_a_record_that_a_contract_rejected_is_taken_out(tmp_path: Path, more: dict[str, Any]) -> None:
    """Its bytes say when it was fetched, and have its headers and tags."""
    bad = {"url": "https://a.example/x", "text": SECRET, "title": 7, "status": "x", **more}
    fine = {"url": "https://b.example/x", "text": "everybody may learn", "status": "x"}
    (tmp_path / "a.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in (bad, fine)))
    sources = {"sources": [{"warc": {"path": "*.warc"}}, {"jsonl": {"path": "*.jsonl"}}]}
    recipe = {**sources, "on_bad_value": "reject"}
    result = run_stages(tmp_path, robots(), OTHER, stages=[EXTRACT, OPT_OUT], recipe=recipe)
    found = audit_of(result)
    assert SECRET not in found
    assert "everybody may learn" in found


def test_the_time_of_a_dropped_page_counts(tmp_path: Path) -> None:
    """A page that was fetched before the reservation keeps its text in the audit."""
    records = (robots("User-agent: *\nAllow: /", date=EARLY), secret(date=NOON), robots(date=LATE))
    result = run_stages(tmp_path, *records, OTHER, stages=[EXTRACT, SHORT, OPT_OUT])
    assert SECRET in audit_of(result)


def test_the_texts_do_not_depend_on_workers_and_batches(tmp_path: Path) -> None:
    """Nor on where a batch ends."""
    hosts = [host for n in range(5) for host in (f"a{n}.example", f"b{n}.example")]
    records = [robots(host=f"a{n}.example") for n in range(5)]
    records += [secret(host=host) for host in hosts]
    stages = [EXTRACT, SHORT, EXACT, OPT_OUT]
    calm = run_stages(tmp_path, *records, OTHER, stages=stages, corpus="calm")
    other = run_stages(tmp_path, *records, OTHER, stages=stages, corpus="other", workers=2, batch_rows=2)
    assert audit_of(calm) == audit_of(other)
    assert audit_of(calm).count("b0.example") == 1
    assert "a0.example" not in audit_of(calm)
