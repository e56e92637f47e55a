"""``extract_text``: main text, limits, and pages that fail."""

from __future__ import annotations

import datetime as dt
import gzip
import sys
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from builder.errors import RecipeError
from builder.io.charset.decode import decode
from builder.protocols import Columns, Resources
from builder.stages.extract_text import EXTRACTED, ExtractText
from builder.stages.extraction import page_text

if TYPE_CHECKING:
    from pathlib import Path

ARTICLE = """<html lang="en"><head><title>Bridge opened</title><meta name="author" content="Ann"></head><body>
<nav><a href="/">Home</a> <a href="/s">Sports</a></nav>
<article><h1>Bridge opened</h1><p>The mayor opened the new bridge over the river on Monday, after four
years of work and many delays.</p><p>It is the longest bridge of the region &#xD800; and carries four
lanes.</p><img alt="a bridge"></article><footer>Copyright</footer></body></html>"""


def test_the_main_text_is_extracted(pages: Any, resources: Any, guard: Any) -> None:
    """Menus and footers are dropped; facts are filled in if the record has no value."""
    batch = pages(html=[ARTICLE, ARTICLE], text=[None, "came"], title=[None, "Given"], author=[None, None])
    outcome = ExtractText(timeout_s=7).apply(batch, resources=resources, guard=guard)
    for text in outcome.kept["text"].to_pylist():
        assert "longest bridge of the region \ufffd and carries" in " ".join(text.split())
        assert "Home" not in text and "Copyright" not in text and "a bridge" not in text
    assert outcome.kept["title"].to_pylist() == ["Bridge opened", "Given"]
    assert outcome.kept["author"].to_pylist() == ["Ann", "Ann"]
    assert outcome.counts == {"extracted": 2, "whole_text": 0, "passed_on": 0}
    assert guard.entered == [("extract_text", 0, 7), ("extract_text", 1, 7)]
    assert not guard.inside
    assert outcome.kept.schema == batch.schema.append(pa.field(EXTRACTED, pa.bool_()))


def test_trafilatura_extracts_the_main_text(pages: Any, resources: Any, guard: Any) -> None:
    """Both methods return the same kind of result."""
    outcome = ExtractText(method="trafilatura").apply(
        pages(html=[ARTICLE], text=[None]), resources=resources, guard=guard
    )
    (text,) = outcome.kept["text"].to_pylist()
    assert "longest bridge" in text and "Home" not in text


def test_a_record_with_text_and_without_readable_html_continues_unchanged(
    pages: Any, resources: Any, guard: Any
) -> None:
    """The HTML can be null, empty, or without text."""
    batch = pages(html=[None, "", "<p></p>"], text=["one", " two ", "three"])
    outcome = ExtractText().apply(batch, resources=resources, guard=guard)
    assert outcome.kept["text"].to_pylist() == ["one", " two ", "three"]
    assert outcome.counts == {"extracted": 0, "whole_text": 0, "passed_on": 3}
    assert [unit for _, unit, _ in guard.entered] == [2]


def test_a_text_that_came_is_kept_by_option(pages: Any, resources: Any, guard: Any) -> None:
    """Crawlers give Markdown next to the HTML; the facts still come from the page, and no limit applies."""
    html = f"<title>Bridges</title>{ARTICLE}"
    batch = pages(
        html=[html, html, "<p>" * 2000], text=["# Bridges", " ", "# Deep"], title=[None, None, None]
    )
    outcome = ExtractText(keep_text=True).apply(batch, resources=resources, guard=guard)
    kept, extracted, deep = outcome.kept["text"].to_pylist()
    assert (kept, deep) == ("# Bridges", "# Deep")
    assert "longest bridge" in extracted
    assert outcome.kept["title"].to_pylist() == ["Bridges", "Bridges", None]
    assert outcome.counts == {"extracted": 1, "whole_text": 0, "passed_on": 2}


def test_the_whole_text_is_used_without_main_text(pages: Any, resources: Any, guard: Any) -> None:
    """The stage counts these pages as ``whole_text``."""
    html = "<body><nav><ul><li><a href=/a>First entry</a><li><a href=/b>Second entry</a></ul></nav></body>"
    outcome = ExtractText().apply(pages(html=[html], text=[None]), resources=resources, guard=guard)
    (text,) = outcome.kept["text"].to_pylist()
    assert "First entry" in text and "Second entry" in text
    assert outcome.counts["whole_text"] == 1


def test_text_in_noscript_is_extracted(pages: Any, resources: Any, guard: Any) -> None:
    """Some forums have all their content in ``<noscript>``."""
    html = "<div id=app></div><noscript><p>All the posts of a long thread stand here.</p></noscript>"
    outcome = ExtractText().apply(pages(html=[html], text=[None]), resources=resources, guard=guard)
    assert outcome.kept["text"].to_pylist() == ["All the posts of a long thread stand here."]


@pytest.mark.parametrize(
    ("html", "text"),
    [(None, None), ("", " \n"), ("<p></p>", None), ("<script>x</script>", ""), (None, "\xa0")],
)
def test_a_page_without_text_is_rejected(
    html: str | None, text: str | None, pages: Any, resources: Any, guard: Any
) -> None:
    """Later stages need a text."""
    batch = pages(url=["http://a.example/"], html=[html], text=[text])
    outcome = ExtractText().apply(batch, resources=resources, guard=guard)
    (rejected,) = outcome.rejected.to_pylist()
    assert (rejected["reason"], rejected["outcome"], rejected["url"]) == (
        "no_text",
        "rejected",
        "http://a.example/",
    )
    assert outcome.kept.num_rows == 0


@pytest.mark.parametrize(
    ("html", "reason", "value", "limit"),
    [
        ("<div>" * 1001, "html_too_deep", "1001", "1000"),
        ("<p" + " a" * 5001 + ">x", "html_too_many_attributes", "5001", "5000"),
        ("<p>" + "x" * 1998, "html_too_big", "2001", "2000"),
    ],
)
def test_a_page_over_a_limit_fails_before_the_parser_runs(
    html: str, reason: str, value: str, limit: str, pages: Any, resources: Any, guard: Any
) -> None:
    """The row has the measured value; a page exactly at the limit passes."""
    stage = ExtractText(max_html_bytes=2000 if reason == "html_too_big" else 16 << 20)
    outcome = stage.apply(pages(html=[html], text=["came"]), resources=resources, guard=guard)
    (rejected,) = outcome.rejected.to_pylist()
    found = {name: rejected[name] for name in ("outcome", "reason", "value", "limit")}
    assert found == {"outcome": "failed", "reason": reason, "value": value, "limit": limit}
    assert guard.entered == []
    at_limit = {"html_too_deep": "<div>" * 1000, "html_too_many_attributes": "<p" + " a" * 5000 + ">"}
    page = at_limit.get(reason, "<p>" + "x" * 1990) + "text"
    outcome = stage.apply(pages(html=[page], text=[None]), resources=resources, guard=guard)
    assert (outcome.kept.num_rows, len(guard.entered)) == (1, 1)


@pytest.mark.parametrize("reason", ["timeout", "crash", "memory"])
def test_a_page_that_the_guard_refuses_fails(reason: str, pages: Any, resources: Any, refusing: Any) -> None:
    """The other pages of the batch continue."""
    guard = refusing({1: reason})
    batch = pages(html=[ARTICLE] * 3, text=[None] * 3)
    outcome = ExtractText().apply(batch, resources=resources, guard=guard)
    (rejected,) = outcome.rejected.to_pylist()
    assert (rejected["outcome"], rejected["reason"], rejected["_record"]["ordinal"]) == ("failed", reason, 1)
    assert rejected["limit"] == ("30 s" if reason == "timeout" else None)
    assert [row["ordinal"] for row in outcome.kept["_record"].to_pylist()] == [0, 2]


def test_an_exception_of_the_extractor_fails_only_its_page(
    pages: Any, resources: Any, guard: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row has the message of the exception, and the guard leaves the unit."""

    def fail(*_: Any, **__: Any) -> str:
        raise RuntimeError("boom")

    monkeypatch.setattr(page_text, "_trafilatura", fail)
    outcome = ExtractText(method="trafilatura").apply(
        pages(html=[ARTICLE], text=[None]), resources=resources, guard=guard
    )
    (rejected,) = outcome.rejected.to_pylist()
    assert (rejected["outcome"], rejected["reason"]) == ("failed", "extractor_error")
    assert rejected["message"] == "RuntimeError: boom"
    assert not guard.inside


def test_dates_are_written_to_string_and_date_columns(pages: Any, resources: Any, guard: Any) -> None:
    """String columns get ISO 8601; columns of other types stay unchanged."""
    html = "<meta name=date content='October 9, 2018'><p>Some text.</p>"
    for kind, expected in (
        (pa.string(), "2018-10-09"),
        (pa.date32(), dt.date(2018, 10, 9)),
        (pa.int64(), None),
    ):
        batch = pages(html=[html], text=[None]).append_column("date", pa.array([None], kind))
        outcome = ExtractText().apply(batch, resources=resources, guard=guard)
        assert outcome.kept["date"].to_pylist() == [expected]


def test_slices_and_large_strings_are_read_correctly(pages: Any, resources: Any, guard: Any) -> None:
    """Slices start at an offset, and large strings have 64-bit offsets."""
    batch = pages(html=["<p>zero", "<p>one", None, "<p>three"], text=[None, None, "two", None])
    place = batch.schema.get_field_index("html")
    large = batch.set_column(place, "html", batch["html"].cast(pa.large_string()))
    for given in (batch.slice(1), large.slice(1)):
        outcome = ExtractText().apply(given, resources=resources, guard=guard)
        assert outcome.kept["text"].to_pylist() == ["one", "two", "three"]


def test_a_contract_without_html_is_refused() -> None:
    """The error names both missing columns."""
    resources = Resources(contract=None, columns=Columns(html=None))  # type: ignore[arg-type]
    with pytest.raises(RecipeError, match=r"for html.*\n.*for text"):
        ExtractText().bind(pa.schema([("url", pa.string())]), resources)


@pytest.mark.parametrize("method", ["resiliparse", "trafilatura"])
def test_an_extractor_that_cannot_be_imported_is_refused(
    method: str, pages: Any, resources: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An incomplete installation is an error before the first page, not a failed row for each page."""
    schema = pages(html=[ARTICLE], text=[None]).schema
    assert ExtractText(method=method).bind(schema, resources) == schema.append(
        pa.field(EXTRACTED, pa.bool_())
    )
    for name in [name for name in sys.modules if name.partition(".")[0] == method]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(RecipeError, match=f"{method} cannot be imported"):
        ExtractText(method=method).bind(schema, resources)


@pytest.mark.corpora
@pytest.mark.parametrize("method", ["resiliparse", pytest.param("trafilatura", marks=pytest.mark.long)])
def test_nearly_all_real_pages_have_a_text(
    method: str, corpora: Path, pages: Any, resources: Any, guard: Any
) -> None:
    """The minimum is 168 of 171 pages of seven kinds, and all 45 news pages."""
    for folder, least in (("wcxb/html", 168), ("aeb-plaintext/html", 45)):
        html = [
            decode(gzip.decompress(path.read_bytes()), is_html=True).text
            for path in sorted((corpora / folder).glob("*.html.gz"))
        ]
        batch = pages(html=html, text=[None] * len(html))
        outcome = ExtractText(method=method).apply(batch, resources=resources, guard=guard)
        assert outcome.kept.num_rows >= least
        assert {row["reason"] for row in outcome.rejected.to_pylist()} <= {"no_text"}
