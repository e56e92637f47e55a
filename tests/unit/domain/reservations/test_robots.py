"""robots.txt: verdicts are those of Google's parser, over written and fuzzed rules."""

from __future__ import annotations

import protego
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from builder.domain.reservations.robots import parse_robots

oracle = pytest.importorskip("robotstxt", reason="the reference parser has no wheel for this machine")

WRITTEN = [
    (b"User-agent: *\nDisallow: /", "/x", "GPTBot"),
    (b"user-agent: gptbot\ndisallow: /\nuser-agent: *\nallow: /", "/x", "GPTBot"),
    (b"User-agent: GPTBot\nUser-agent: CCBot\nDisallow: /a", "/a/b", "CCBot"),
    (b"User-agent: GPTBot\nDisallow: /a\n\nUser-agent: GPTBot\nDisallow: /b", "/b", "GPTBot"),
    (b"User-agent: GPTBot/1.2 (x)\nDisallow: /", "/", "GPTBot"),
    (b"User-agent: GPTBotX\nDisallow: /", "/", "GPTBot"),
    (b"User-agent: GPT\nDisallow: /", "/", "GPTBot"),
    (b"User-agent: *\nDisallow: /a\nAllow: /a/b", "/a/b/c", "x"),
    (b"User-agent: *\nDisallow: /a\nAllow: /a", "/a", "x"),
    (b"User-agent: *\nDisallow: /*.pdf$", "/a.pdf", "x"),
    (b"User-agent: *\nDisallow: /*.pdf$", "/a.pdf?x", "x"),
    (b"User-agent: *\nDisallow: /a$b", "/a$b", "x"),
    (b"User-agent: *\nDisallow:", "/", "x"),
    (b"User-agent: a\nDisallow: /\nSitemap: /x\nUser-agent: b\nAllow: /", "/", "a"),
    (b"User-agent: a\nSitemap: /x\nUser-agent: b\nDisallow: /", "/", "a"),
    (b"User-agent: a\nCrawl-delay: 3\nUser-agent: b\nDisallow: /", "/", "a"),
    (b"Disallow: /\nUser-agent: *\nAllow: /", "/", "x"),
    (b"\xef\xbb\xbfUser-agent: *\rDisallow: /", "/", "x"),
    (b"User-agent *\nDisallow /", "/", "x"),
    (b"User agent: *\nDissallow: /", "/", "x"),
    (b"User-agent: * # all\nDisallow: / # none", "/", "x"),
    (b"User-agent: *\nDisallow: /\xc3\xbc", "/%C3%BC", "x"),
    (b"User-agent: *\nDisallow: /%c3%bc", "/%C3%BC", "x"),
    (b"User-agent: *foo\nDisallow: /", "/", "x"),
    (b"User-agent: x\nDisallow: /\n\nUser-agent: *\nDisallow: /a", "/b", "y"),
    (b"<html><body>Not found</body></html>", "/", "x"),
]
PIECES = ["/", "a", "b", "*", "$", "/a", "/b/", ".pdf", "?", "=", "-", "%61", "%C3%BC"]
PATTERNS = st.lists(st.sampled_from(PIECES), max_size=6).map("".join)
AGENTS = st.sampled_from(["*", "GPTBot", "ccbot", "GPTBot/1.0", "CC Bot", "a-b_c", "* x", "*x", ""])
KEYS = st.sampled_from(["Allow", "disallow", "DISALLOW ", "Sitemap", "Crawl-delay", "dissalow", "Foo"])
LINES = st.one_of(
    st.builds("{}: {}".format, KEYS, PATTERNS),
    st.builds("User-agent: {}".format, AGENTS),
    st.sampled_from(["", "# x", "User-agent", "Disallow", "disallow /a", "allow : /b", ":", "a b c"]),
)
BODIES = st.lists(LINES, max_size=14).map("\n".join).map(str.encode)
PATHS = st.lists(st.sampled_from(["a", "b", "/", ".pdf", "?", "-", "%C3%BC"]), max_size=6)


def google_allows(body: bytes, path: str, agent: str) -> bool:
    return bool(oracle.RobotsMatcher().is_allowed(body.decode(), agent, f"https://a.example{path}"))


@pytest.mark.parametrize(("body", "path", "agent"), WRITTEN)
def test_a_written_file_has_the_verdict_of_the_reference(body: bytes, path: str, agent: str) -> None:
    """Groups, longest match, wildcards, spellings and line ends."""
    assert parse_robots(body).allows(path, agent) == google_allows(body, path, agent)


@settings(max_examples=400, deadline=None)
@given(BODIES, PATHS.map(lambda one: "/" + "".join(one)), st.sampled_from(["GPTBot", "CCBot", "a-b_c", "x"]))
@example(b"User-agent: GPTBot\nFoo: x\nUser-agent: CCBot\nDisallow: /", "/", "GPTBot")
def test_a_fuzzed_file_has_the_verdict_of_the_reference(body: bytes, path: str, agent: str) -> None:
    """Any order of agents, rules and other lines."""
    assert parse_robots(body).allows(path, agent) == google_allows(body, path, agent)


@given(st.binary(max_size=2000))
def test_any_bytes_have_a_result(body: bytes) -> None:
    """Binary files and files cut inside a character do not end a build."""
    parse_robots(body).allows("/x", "GPTBot")


@pytest.mark.parametrize(
    ("rule", "path", "ours"),
    [("Disallow: /a%2Fb", "/a/b", True), ("Disallow: /\nAllow: /index.html", "/", False)],
)
def test_the_differences_from_the_reference_are_known(rule: str, path: str, ours: bool) -> None:
    """The reference decodes reserved characters, and knows index pages; the RFC does neither."""
    body = f"User-agent: *\n{rule}".encode()
    assert parse_robots(body).allows(path, "x") is ours
    assert google_allows(body, path, "x") is not ours


FILLERS = [b"\0" * 500_000, b"a" * 500_000, b"Disallow: /" + b"*a" * 250_000, b"\n" * 500_000]


@pytest.mark.parametrize("filler", FILLERS)
def test_a_file_of_500_kb_takes_no_time(filler: bytes) -> None:
    """Long lines are cut, and a pattern with many wildcards is matched in one pass."""
    body = b"User-agent: *\n" + filler
    assert parse_robots(body).allows("/" + "a" * 2000, "x") in (True, False)


def test_the_differences_from_protego_are_known() -> None:
    """protego cuts no product tokens, compares parts of them, divides groups at any line, and reads a BOM."""
    differ = [
        body.decode("utf-8-sig")
        for body, path, agent in WRITTEN
        if parse_robots(body).allows(path, agent)
        != protego.Protego.parse(body.decode()).can_fetch(f"https://a.example{path}", agent)
    ]
    assert differ == [
        "User-agent: GPTBot/1.2 (x)\nDisallow: /",
        "User-agent: GPT\nDisallow: /",
        "User-agent: a\nCrawl-delay: 3\nUser-agent: b\nDisallow: /",
        "User-agent: *\rDisallow: /",
    ]
