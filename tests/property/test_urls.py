"""Laws of canonical URLs."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from hypothesis import example, given
from hypothesis import strategies as st

from builder.domain.url import _PLAIN, TRACKING, canonical_url, domain

HOSTS = st.sampled_from(
    [
        "a.example",
        "A.Example",
        "[::1]",
        "bücher.example",
        "xn--bcher-kva.example",
        "1.2.3.4",
        "a.b.",
        "Ⅷ.example",
        "%41.b",
    ]
)
PORTS = st.sampled_from(["", ":", ":80", ":443", ":8080", ":0080", ":99999", ":x"])
PARTS = st.lists(
    st.one_of(
        st.text(max_size=3),
        st.sampled_from(
            [
                "/",
                ".",
                "..",
                "%2e",
                "%2E%2e",
                "%",
                "%4",
                "%41",
                "%2f",
                "\\",
                "&",
                "=",
                ";",
                "+",
                "é",
                "%C3%A9",
            ]
        ),
        st.sampled_from(
            ["utm_source=x", "&fbclid=1", "a=1", "&b", "&a=0", "?", "#", " ", "\t", "\ud800", "%%34%31"]
        ),
    ),
    max_size=8,
).map("".join)
URLS = st.builds(
    lambda scheme, user, host, port, rest: f"{scheme}://{user}{host}{port}{rest}",
    st.sampled_from(["http", "https", "HTTP", "HttpS"]),
    st.sampled_from(["", "u@", "u:p@", "@", "a%3ab@"]),
    HOSTS,
    PORTS,
    PARTS.map(lambda rest: rest if rest[:1] in ("/", "?", "#", "\\", "") else "/" + rest),
)


@given(st.one_of(URLS, st.text(), PARTS))
@example("http://a/%%34%31")
@example("http://a/%%%343%31")
@example("http://a/..//b/./%2e%2e/")
@example("http://a?&&utm_source")
@example("http://a.example.:080/\\..\\x")
def test_a_canonical_url_is_its_own_canonical_form(url: str) -> None:
    """It also consists of printable ASCII."""
    canonical = canonical_url(url)
    if canonical is not None:
        assert canonical_url(canonical) == canonical
        assert canonical.isascii() and canonical.isprintable() and " " not in canonical


@given(URLS)
def test_a_canonical_url_has_only_needed_parts(url: str) -> None:
    """It has no fragment except a route, no default port, no dot segment and no tracking parameter."""
    canonical = canonical_url(url)
    if canonical is None:
        return
    parts = urlsplit(canonical)
    assert parts.scheme in ("http", "https") and parts.hostname
    assert parts.port not in (80 if parts.scheme == "http" else 443,)
    assert parts.path.startswith("/") and not {".", ".."} & set(parts.path.split("/"))
    assert not parts.fragment or parts.fragment.startswith(("!", "/"))
    plain = canonical_url(url, 1)
    assert plain == canonical.partition("#")[0]
    names = [piece.split("=")[0] for piece in parts.query.split("&")]
    assert names == sorted(names)
    assert not any(name.lower() in TRACKING or name.lower().startswith("utm_") for name in names)
    assert domain(url) == domain(canonical)


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.text(alphabet="xY1", max_size=2)), max_size=5), st.randoms()
)
def test_the_order_of_parameters_does_not_matter(pairs: list[tuple[str, str]], random: object) -> None:
    """Parameters with different names may have any order; those with one name keep their order."""
    query = "&".join(f"{name}={value}" for name, value in pairs)
    canonical = canonical_url(f"http://a.example/?{query}")
    assert canonical is not None
    again = parse_qsl(urlsplit(canonical).query, keep_blank_values=True)
    assert again == sorted(pairs, key=lambda pair: pair[0])


@given(st.text(alphabet="ab-._~/%:?#@ A!$&'()*+,;=", max_size=12).map("http://a.example/".__add__))
def test_the_fast_path_equals_the_rules(url: str) -> None:
    """A URL that matches the pattern of unchanged URLs is also unchanged by the rules."""
    if _PLAIN.fullmatch(url):
        assert canonical_url(url) == canonical_url(url + "#") == url
