"""Registrable domains: the rules of the Public Suffix List, and the list itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.domain.hosts import registrable_domain as module
from builder.domain.hosts.registrable_domain import PublicSuffixes, public_suffixes, registrable_domain
from builder.domain.url import domain


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("a.example", "a.example"),
        ("www.a.example", "a.example"),
        ("example", None),
        ("com", None),
        ("shop.example.com", "example.com"),
        ("co.uk", None),
        ("news.shop.co.uk", "shop.co.uk"),
        ("uk", None),
        ("www.ck", "www.ck"),
        ("docs.www.ck", "www.ck"),
        ("other.ck", None),
        ("one.other.ck", "one.other.ck"),
        ("two.one.other.ck", "one.other.ck"),
        ("ann.github.io", "ann.github.io"),
        ("github.io", None),
        ("city.kawasaki.jp", "city.kawasaki.jp"),
        ("ann.ide.kyoto.jp", "ann.ide.kyoto.jp"),
        ("example.com.", "example.com"),
        ("a..com", None),
        (".com", None),
        ("", None),
        ("192.0.2.1", None),
        ("[2001:db8::1]", None),
        ("a-host-inside", None),
    ],
)
def test_the_longest_rule_gives_the_domain(host: str, expected: str | None) -> None:
    """Suffixes, names of one label and addresses of machines have no registrable domain."""
    assert registrable_domain(host) == expected


def test_hosts_beyond_ascii_have_the_form_of_canonical_urls() -> None:
    """A canonical host is Punycode, and so are the rules."""
    assert registrable_domain(domain("http://shop.食狮.公司.cn/") or "") == "xn--85x722f.xn--55qx5d.cn"


def test_the_file_is_the_pinned_list(tmp_path, monkeypatch) -> None:
    """A changed list would give other domains without a word."""
    assert f"VERSION: {module.PUBLIC_SUFFIXES_DATE}" in module._PATH.read_text()
    other = tmp_path / "list.dat"
    other.write_text(module._PATH.read_text() + "example.com\n")
    monkeypatch.setattr(module, "_PATH", other)
    public_suffixes.cache_clear()
    try:
        with pytest.raises(ValueError, match=r"and not .*: install the package again"):
            public_suffixes()
    finally:
        public_suffixes.cache_clear()


def test_a_host_of_many_labels_takes_no_time() -> None:
    """Hosts come from pages; only as many labels are looked at as the longest rule has."""
    assert registrable_domain("a." * 1_000_000 + "com") == "a.com"


_LABELS = st.sampled_from(["a", "b", "c", "d"])
_NAMES = st.lists(_LABELS, min_size=1, max_size=4).map(".".join)
_RULES = st.lists(st.tuples(st.sampled_from(["", "*."]), _NAMES).map("".join), max_size=8)


@given(rules=_RULES, host=_NAMES)
def test_the_sets_give_what_the_published_algorithm_gives(rules: list[str], host: str) -> None:
    """The twin compares every rule label by label, from the right, as the list's project describes it."""
    assert PublicSuffixes.parse("\n".join(rules)).registrable(host) == _slow(rules, host)


def _slow(rules: list[str], host: str) -> str | None:
    labels = host.split(".")[::-1]
    matching = [rule.split(".")[::-1] for rule in [*rules, "*"]]
    matching = [
        rule
        for rule in matching
        if len(rule) <= len(labels) and all(a in (b, "*") for a, b in zip(rule, labels, strict=False))
    ]
    n_labels = max(map(len, matching)) + 1
    return None if n_labels > len(labels) else ".".join(labels[:n_labels][::-1])


PIECES = [
    "com",
    "co",
    "uk",
    "ck",
    "www",
    "kawasaki",
    "city",
    "jp",
    "github",
    "io",
    "a",
    "example",
    "xn--p1ai",
]


@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map(".".join))
def test_a_suffix_is_a_host_without_a_registrable_domain(host: str) -> None:
    """The quick answer for a whole host is that of the rules."""
    assert public_suffixes().is_suffix(host) == (public_suffixes().registrable(host) is None)
