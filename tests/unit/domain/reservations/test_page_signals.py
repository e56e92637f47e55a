"""Headers and tags: each token of each standard, and what does not count."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.domain.reservations.page_signals import Tag, page_signals, with_tdm_order
from builder.domain.reservations.rsl import rsl_answer
from builder.domain.reservations.signal import UseSignal, combine
from builder.domain.reservations.tokens import TOKEN_LISTS, Tokens
from builder.domain.reservations.usage import parse_signal, parse_usage

TRAINING = Tokens.of(["train-ai"])
RSL = '<rsl xmlns="https://rslstandard.org/rsl"><content url="{}"><license>{}</license></content></rsl>'


def meta(name: str, content: str) -> Tag:
    return Tag("meta", {"name": name, "content": content}, f"<meta name={name} content={content}>")


def found(headers: dict[str, str] | None = None, *tags: Tag, path: str = "/x") -> list[tuple[str, ...]]:
    return [
        (one.signal, one.place, one.answer, one.token)
        for one in page_signals(headers or {}, tags, path, TRAINING)
    ]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("x-robots-tag", "noai", ("x_robots", "no", "noai")),
        ("x-robots-tag", "NoAI", ("x_robots", "no", "noai")),
        ("x-robots-tag", "GPTBot: noai", ("x_robots", "no", "noai")),
        ("x-robots-tag", "googlebot: noai", None),
        ("x-robots-tag", "googlebot: noindex, noai", ("x_robots", "no", "noai")),
        ("x-robots-tag", "noimageai", ("x_robots", "unknown", "noimageai")),
        ("x-robots-tag", "noindex", ("x_robots", "unknown", "noindex")),
        ("x-robots-tag", "max-snippet: 0", ("x_robots", "unknown", "max-snippet:0")),
        ("x-robots-tag", "unavailable_after: 25 Jun 2010 15:00:00 PST, all", None),
        ("content-usage", "train-ai=n", ("content_usage", "no", "train-ai")),
        ("content-usage", "train-ai=y", ("content_usage", "yes", "train-ai")),
        ("content-usage", "train-ai=n;exceptions=cc-cr", ("content_usage", "no", "train-ai")),
        ("content-usage", "train-ai=y, train-ai=n", ("content_usage", "no", "train-ai")),
        ("content-usage", "train-ai=n, train-ai=y", ("content_usage", "yes", "train-ai")),
        ("content-usage", "train-ai=y, genai=n", ("content_usage", "no", "genai")),
        ("content-usage", "train-ai", ("content_usage", "unknown", "train-ai")),
        ("content-usage", 'train-ai="n"', ("content_usage", "unknown", "train-ai")),
        ("content-usage", "train-ai=N", ("content_usage", "unknown", "train-ai")),
        ("content-usage", "Train-AI=n", None),
        ("content-usage", "train-ai=n;", None),
        ("content-usage", "search=n", None),
        ("content-signal", "search=yes, ai-train=no", ("content_signal", "no", "ai-train=no")),
        ("content-signal", "ai-train=yes", ("content_signal", "yes", "ai-train=yes")),
        ("content-signal", "ai-input=no", None),
        ("tdm-reservation", "1", ("tdmrep", "no", "tdm-reservation=1")),
        ("tdm-reservation", "0", ("tdmrep", "yes", "tdm-reservation=0")),
        ("tdm-reservation", "2", None),
        ("link", '<https://a.example/l.xml>; rel="license"; type="application/rsl+xml"', ("rsl", "unknown")),
        ("link", '<https://a.example/l>; rel="license"', None),
    ],
)
def test_a_header_has_the_answer_of_its_standard(name: str, value: str, expected: Any) -> None:
    """What a standard does not define says nothing; the header as it came is the evidence."""
    signals = page_signals({name: value}, [], "/x", TRAINING)
    if expected is None:
        assert signals == []
    else:
        (one,) = signals
        assert (one.signal, one.answer, one.token)[: len(expected)] == expected
        assert one.place == "header"
        assert value in one.text


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        (meta("robots", "index, NOAI"), ("meta_robots", "meta", "no", "noai")),
        (meta("CCBot", "noai"), ("meta_robots", "meta", "no", "noai")),
        (meta("bingbot", "noai"), None),
        (meta("tdm-reservation", "1"), ("tdmrep", "meta", "no", "tdm-reservation=1")),
        (meta("tdm-reservation", "true"), None),
        (meta("description", "noai"), None),
        (
            Tag("link", {"rel": "License", "type": "application/rsl+xml", "href": "/l.xml"}, "<link>"),
            ("rsl", "link", "unknown", "/l.xml"),
        ),
        (Tag("link", {"rel": "license", "href": "/l"}, "<link>"), None),
    ],
)
def test_a_tag_has_the_answer_of_its_standard(tag: Tag, expected: Any) -> None:
    """An agent's name is as good as ``robots`` if the policy names the agent."""
    assert found(None, tag) == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("url", "terms", "expected"),
    [
        ("/", '<prohibits type="usage">ai-train</prohibits>', ("no", "prohibits ai-train")),
        ("/", '<prohibits type="usage">ai-all search</prohibits>', ("no", "prohibits ai-all")),
        ("/", '<prohibits type="usage">search</prohibits>', ("unknown", "license")),
        ("/", '<permits type="usage">search</permits>', ("no", "permits search")),
        ("/", '<permits type="usage">all</permits>', ("yes", "permits")),
        ("/", '<permits type="usage">all</permits><payment type="free"/>', ("yes", "permits")),
        ("/", '<permits type="usage">all</permits><payment type="crawl"/>', ("no", "payment crawl")),
        ("/", '<permits type="user">all</permits>', ("unknown", "license")),
        ("https://a.example/y", '<prohibits type="usage">all</prohibits>', ("unknown", "content")),
        ("https://a.example/x*", '<prohibits type="usage">all</prohibits>', ("no", "prohibits all")),
    ],
)
def test_inline_terms_of_rsl_are_read(url: str, terms: str, expected: Any) -> None:
    """Terms for other paths say nothing; a usage for a payment is not permitted to others."""
    assert rsl_answer(RSL.format(url, terms), "/x", TRAINING.rsl) == expected


@pytest.mark.parametrize(
    "xml", ["<rsl", "", "<!DOCTYPE x [<!ENTITY a 'b'>]><rsl>&a;</rsl>", "<rsl>" + "x" * 70_000 + "</rsl>"]
)
def test_terms_that_cannot_be_read_are_missing(xml: str) -> None:
    """The policy decides what that means; declarations of entities are never expanded."""
    (one,) = page_signals(
        {}, [Tag("script", {"type": "application/rsl+xml"}, "<script>", xml)], "/x", TRAINING
    )
    assert (one.answer, one.is_missing) == ("unknown", True)


def test_a_later_place_of_tdmrep_overrides_an_earlier_one() -> None:
    """File, header, meta; what is overridden stays as evidence."""
    file = UseSignal(signal="tdmrep", place="tdmrep.json", answer="no", token="", text="")
    both = page_signals({"tdm-reservation": "1"}, [meta("tdm-reservation", "0")], "/", TRAINING)
    counted = [(one.place, counts) for one, counts in with_tdm_order([file, *both])]
    assert counted == [("tdmrep.json", False), ("header", False), ("meta", True)]
    assert [counts for _, counts in with_tdm_order([file, *both[:1]])] == [False, True]


def test_any_no_wins_over_any_yes() -> None:
    """The rule of AIPREF, for all signals."""
    assert combine(["yes", "no"]) == "no"
    assert combine(["unknown", "yes"]) == "yes"


@given(st.text(), st.dictionaries(st.sampled_from(["name", "content", "rel", "type"]), st.text()))
def test_no_header_and_no_tag_ends_a_build(value: str, attributes: dict[str, str]) -> None:
    """Any text has a result."""
    names = ("x-robots-tag", "content-usage", "content-signal", "tdm-reservation", "link")
    tags = [Tag(name, attributes, value, value) for name in ("meta", "link", "script")]
    page_signals(dict.fromkeys(names, value), tags, "/x", TRAINING)


@pytest.mark.parametrize("filler", ["train-ai=n;" * 50_000, "a=" * 200_000, ", " * 200_000, ";a" * 200_000])
def test_a_long_header_takes_no_time(filler: str) -> None:
    """Values beyond 4,096 characters say nothing."""
    assert parse_usage(filler) == {}
    assert parse_signal(filler) == {}
    assert rsl_answer(filler, "/", TRAINING.rsl) is None
    found({"x-robots-tag": filler, "link": "<" * 200_000 + filler})


def test_the_lists_of_tokens_are_dated() -> None:
    """A list that was published does not change; a new one has a new date."""
    assert TOKEN_LISTS == ("2026-11",)
    assert Tokens.of(["train-ai"]).agents["ccbot"] == "CCBot"
    assert Tokens.of(["train-ai"], agents=["X"]).agents == {"x": "X"}
