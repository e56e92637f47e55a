"""Canonical URLs: each rule by examples."""

from __future__ import annotations

import pytest

from builder.domain.url import canonical_url, domain


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        (" \thttp://a.example/x\n ", "http://a.example/x"),
        ("http://a.exa\nmple/x", "http://a.example/x"),
        ("HTTPS://A.Example/Path?Query=Value", "https://a.example/Path?Query=Value"),
        ("http://bücher.example", "http://xn--bcher-kva.example/"),
        ("http://BÜCHER.example/", "http://xn--bcher-kva.example/"),
        ("http://faß.example/", "http://xn--fa-hia.example/"),
        ("http://例え。テスト/", "http://xn--r8jz45g.xn--zckzah/"),
        ("http://[0:0::1]:80/", "http://[::1]/"),
        ("http://a.example:80", "http://a.example/"),
        ("https://a.example:443/", "https://a.example/"),
        ("http://a.example:443/", "http://a.example:443/"),
        ("http://a.example:/", "http://a.example/"),
        ("http://a.example:008080/", "http://a.example:8080/"),
        ("http://user:pass@a.example/", "http://user:pass@a.example/"),
        ("http://a.example\\b\\c", "http://a.example/b/c"),
        ("http://a.example/a/./b/../../c/..", "http://a.example/"),
        ("http://a.example/a//b/", "http://a.example/a//b/"),
        ("http://a.example/%7Euser/%c3%a9/é/%2F/100%", "http://a.example/~user/%C3%A9/%C3%A9/%2F/100%25"),
        ("http://a.example/x#part", "http://a.example/x"),
        ("http://a.example/#/users/7?tab=a b", "http://a.example/#/users/7?tab=a%20b"),
        ("http://a.example/?b=2&a=1#!page", "http://a.example/?a=1&b=2#!page"),
        ("http://a.example/x#/é#2", "http://a.example/x#/%C3%A9%232"),
        ("http://a.example/#/", "http://a.example/"),
        ("http://a.example/#!", "http://a.example/"),
        ("http://a.example/x?b=2&a=1&b=1&", "http://a.example/x?a=1&b=2&b=1"),
        ("http://a.example/x?utm_source=n&UTM_Medium=m&fbclid=1&gclid=2", "http://a.example/x"),
        ("http://a.example/x?utm%5Fsource=n&id=7", "http://a.example/x?id=7"),
        ("http://a.example/x?q=a+b%20c", "http://a.example/x?q=a+b%20c"),
        ("http://www.a.example/x/", "http://www.a.example/x/"),
    ],
)
def test_a_url_has_the_canonical_form_of_the_rules(url: str, canonical: str) -> None:
    """The cases follow the numbered rules in the module's docstring."""
    assert canonical_url(url) == canonical


def test_rules_number_1_remove_every_fragment() -> None:
    """Corpora that were built with them keep them."""
    assert canonical_url("http://a.example/#/users/7", 1) == "http://a.example/"
    assert canonical_url("http://a.example/#top", 1) == "http://a.example/"


NONE = r"""
x /a/b //a.example/ www.a.example ftp://a.example/ mailto:a@b.example urn:uuid:1 http: http:// http:///x
http://a<b/ http://a.example:99999/ http://a.example:x/ http://[::1 http://[zz]/ http://℀.example/ http://./
javascript:alert(1) http://a%00b/ http://[fe80::1%eth0]/
"""


@pytest.mark.parametrize("url", ["", "http://a b/", *NONE.split()])
def test_other_addresses_have_no_canonical_form(url: str) -> None:
    """The cases are other schemes, relative addresses, and invalid hosts and ports."""
    assert canonical_url(url) is None
    assert domain(url) is None
