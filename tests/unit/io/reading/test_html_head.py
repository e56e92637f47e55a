"""The URL that a page declares for itself."""

from __future__ import annotations

import pytest

from builder.io.reading.html_head import page_url


@pytest.mark.parametrize(
    ("page", "url"),
    [
        ("<link rel=canonical href=http://a.example/x>", "http://a.example/x"),
        ('<LINK HREF="http://a.example/?a=1&amp;b=2" REL="x Canonical">', "http://a.example/?a=1&b=2"),
        ('<meta property="og:url" content="https://a.example/o">', "https://a.example/o"),
        ('<meta property="og:url" content="http://o.example/"><link rel=canonical href=http://c.example/>', "http://c.example/"),
        ('<link rel=canonical href="/relative"><meta name="og:url" content="http://o.example/">', "http://o.example/"),
        ("<!-- <link rel=canonical href=http://a.example/> -->", None),
        ("<script>'<link rel=canonical href=http://a.example/>'</script>", None),
        ("<title><link rel=canonical href=http://a.example/></title>", None),
        ("<body><link rel=canonical href=http://a.example/>", None),
        ("<link rel=canonical href=http://a.example/", None),
        ("<link rel=stylesheet href=http://a.example/>", None),
        ("<link rel=canonical href='mailto:a@b.example'>", None),
        ("", None),
    ],
)  # fmt: skip
def test_the_canonical_link_is_used_before_og_url(page: str, url: str | None) -> None:
    """Only absolute URLs in the head, outside comments and scripts, are used."""
    assert page_url(page) == url
    assert page_url(page.encode()) == url
