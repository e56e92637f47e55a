"""The texts of dropped records: which are kept, how they are shown, and that a purge removes them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from planted import sentence, write_lines

from builder import BuildResult, Corpus, verify
from builder.errors import BuilderError, NothingKeptError
from builder.operations.show import show, write_shown
from builder.operations.takedown import takedown
from builder.pipeline import dropped
from builder.pipeline.dropped import MAX_TEXT_CHARS

Make = Callable[..., BuildResult]


def url(name: str) -> str:
    return f"https://a.example/{name}"


def texts_of(result: BuildResult) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(result.ledger.with_name("texts.parquet")).to_pylist()
    return rows


def records() -> list[dict[str, Any]]:
    """Return records that each built-in stage keeps and drops."""
    return [
        {"url": url("kept"), "text": sentence(1)},
        {"url": url("kept#again"), "text": sentence(2)},
        {"url": url("same"), "text": sentence(1)},
        {"url": url("near"), "text": sentence(1) + " more"},
        {"url": url("bare"), "html": "<html><body><img src=x></body></html>"},
        {"url": url("type"), "text": 7},
    ]


def test_dropped_records_have_their_texts(make: Make, tmp_path: Path) -> None:
    """A page without text has its HTML; what a contract refused is in rejected.parquet."""
    write_lines(tmp_path / "feed/a.jsonl", records())
    found = {(row["stage"], row["reason"]): row["text"] for row in texts_of(make())}
    assert found == {
        ("dedup_url", "same_url"): sentence(2),
        ("dedup_exact", "same_text"): sentence(1),
        ("dedup_near", "near_duplicate"): sentence(1) + " more",
        ("extract_text", "no_text"): "<html><body><img src=x></body></html>",
    }


@pytest.mark.parametrize(("texts", "n_rows"), [("sample", 3), ("all", 9), ("none", 0)])
def test_the_recipe_decides_how_many_texts_are_kept(
    texts: str, n_rows: int, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sample has a limit for each stage and reason."""
    monkeypatch.setattr(dropped, "MAX_SAMPLE_TEXTS", 3)
    rows = [{"url": url(str(i)), "text": sentence(1)} for i in range(10)]
    write_lines(tmp_path / "feed/a.jsonl", rows)
    result = make(recipe={"audit": {"texts": texts}}, workers=1)
    assert len(texts_of(result)) == n_rows
    assert verify(result.corpus).clean


def test_the_sample_depends_on_the_records_alone(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not on batches, and a change of the option needs no build."""
    monkeypatch.setattr(dropped, "MAX_SAMPLE_TEXTS", 4)
    pages = [{"url": url(str(i)), "html": f"<p><img src={i}></p>"} for i in range(60)]
    write_lines(tmp_path / "feed/a.jsonl", [*pages, {"url": url("kept"), "text": sentence(1)}])
    one, other = make(corpus="one", workers=1), make(corpus="other", workers=1, batch_rows=7)
    assert texts_of(one) == texts_of(other)
    assert len(texts_of(one)) == 4
    assert make(corpus="one", recipe={"audit": {"texts": "none"}}).nothing_new


def test_a_long_text_is_cut(make: Make, tmp_path: Path) -> None:
    """The number of characters is that of the whole text."""
    text = "word " * 10_000
    write_lines(tmp_path / "feed/a.jsonl", [{"url": url(str(i)), "text": text} for i in range(2)])
    (row,) = texts_of(make(stages=["dedup_exact"]))
    assert (len(row["text"]), row["text_chars"]) == (MAX_TEXT_CHARS, len(text))


def test_texts_of_pages_that_were_taken_down_are_never_kept(make: Make, tmp_path: Path) -> None:
    """By URL, by domain, and by text; also if another stage drops the page first."""
    write_lines(tmp_path / "feed/a.jsonl", [{"url": url(str(i)), "text": sentence(i)} for i in range(5)])
    corpus = make().corpus
    takedown(corpus, urls=[url("1")], domains=["gone.example"], because="asked")
    bare = "<html><body><img src=x></body></html>"
    rows: list[dict[str, Any]] = [
        {"url": url("1"), "html": bare},
        {"url": "https://www.gone.example/x", "html": bare},
        {"url": url("again"), "text": sentence(1)},
        {"url": url("other"), "html": bare},
        {"url": url("new"), "text": sentence(9)},
    ]
    write_lines(tmp_path / "feed/b.jsonl", rows)
    result = make()
    assert [(row["stage"], row["text"]) for row in texts_of(result)] == [("extract_text", bare)]
    found = show(str(corpus), stage="extract_text").records
    assert {(one.facts["url"], one.text) for one in found} == {
        (url("1"), None),
        ("https://www.gone.example/x", None),
        (url("other"), bare),
    }


def test_show_chooses_records_by_stage_reason_and_outcome(make: Make, tmp_path: Path) -> None:
    """A merged record is next to its keeper."""
    write_lines(tmp_path / "feed/a.jsonl", records())
    corpus = str(make().corpus)
    assert show(corpus).n_records == 5
    (merged,) = show(corpus, stage="dedup_near").records
    assert merged.keeper is not None
    assert (merged.text, merged.keeper["text"]) == (sentence(1) + " more", sentence(1))
    (refused,) = show(corpus, outcome="rejected", reason="any_of").records
    assert json.loads(refused.text or "") == {"url": url("type"), "text": 7}
    (kept,) = show(corpus, outcome="kept").records
    assert kept.text == sentence(1)
    with pytest.raises(BuilderError, match=r"no record has the stage 'dedup_naer' \(did you mean"):
        show(corpus, stage="dedup_naer")


def test_show_reads_all_versions_of_the_lineage(make: Make, tmp_path: Path) -> None:
    """And shows other records for another seed."""
    for name in "ab":
        rows = [{"url": url(f"{name}{i}"), "text": sentence(ord(name))} for i in range(20)]
        write_lines(tmp_path / f"feed/{name}.jsonl", rows)
        corpus = str(make().corpus)
    shown = show(corpus, stage="dedup_exact", n=10)
    assert (shown.n_records, len(shown.records)) == (38, 10)
    assert {one.version for one in show(corpus, stage="dedup_exact", n=38).records} == {"1.0.0", "1.1.0"}
    assert show(corpus, stage="dedup_exact", n=10) == shown
    other = show(corpus, stage="dedup_exact", n=10, seed=1)
    assert {one.facts["record_id"] for one in other.records} != {
        one.facts["record_id"] for one in shown.records
    }
    write_shown(shown, tmp_path / "shown.jsonl")
    assert len((tmp_path / "shown.jsonl").read_text().splitlines()) == 10


def test_show_reads_a_stopped_build(make: Make, tmp_path: Path) -> None:
    """Where everything was lost, looking at it matters most."""
    write_lines(tmp_path / "feed/a.jsonl", [{"url": url("x"), "text": 7}])
    with pytest.raises(NothingKeptError):
        make()
    (record,) = show(str(tmp_path / "corpus")).records
    assert (record.version, json.loads(record.text or "")["text"]) == ("stopped", 7)


CANARY = "The canary of the lighthouse sings only once, and no one but the keeper hears it at night."


def stored(corpus: Path) -> str:
    """Return everything that a corpus stores, decoded."""
    found = []
    for path in sorted(corpus.rglob("*")):
        if path.is_file() and path.suffix == ".parquet":
            found.append(json.dumps(pq.read_table(path).to_pylist(), default=repr, ensure_ascii=False))
        elif path.is_file() and path.suffix == ".arrow":
            with pa.memory_map(str(path)) as file:
                found.append(json.dumps(pa.ipc.open_file(file).read_all().to_pylist(), default=repr))
        elif path.is_file():
            found.append(path.read_bytes().decode("utf-8", "replace"))
    return "\n".join(found)


def test_a_canary_in_every_stage_is_nowhere_after_a_purge(make: Make, tmp_path: Path) -> None:
    """The text is in records that are kept, merged, refused by the contract, and dropped by extraction."""
    text = f"{sentence(1)}\n{CANARY}\n{sentence(2)}"
    rows: list[Any] = [
        *({"url": url(str(i)), "text": sentence(10 + i)} for i in range(5)),
        {"url": url("canary"), "text": text},
        {"url": url("canary#again"), "text": text + " again"},
        {"url": url("mirror"), "text": text},
        {"url": url("near"), "text": text + " and more"},
        {"url": url("refused"), "text": text, "status": "ok"},
        {"url": url("canary"), "text": text, "status": "ok"},
        json.dumps({"url": url("broken"), "text": text})[:-1],
        {"url": url("extracted"), "html": f"<html><head><title>{CANARY}</title></head><body></body></html>"},
        {"url": url("canary"), "html": f"<p><!-- {CANARY} --></p>"},
        {"url": url("unrelated"), "text": 7},
    ]
    write_lines(tmp_path / "feed/a.jsonl", rows)
    result = make(recipe={"audit": {"texts": "all"}})
    corpus = result.corpus
    assert CANARY in stored(corpus)
    write_lines(tmp_path / "feed/b.jsonl", [{"url": url("late"), "text": text}])
    make(recipe={"audit": {"texts": "all"}})
    stages = {row["stage"] for one in Corpus(corpus).versions() for row in _texts(corpus, one)}
    assert stages >= {"dedup_url", "dedup_exact", "dedup_near", "extract_text"}
    takedown(corpus, urls=[url("canary")], because="asked", purge=True)
    assert CANARY not in stored(corpus)
    assert sentence(1) not in stored(corpus)
    assert verify(corpus).clean
    assert [one.facts["url"] for one in show(str(corpus)).records] == [url("unrelated")]


def _texts(corpus: Path, version: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(corpus / ".audit" / version / "texts.parquet").to_pylist()
    return [row for row in rows if CANARY in (row["text"] or "")]


def test_show_says_why_a_record_has_no_text(make: Make, tmp_path: Path) -> None:
    """A record without bytes, one that is not in the sample, and a secret one are told apart."""
    others = {"url": url("other"), "text": sentence(50)}
    write_lines(tmp_path / "feed/a.jsonl", [*records(), others])
    (tmp_path / "feed/b.jsonl.gz").write_bytes(b"\x1f\x8b")
    made = make(path="feed/*", recipe={"audit": {"texts": "none"}})
    corpus = str(made.corpus)
    (unread,) = show(corpus, reason="gzip_truncated").records
    assert unread.no_text == "no text of it came to a stage; its record is jsonl/b.jsonl.gz@0"
    (near,) = show(corpus, reason="near_duplicate").records
    assert near.no_text is not None
    assert near.no_text.startswith("not in the sample of dropped texts; `audit: {texts: all}`")
    takedown(corpus, urls=[url("kept")], because="asked")
    gone = show(corpus, outcome="rejected", stage="takedown").records
    assert {one.no_text for one in gone} == {"texts of takedowns, opt-outs and personal data are never kept"}
    (refused,) = show(corpus, reason="any_of").records
    assert (refused.no_text, refused.text) == (None, '{"url": "https://a.example/type", "text": 7}')
