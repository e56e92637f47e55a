"""``builder check`` of a recipe: what it would lose, and what has no effect."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from planted import sentence, write_lines

from builder import Recipe
from builder.operations.check import Check, check
from builder.operations.sampling import take_evenly

PAGE = "<html><body><article><p>" + sentence(1) + "</p></article></body></html>"


def checked(
    folder: Path,
    *sources: Any,
    stages: list[Any] | None = None,
    options: dict[str, Any] | None = None,
    **recipe: Any,
) -> Check:
    """Check a recipe; by default it reads `a.jsonl`."""
    document = {
        "name": "harbour",
        "sources": list(sources) or [{"jsonl": {"path": "a.jsonl"}}],
        "stages": [{stage: {}} for stage in stages or ["validate"]],
        "corpus": "corpus",
        **recipe,
    }
    return check(Recipe.from_dict(document, folder=folder), **(options or {}))


def warned(found: Check) -> dict[str, str]:
    return {fault.where: f"{fault.what} ({fault.advice})" for fault in found.warnings}


def test_nothing_kept_has_the_reasons_of_a_build(tmp_path: Path) -> None:
    """The same tables as a build prints; the command then exits with 1."""
    schema = {
        "type": "object",
        "properties": {"status": {"type": "integer"}, "text": {"type": "string"}},
        "required": ["text"],
    }
    (tmp_path / "c.schema.json").write_text(json.dumps(schema))
    write_lines(tmp_path / "a.jsonl", [{"status": "ok", "text": sentence(i)} for i in range(3)])
    found = checked(tmp_path, contract="c.schema.json")
    assert not found.keeps_something
    assert found.sample.reasons == [(("rejected", "validate", "type"), 3)]
    (group,) = found.sample.contract_faults
    assert (group.rule, group.pointer, group.count, group.example) == ("type", "/status", 3, '"ok"')


def test_the_sample_is_spread_over_the_inputs(tmp_path: Path) -> None:
    """A fault in the last file is found, although the first file has more records than the sample."""
    for number in range(50):
        rows = [{"text": sentence(number * 100 + i)} for i in range(60)]
        write_lines(tmp_path / f"feed/{number:02}.jsonl", rows if number < 49 else [{"text": 1}] * 60)
    found = checked(tmp_path, {"jsonl": {"path": "feed/*.jsonl"}}, options={"sample_records": 200})
    assert (found.sample.n_tasks, found.sample.n_all_tasks, found.sample.n_records) == (20, 50, 200)
    assert found.sample.outcomes["rejected"] == 10
    assert "" not in warned(found), "5 % is not over 5 %"


def test_tasks_with_few_records_leave_their_share_to_others(tmp_path: Path) -> None:
    """The sample has as many records as asked for, if there are as many."""
    write_lines(tmp_path / "feed/a.jsonl", [{"text": sentence(0)}])
    write_lines(tmp_path / "feed/b.jsonl", [{"text": sentence(i)} for i in range(1, 200)])
    found = checked(tmp_path, {"jsonl": {"path": "feed/*.jsonl"}}, options={"sample_records": 100})
    assert found.sample.n_records == 100


@pytest.mark.parametrize(("n_items", "n"), [(0, 3), (1, 3), (3, 3), (4, 3), (1000, 20), (7, 1)])
def test_an_even_sample_has_the_first_and_the_last(n_items: int, n: int) -> None:
    """And as many as asked for, without repetition."""
    taken = take_evenly(range(n_items), n)
    assert len(set(taken)) == len(taken) == min(n, n_items)
    assert taken == sorted(taken)
    assert n == 1 or not n_items or (taken[0], taken[-1]) == (0, n_items - 1)


def test_a_loss_of_over_five_percent_is_a_warning(tmp_path: Path) -> None:
    """The warning has the share."""
    write_lines(tmp_path / "a.jsonl", [{"text": sentence(i)} for i in range(9)] + [{"text": 1}])
    assert warned(checked(tmp_path))[""].startswith("1 of 10 sampled records would be lost (10.0%)")


def test_html_that_no_stage_extracts_is_a_warning(tmp_path: Path) -> None:
    """It says which stage is missing; with the stage there is no warning."""
    write_lines(tmp_path / "a.jsonl", [{"url": f"https://a.example/{i}", "html": PAGE} for i in range(2)])
    found = checked(tmp_path)
    assert not found.keeps_something
    assert warned(found)["stages"] == (
        "2 of 2 records have HTML and no text, and no stage extracts text "
        "(add the stage `- extract_text: {}` after validate)"
    )
    assert warned(checked(tmp_path, stages=["validate", "extract_text"])) == {}


def test_records_without_text_and_html_are_a_warning(tmp_path: Path) -> None:
    """A CSV file of another tool has other names. The message lists them, and says how to rename one."""
    (tmp_path / "a.csv").write_text("section,words\nnews,one\n")
    source: Any = {"path": "a.csv"}
    assert warned(checked(tmp_path, {"csv": source}))["sources[0].csv"] == (
        "no record of the sample has `text` or `html` "
        "(if another field has it, add rename: {FIELD: text}; the fields are section, words)"
    )
    renamed = checked(tmp_path, {"csv": {**source, "rename": {"words": "text"}}})
    assert "sources[0].csv" not in warned(renamed)


def test_a_field_that_looks_like_the_text_is_named_once(tmp_path: Path) -> None:
    """One warning for a source, with the line to add."""
    (tmp_path / "a.csv").write_text("section,body\nnews,one\n")
    warnings = checked(tmp_path, {"csv": {"path": "a.csv"}}).warnings
    assert [one.advice for one in warnings if one.where == "sources[0].csv"] == [
        "if this is meant, add rename: {body: text}"
    ]


def test_html_files_without_a_stage_are_a_warning_too(tmp_path: Path) -> None:
    """Every source of HTML counts."""
    (tmp_path / "a.html").write_text(PAGE)
    assert "extract_text" in warned(checked(tmp_path, {"html": {"path": "a.html"}}))["stages"]


@pytest.mark.parametrize("stage", ["repair_text", "dedup_exact", "dedup_near"])
def test_a_stage_that_reads_text_before_it_is_extracted_is_a_warning(stage: str, tmp_path: Path) -> None:
    """It sees no text of pages with HTML."""
    write_lines(tmp_path / "a.jsonl", [{"text": sentence(1)}])
    found = warned(checked(tmp_path, stages=["validate", stage, "extract_text"]))
    assert found == {
        f"stages[1].{stage}": f"{stage} comes before extract_text, so pages with HTML have no text there "
        "(move it after extract_text)"
    }


def test_stages_in_a_good_order_are_no_warning(tmp_path: Path) -> None:
    """URLs do not depend on the text."""
    write_lines(tmp_path / "a.jsonl", [{"text": sentence(1)}])
    stages = ["validate", "dedup_url", "extract_text", "repair_text", "dedup_exact", "dedup_near"]
    assert warned(checked(tmp_path, stages=stages)) == {}


def test_properties_that_are_not_published_are_named(tmp_path: Path) -> None:
    """Most frequent first; with a contract of one's own they are in `extra`, and published."""
    rows = [{"text": sentence(i), "section": "a", "status": 200, "title": "t"} for i in range(3)]
    write_lines(tmp_path / "a.jsonl", [*rows, {"text": sentence(9), "mood": "calm", "author": None}])
    assert warned(checked(tmp_path))["properties"].startswith(
        "not published, because document-1 does not have them: section, status, mood (name those"
    )
    schema = {"type": "object", "properties": {"text": {"type": "string"}}}
    (tmp_path / "c.schema.json").write_text(json.dumps(schema))
    assert warned(checked(tmp_path, contract="c.schema.json")) == {}


def test_a_name_under_publish_that_no_record_has_is_named(tmp_path: Path) -> None:
    """A typing mistake would leave the column out of the version without a word."""
    write_lines(
        tmp_path / "a.jsonl", [{"text": sentence(i), "section": "a", "meta": {"k": i}} for i in range(3)]
    )
    found = checked(tmp_path, publish=["text", "section", "meta.k", "secton"])
    assert [fault.where for fault in found.warnings] == ["publish"]
    assert warned(found)["publish"].startswith("'secton' is not published: no record of the sample has it")
    assert warned(checked(tmp_path, publish="all")) == {}


def test_members_that_look_like_text_and_url_are_named(tmp_path: Path) -> None:
    """Without a rename every such record is rejected as `any_of`, which says nothing to a newcomer."""
    write_lines(
        tmp_path / "a.jsonl", [{"Body": sentence(i), "Link": "https://a.example/1"} for i in range(3)]
    )
    found = warned(checked(tmp_path))
    assert found["sources[0].jsonl"] == (
        "some records have Link, Body, and no url or text "
        "(if this is meant, add rename: {Link: url, Body: text})"
    )
    renamed = {"jsonl": {"path": "a.jsonl", "rename": {"Body": "text", "Link": "url"}}}
    assert warned(checked(tmp_path, renamed)) == {}


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_a_rename_that_matches_nothing_is_a_warning(kind: str, tmp_path: Path) -> None:
    """It names the fields that there are."""
    write_lines(tmp_path / "a.jsonl", [{"body": sentence(1), "meta": {"link": "https://a.example/1"}}])
    (tmp_path / "a.csv").write_text(f"body,link\n{sentence(1)},https://a.example/1\n")
    link = "meta.link" if kind == "jsonl" else "link"
    rename = {"body": "text", "titel": "title", link: "url"}
    found = warned(checked(tmp_path, {kind: {"path": f"a.{kind}", "rename": rename}}))
    assert found == {
        f"sources[0].{kind}.rename.titel": "matches nothing: no record of the sample has this field "
        "(the fields are text, url)"
    }


WARC = b"""WARC/1.0\r
WARC-Type: response\r
WARC-Target-URI: https://a.example/1\r
WARC-Date: 2024-01-01T00:00:00Z\r
Content-Type: application/http; msgtype=response\r
Content-Length: %d\r
\r
%s\r
\r
"""
HTTP = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + PAGE.encode()


def test_a_status_or_content_type_that_matches_nothing_is_a_warning(tmp_path: Path) -> None:
    """Only values that the recipe lists; the defaults are for any archive."""
    (tmp_path / "a.warc.gz").write_bytes(gzip.compress(WARC % (len(HTTP), HTTP)))
    stages = ["validate", "extract_text"]
    options = {"status": ["200", "OK"], "content_types": ["Text/HTML", "text/xhtml"]}
    found = checked(tmp_path, {"warc": {"path": "a.warc.gz", **options}}, stages=stages)
    assert [(f.where, f.what.partition(":")[0]) for f in found.warnings] == [
        ("sources[0].warc.status", "'OK' matches nothing"),
        ("sources[0].warc.content_types", "'text/xhtml' matches nothing"),
    ]
    assert warned(checked(tmp_path, {"warc": {"path": "a.warc.gz"}}, stages=stages)) == {}


def test_idle_keywords_of_the_contract_are_warnings(tmp_path: Path) -> None:
    """The contract judges nothing that its author believes it does."""
    schema = {
        "type": "object",
        "properties": {
            "text": {"type": "string", "minlength": 30},
            "when": {"type": "string", "format": "datetime", "nullable": True},
        },
        "require": ["text"],
    }
    (tmp_path / "c.schema.json").write_text(json.dumps(schema))
    write_lines(tmp_path / "a.jsonl", [{"text": "x", "when": "never"}])
    found = checked(tmp_path, contract="c.schema.json")
    assert [fault.where.removeprefix("contract c-1") for fault in found.warnings] == [
        "/properties/text/minlength",
        "/properties/when/format",
        "/properties/when/nullable",
        "/require",
    ]


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    """Its records are unknown."""
    write_lines(tmp_path / "a.jsonl", [{"text": sentence(1)}])
    (tmp_path / "b.parquet").write_bytes(b"nothing")
    found = checked(tmp_path, {"jsonl": {"path": "a.jsonl"}}, {"parquet": {"path": "b.parquet"}})
    assert [(one.source, one.path) for one in found.sample.unreadable] == [("parquet", "b.parquet")]
