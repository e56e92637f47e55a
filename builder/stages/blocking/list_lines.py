"""Read the lines of a list: domains, hosts files, URLs, AdBlock rules for domains, words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import unquote

from builder.domain.url import canonical_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DOMAIN: Final = "d"
HOST: Final = "h"
URL: Final = "u"
QUERY: Final = "q"
PHRASE: Final = "w"
KIND_NAMES: Final = {DOMAIN: "domain", HOST: "host", URL: "url", QUERY: "url", PHRASE: "word"}
"""The kinds of rules, as the option ``rules`` of a list and the reason codes name them."""

_PLAIN_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)+")
_ADDRESS = re.compile(r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*")
_ADBLOCK = re.compile(r"\|\|([^/^$*|]+)\^\|?")
_COMMENT = re.compile(r"(?:^|\s)#.*")
_WORD = re.compile(r"[^\W_]+")
_OWN_HOSTS: Final = frozenset(("localhost", "localhost.localdomain", "local", "broadcasthost", "0.0.0.0"))
_MAX_RULE_CHARS: Final = 4096


class Rule(NamedTuple):
    """One rule of a list: its kind, what it matches, and whether it was written for all hosts below."""

    kind: str
    key: str
    is_below: bool = False


def read_list(lines: Iterable[str], *, rules: str = "auto") -> Iterator[tuple[int, Rule]]:
    """Yield each rule with the number of its line, from 1; lines without a rule are skipped.

    Args:
        rules: ``auto``, or the kind of all lines: ``domains``, ``hosts``, ``urls`` or ``words``.
    """
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text or text.startswith(("#", "!", "[")) or len(text) > _MAX_RULE_CHARS:
            continue
        if rules == "auto" and _PLAIN_HOST.fullmatch(text):
            yield number, Rule(DOMAIN, text)
            continue
        for rule in _rules_of(_COMMENT.sub("", text).strip(), rules):
            yield number, rule


def words_of(text: str) -> list[str]:
    """Return the words of a text or of a URL in lower case, without signs and underscores.

    >>> words_of("https://A.example/Free%20Games_1")
    ['https', 'a', 'example', 'free', 'games', '1']
    """
    return _WORD.findall((unquote(text) if "%" in text else text).lower())


def host_of(name: str) -> str | None:
    """Return a host of a list as canonical URLs write it; None if it is not one.

    >>> host_of("Bücher.Example."), host_of("a b"), host_of("a.example/x")
    ('xn--bcher-kva.example', None, None)
    """
    name = name.rstrip(".")
    canonical = canonical_url(f"http://{name}/") if name and not re.search(r"[\s/@?#\\]", name) else None
    host = canonical[len("http://") : -1] if canonical else ""
    return host if host and (":" not in host or host.startswith("[")) else None


def _rules_of(text: str, rules: str) -> Iterator[Rule]:
    if rules == "words":
        if words := words_of(text):
            yield Rule(PHRASE, " ".join(words))
    elif (found := _ADBLOCK.fullmatch(text)) and rules == "auto":
        yield from _named(DOMAIN, [found[1]])
    elif len(names := text.split()) > 1:
        if rules in ("auto", "hosts") and _ADDRESS.fullmatch(names[0]):
            yield from _named(HOST, [one for one in names[1:] if one.lower() not in _OWN_HOSTS])
    elif rules == "hosts":
        yield from _named(HOST, names)
    elif rules in ("auto", "urls") and "/" in text:
        yield from _url_rule(text)
    elif rules != "urls":
        yield from _named(DOMAIN, names)


def _named(kind: str, names: Iterable[str]) -> Iterator[Rule]:
    for name in names:
        bare = name.removeprefix("*").removeprefix(".")
        if host := host_of(bare):
            yield Rule(kind, host, is_below=bare != name)


def _url_rule(text: str) -> Iterator[Rule]:
    """Yield the rule of a URL, which may lack its scheme; a URL without a path is the rule of a domain."""
    canonical = canonical_url(text if "://" in text else f"http://{text}")
    if canonical is None:
        return
    rest = canonical.split("://", 1)[1].partition("#")[0]
    if "?" in rest:
        yield Rule(QUERY, rest)
    elif rest.count("/") == 1 and rest.endswith("/"):
        yield from _named(DOMAIN, [rest[:-1]])
    else:
        yield Rule(URL, rest)
