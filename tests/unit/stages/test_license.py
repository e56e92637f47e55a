"""``license``: the seven places, conflicts, and what ``allow`` and ``strength`` keep."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.errors import RecipeError
from builder.stages.license import License
from builder.stages.reserving.page_licenses import PLACES, page_licenses
from builder.stages.reserving.page_tags import PageTag

BY = "https://creativecommons.org/licenses/by/4.0/"
NC = "https://creativecommons.org/licenses/by-nc/4.0/"
ZERO = "https://creativecommons.org/publicdomain/zero/1.0/"
URL = "https://a.example/x"


def linked(node: Any) -> str:
    return f'<script type="application/ld+json">{json.dumps(node)}</script>'


def article(license_: Any, **more: Any) -> str:
    return linked({"@type": "NewsArticle", "license": license_, **more})


@pytest.fixture
def run(pages: Any, resources: Any, guard: Any) -> Any:
    """Return a function that gives the licence, its place and the reason of one page."""

    def judge(html: str | None, *, headers: dict[str, str] | None = None, **options: Any) -> tuple[Any, ...]:
        batch = pages(url=[URL], html=[html], headers=[json.dumps(headers or {})])
        stage = License(**options)
        schema = stage.bind(batch.schema, resources)
        outcome = stage.apply(batch, resources=resources, guard=guard)
        if outcome.rejected.num_rows:
            (row,) = outcome.rejected.to_pylist()
            return row["value"], row["reason"]
        assert outcome.kept.schema == schema
        (row,) = outcome.kept.to_pylist()
        return row["license"], row["license_place"]

    return judge


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        (f"<head><link rel=license href={BY}></head>", ("cc-by-4.0", "rel")),
        (f"<footer><a rel='license noopener' href={BY}>x</a></footer>", ("cc-by-4.0", "rel")),
        (f"<article><a rel=license href={BY}>x</a></article>", ("cc-by-4.0", "rel")),
        (f"<p><a rel=license href={BY}>x</a>", ("cc-by-4.0", "markup")),
        (article(BY), ("cc-by-4.0", "json_ld")),
        (article({"@id": BY}), ("cc-by-4.0", "json_ld")),
        (article([{"@type": "CreativeWork", "url": BY}]), ("cc-by-4.0", "json_ld")),
        (article(BY, mainEntityOfPage={"@id": URL}), ("cc-by-4.0", "json_ld")),
        (article(BY, url="https://a.example/other"), (None, None)),
        (linked({"@graph": [{"@type": "WebPage", "license": BY}]}), ("cc-by-4.0", "json_ld")),
        (linked({"@type": "ImageObject", "license": BY}), (None, None)),
        (f"<meta name=DCTERMS.license content={BY}>", ("cc-by-4.0", "meta")),
        ("<meta name=copyright content='Ann, CC BY 4.0'>", ("cc-by-4.0", "meta")),
        ("<meta name=copyright content='© Ann'>", (None, None)),
        (f"<meta name=description content={BY}>", (None, None)),
        (f"<span itemprop=license content={BY}></span>", ("cc-by-4.0", "markup")),
        (f"<div property='cc:license' resource={BY}></div>", ("cc-by-4.0", "markup")),
        (f"<footer><a href={BY}>x</a></footer>", ("cc-by-4.0", "footer_link")),
        (f"<p><a href={BY}>x</a></p>", ("cc-by-4.0", "link")),
        (f"<!-- <a href={BY}>x</a> -->", (None, None)),
        (f"<p>{BY}</p>", (None, None)),
        (None, (None, None)),
    ],
)
def test_a_licence_has_a_place(run: Any, html: str | None, expected: tuple[Any, ...]) -> None:
    """The seven places, and what names no licence of the page."""
    assert run(html) == expected


def test_a_header_names_a_licence(run: Any) -> None:
    """A link with another relation does not."""
    assert run("<p>", headers={"Link": f'</s>; rel=next, <{BY}>; rel="license"'}) == ("cc-by-4.0", "header")
    assert run("<p>", headers={"Link": f"<{BY}>; rel=next"}) == (None, None)


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        (f"<link rel=license href={BY}><footer><a href={NC}>x</a></footer>", ("cc-by-4.0", "rel")),
        (f"<footer><a href={NC}>x</a></footer><meta name=rights content={ZERO}>", ("cc0-1.0", "meta")),
        (
            f"<footer><a rel=license href={NC}>x</a></footer><meta name=rights content={ZERO}>",
            ("cc-by-nc-4.0", "rel"),
        ),
        (f"<link rel=license href={BY}><link rel=license href={NC}>", ("conflict", "rel")),
        (f"<link rel=license href={BY}><link rel=license href={BY}>", ("cc-by-4.0", "rel")),
        (
            f"<link rel=license href={BY}><link rel=license href=//creativecommons.org/licenses/by/>",
            ("cc-by-4.0", "rel"),
        ),
    ],
)
def test_the_strongest_place_decides(run: Any, html: str, expected: tuple[Any, ...]) -> None:
    """Two licences at one place are a conflict; a name without a version is not another licence."""
    assert run(html) == expected


@pytest.mark.parametrize(
    ("html", "options", "expected"),
    [
        (f"<link rel=license href={BY}>", {"allow": ["cc-by-4.0"]}, ("cc-by-4.0", "rel")),
        (f"<link rel=license href={BY}>", {"allow": ["cc-by"]}, ("cc-by-4.0", "rel")),
        (f"<link rel=license href={NC}>", {"allow": ["cc-by"]}, ("cc-by-nc-4.0", "license_not_allowed")),
        ("<p>", {"allow": ["cc-by"]}, (None, "no_license")),
        (f"<p><a href={BY}>x</a>", {"allow": ["cc-by"], "strength": 2}, (None, "no_license")),
        (f"<p><a href={BY}>x</a>", {"strength": 2}, (None, None)),
        (
            f"<link rel=license href={BY}><link rel=license href={NC}>",
            {"allow": ["cc-by"]},
            ("conflict", "license_conflict"),
        ),
    ],
)
def test_allow_keeps_licences_that_are_strong_enough(
    run: Any, html: str, options: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    """A page without a licence of that strength has none."""
    assert run(html, **options) == expected


def test_a_chain_without_html_is_refused(resources: Any, pages: Any) -> None:
    """The fault is found before a record is read."""
    with pytest.raises(RecipeError, match="no column for html"):
        License().bind(pages(text=["a"]).schema, resources)


def test_the_docs_list_the_places_by_strength() -> None:
    """The table in the docstring is the order of the code."""
    lines = [line.split("|") for line in (License.__doc__ or "").splitlines() if line.count("|") == 4]
    listed = [(int(line[1]), line[2].strip(" `")) for line in lines if line[1].strip().isdigit()]
    assert listed == [(len(PLACES) - at, place) for at, place in enumerate(PLACES)]


ATTRIBUTES = st.dictionaries(
    st.sampled_from(["name", "content", "rel", "href", "itemprop", "property", "type"]),
    st.one_of(st.text(), st.sampled_from(["license", "application/ld+json", BY, "rights", "cc by"])),
)


@given(st.sampled_from(["meta", "link", "script", "a", ""]), ATTRIBUTES, st.text(), st.text())
def test_no_tag_ends_a_build(name: str, attributes: dict[str, str], content: str, link: str) -> None:
    """Any attribute, any JSON, any header."""
    tag = PageTag(name=name, part="head", attributes=attributes, text="", content=f"license{content}")
    page_licenses([tag], {"link": link}, URL)
