"""Patterns of URLs: what they match, and the reasons of what they do not select."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest

from builder.domain.url_patterns import UrlPatterns, pattern_regex


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        (
            "https://*.example.org/*",
            ["https://www.example.org/", "HTTPS://A.B.Example.ORG/x?y=/z#w"],
            [
                "http://www.example.org/",
                "https://example.org/",
                "https://a.example/?u=https://b.example.org/",
            ],
        ),
        (
            "example.org",
            ["https://example.org", "http://Example.org/x", "ftp://example.org:21/", "x://example.org?a"],
            [
                "https://www.example.org/",
                "https://example.org.evil.example/",
                "https://a.example/example.org",
            ],
        ),
        (
            "*.example.org/blog/*",
            ["https://a.example.org/blog/1", "https://a.example.org/blog/"],
            ["https://a.example.org/Blog/1", "https://a.example.org/x/blog/1", "https://a.example.org/blog"],
        ),
        ("*/page.php?id=*", ["https://a.example/page.php?id=2"], ["https://a.example/pageXphpid=2"]),
        ("http*://a.example/", ["http://a.example/", "https://a.example/"], ["https://a.example/x"]),
        ("*", ["https://a.example/x\ny", "ftp://h"], ["urn:isbn:1", "no URL"]),
        ("[a].example/(.+", ["https://[a].example/(.+"], ["https://a.example/(x"]),
    ],
)
def test_a_pattern_matches_whole_urls(pattern: str, matching: list[str], others: list[str]) -> None:
    """Only `*` is special; a star in the host does not reach into the path."""
    regex = re.compile(pattern_regex(pattern))
    assert [url for url in [*matching, *others] if regex.match(url)] == matching
    (refused,) = dict(UrlPatterns(urls=[pattern]).refuse(pa.array([*matching, *others]))).values()
    assert refused.to_pylist() == [False] * len(matching) + [True] * len(others)


def test_a_row_without_a_url_is_not_selected_but_is_not_skipped() -> None:
    """Nothing is known of it, so it cannot match."""
    patterns = UrlPatterns(urls=["a.example"], skip_urls=["*"], schemes=["https"])
    refused = {reason: rows.to_pylist() for reason, rows in patterns.refuse(pa.array([None], pa.string()))}
    assert refused == {"scheme_not_selected": [True], "url_skipped": [False], "url_not_selected": [True]}


@pytest.mark.parametrize("scheme", ["https", "HTTPS", "https:", "https://"])
def test_a_scheme_is_written_with_or_without_its_colon(scheme: str) -> None:
    """All of these are what people write."""
    (refused,) = dict(UrlPatterns(schemes=[scheme]).refuse(pa.array(["Https://a", "http://a"]))).values()
    assert refused.to_pylist() == [False, True]
