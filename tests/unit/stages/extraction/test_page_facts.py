"""Facts of a page: title, author, date and language."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from builder.stages.extraction.page_facts import language_tag, page_facts, read_date
from builder.stages.extraction.page_text import read_page

DAY = dt.date(2018, 10, 9)
LD = '<script type="application/ld+json">%s</script>'


@pytest.mark.parametrize(
    ("html", "facts"),
    [
        ("<title> A\n title </title>", {"title": "A title"}),
        ("<title>T - Site</title><meta property=og:title content='T &amp; U'>", {"title": "T & U"}),
        ("<meta name=Author content='Ann Example'>", {"author": "Ann Example"}),
        ("<meta property='article:author' content='https://a.example/ann'>", {}),
        ("<meta name=author content=' '><meta name=dc.creator content=Ben>", {"author": "Ben"}),
        ("<meta property='article:published_time' content='2018-10-09T01:02:03Z'>", {"date": DAY}),
        ("<meta name=date content='soon'><meta name=dc.date content='2018-10-09'>", {"date": DAY}),
        ("<html lang=pt_br>", {"language": "pt-BR"}),
        ("<html lang=''><meta http-equiv=content-language content='de, en'>", {"language": "de"}),
        (LD % '{"@type": "NewsArticle", "author": [{"name": "A"}, "B"]}', {"author": "A, B"}),
        (LD % '{"@type": "BlogPosting", "datePublished": "2018-10-09"}', {"date": DAY}),
        ("<!-- <meta name=author content=E> --><body><meta name=author content=F>", {}),
        (LD % '{"@graph": [{"@type": ["Article"], "author": {"name": "C"}}]}', {"author": "C"}),
        (LD % '{"@type": "Person", "author": "D"}', {}),
        (
            LD % '{"@graph": [{"@type": "Article", "author": {"@id": "#a"}}, {"@id": "#a", "name": "D"}]}',
            {"author": "D"},
        ),
        (
            LD % '{"@type": "Article", "author": {"@id": "#b"}}'
            + LD % '[{"@type": "Person", "@id": "#b", "name": "E"}]',
            {"author": "E"},
        ),
        (LD % '{"@type": "Article", "author": {"@id": "#nobody"}}', {}),
        (
            LD
            % '{"@type": "WebPage", "mainEntity": {"@type": "ForumPosting", "datePublished": "2018-10-09"}}',
            {"date": DAY},
        ),
        (
            "<title>Bridge | The Site</title><meta property=og:site_name content='The Site'>",
            {"title": "Bridge"},
        ),
        (
            "<title>The Site: Bridge - open</title><meta property=og:site_name content='the site'>",
            {"title": "Bridge - open"},
        ),
        ("<title>The Site</title><meta property=og:site_name content='The Site'>", {"title": "The Site"}),
        (
            "<title>The Sites - Bridge</title><meta property=og:site_name content='The Site'>",
            {"title": "The Sites - Bridge"},
        ),
        (LD % "{broken", {}),
        ("<p>nothing", {}),
    ],
)
def test_facts_come_from_title_meta_lang_and_json_ld(html: str, facts: dict[str, Any]) -> None:
    """A URL is not accepted as an author."""
    found = page_facts(html.encode())
    given = {name: getattr(found, name) for name in ("title", "author", "date", "language")}
    assert {name: value for name, value in given.items() if value is not None} == facts


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("2018-10-09", DAY),
        ("20181009", DAY),
        ("2018/10/9 12:00", DAY),
        ("9 October 2018", DAY),
        ("Tue, 09 Oct 2018 08:00:00 GMT", DAY),
        ("Oct. 9th, 2018", DAY),
        ("October 9, 2018", DAY),
        ("09/10/2018", None),
        ("2018", None),
        ("2018-13-09", None),
        ("0001-01-01", None),
        ("9 Foo 2018", None),
        ("1539043200", None),
        (None, None),
        (20181009, None),
    ],
)
def test_only_unambiguous_dates_are_read(value: object, day: dt.date | None) -> None:
    """In other forms, day and month could be swapped."""
    assert read_date(value) == day


@pytest.mark.parametrize(
    ("value", "tag"),
    [
        ("en", "en"),
        ("EN-gb", "en-GB"),
        ("sr_latn_rs", "sr-Latn-RS"),
        ("es-419", "es-419"),
        ("de-1996", "de-1996"),
        ("{{lang}}", None),
        ("english", None),
        (None, None),
    ],
)
def test_language_tags_are_written_in_the_usual_case(value: str | None, tag: str | None) -> None:
    """A value that is not a language tag gives None."""
    assert language_tag(value) == tag


POST = """<div itemprop=author itemscope><a href=/u/7><span itemprop=name>Ann
 Example</span></a> <b>Moderator</b></div><time itemprop=datePublished datetime=2018-10-09T08:00>9/10</time>
<div itemprop=author>Later</div><time itemprop=datePublished datetime=2019-01-01>x</time>"""


@pytest.mark.parametrize(
    ("html", "facts"),
    [
        (POST, {"author": "Ann Example", "date": DAY}),
        (
            "<meta name=author content=M><meta name=date content=2017-01-01><body>" + POST,
            {"author": "M", "date": dt.date(2017, 1, 1)},
        ),
        (
            "<p itemprop='author creator'>By</p><meta itemprop=datePublished content=2018-10-09>",
            {"author": "By", "date": DAY},
        ),
        (
            "<div itemprop=author><meta itemprop=name content=C></div><time pubdate datetime=2018-10-09>",
            {"author": "C", "date": DAY},
        ),
        ("<p>by <a rel='nofollow author' href=/u/ann>Ann</a>, <time datetime=2018-10-09>", {"author": "Ann"}),
        ("<a rel=author href=/>https://a.example/ann</a><i itemprop=datePublished>soon</i>", {}),
        ("<a rel=author>" + "x" * 300 + "</a>", {}),
    ],
)
def test_facts_in_the_body_fill_the_gaps_of_the_head(html: str, facts: dict[str, Any]) -> None:
    """The sources are microdata and ``rel=author``; the first match counts."""
    options = {"comments": True, "links": False, "alt_texts": False, "list_bullets": True, "tables": True}
    found = read_page(f"{html}<p>Text.</p>".encode(), method="resiliparse", favor="balance", **options).facts
    given = {name: getattr(found, name) for name in ("title", "author", "date", "language")}
    assert {name: value for name, value in given.items() if value is not None} == facts
