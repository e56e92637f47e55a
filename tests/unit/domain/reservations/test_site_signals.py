"""Files of sites: what robots.txt, tdmrep.json and ai.txt say about a path."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.domain.reservations.site_signals import FILES, parse_site_file, site_file_kind, site_signals
from builder.domain.reservations.tokens import Tokens

TRAINING = Tokens.of(["train-ai"], agents=["CCBot", "GPTBot"])


def answers(kind: str, body: str | bytes, *, path: str = "/x", status: int | None = 200) -> list[Any]:
    data = body.encode() if isinstance(body, str) else body
    file = parse_site_file(kind, status=status, body=data)
    return [(one.signal, one.answer, one.token, one.line) for one in site_signals(file, path, TRAINING)]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("User-agent: *\nDisallow: /", [("robots", "no", "CCBot, GPTBot", 2)]),
        ("User-agent: GPTBot\nDisallow: /", [("robots", "no", "GPTBot", 2)]),
        ("User-agent: GPTBot\nAllow: /", [("robots", "yes", "GPTBot", 2)]),
        ("User-agent: *\nAllow: /", []),
        ("User-agent: bingbot\nDisallow: /", []),
        ("User-agent: *\nDisallow: /y", []),
        ("User-agent: *\nContent-Usage: train-ai=n", [("content_usage", "no", "train-ai", 2)]),
        ("Content-Usage: train-ai=n", [("content_usage", "no", "train-ai", 1)]),
        ("User-agent: bingbot\nContent-Usage: train-ai=n", []),
        (
            "User-agent: *\nContent-Usage: train-ai=n\nContent-Usage: /x train-ai=y",
            [("content_usage", "yes", "train-ai", 3)],
        ),
        (
            "User-agent: *\nContent-Usage: /x train-ai=y\nContent-Usage: /x train-ai=n",
            [("content_usage", "no", "train-ai", 3)],
        ),
        ("User-agent: *\nContent-Usage: /y train-ai=n", []),
        (
            "User-Agent: *\nContent-Signal: search=yes,ai-train=no\nAllow: /",
            [("content_signal", "no", "ai-train=no", 2)],
        ),
        ("User-agent: bingbot\nContent-Signal: ai-train=no", [("content_signal", "no", "ai-train=no", 2)]),
        (
            "License: https://a.example/license.xml\nUser-agent: *\nAllow: /",
            [("rsl", "unknown", "https://a.example/license.xml", 1)],
        ),
    ],
)
def test_robots_txt_has_rules_about_fetching_and_about_use(body: str, expected: list[Any]) -> None:
    """Fetching by longest match for each agent of the policy; use by the lines of other standards."""
    assert answers("robots.txt", body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('[{"location": "/x", "tdm-reservation": 1}]', [("tdmrep", "no", "tdm-reservation=1", None)]),
        ('[{"location": "/*", "tdm-reservation": 0}]', [("tdmrep", "yes", "tdm-reservation=0", None)]),
        (
            '[{"location": "/x", "tdm-reservation": 0}, {"location": "/", "tdm-reservation": 1}]',
            [("tdmrep", "yes", "tdm-reservation=0", None)],
        ),
        ('[{"location": "/y", "tdm-reservation": 1}]', []),
        ('[{"location": "/x$", "tdm-reservation": 2}]', []),
        ("[]", []),
        ("{", [("tdmrep", "unknown", "unreadable", None)]),
        ('{"location": "/"}', [("tdmrep", "unknown", "unreadable", None)]),
    ],
)
def test_the_first_rule_of_tdmrep_that_matches_decides(body: str, expected: list[Any]) -> None:
    """A file that is not a list of rules is unreadable."""
    assert answers("tdmrep.json", body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("User-Agent: *\nDisallow: *.txt", [("ai_txt", "no", "*.txt", 2)]),
        ("User-Agent: *\nDisallow: *.jpg\nAllow: *.txt", [("ai_txt", "yes", "*.txt", 3)]),
        ("User-Agent: *\nDisallow: *.jpg", []),
        ("User-Agent: *\nDisallow: /", [("ai_txt", "no", "/", 2)]),
        ("# Spawning AI\n{}", []),
    ],
)
def test_ai_txt_has_rules_by_kind_of_file(body: str, expected: list[Any]) -> None:
    """Rules about images say nothing about text."""
    assert answers("ai.txt", body) == expected


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (404, "User-agent: *\nDisallow: /", []),
        (None, "User-agent: *\nDisallow: /", ["no"]),
        (503, "User-agent: *\nDisallow: /", ["unknown"]),
        (301, "", ["unknown"]),
        (200, "<!DOCTYPE html><p>User-agent: *\nDisallow: /", []),
    ],
)
def test_the_status_says_whether_there_is_a_file(status: int | None, body: str, expected: list[str]) -> None:
    """4xx: no file. 5xx and redirects: nobody knows. A web page is not a file of rules."""
    assert [one[1] for one in answers("robots.txt", body, status=status)] == expected


@given(st.binary(max_size=600), st.sampled_from(FILES))
def test_any_bytes_have_signals_or_none(body: bytes, kind: str) -> None:
    """Binary files do not end a build."""
    answers(kind, body)


HOSTILE = [
    bytes(range(256)) * 2000,
    b"[" * 500_000,
    b'[{"location":"' + b"/*" * 250_000 + b'","tdm-reservation":1}]',
]


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("body", HOSTILE)
def test_a_binary_file_of_500_kb_takes_no_time(kind: str, body: bytes) -> None:
    """Nesting, long patterns and control characters."""
    answers(kind, body, path="/" + "a" * 2000)


def test_a_url_names_its_file() -> None:
    """Both places of ai.txt and tdmrep.json."""
    names = ("/robots.txt", "/.well-known/ai.txt?x", "/.well-known/tdmrep.json#y", "/index.html")
    assert [site_file_kind(f"https://a.example{one}") for one in names] == [
        "robots.txt",
        "ai.txt",
        "tdmrep.json",
        None,
    ]
