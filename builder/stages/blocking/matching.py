"""Find the first rule that matches a URL, and say which one it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from builder.domain.url import canonical_url
from builder.stages.blocking.list_lines import DOMAIN, HOST, KIND_NAMES, PHRASE, QUERY, URL, words_of
from builder.stages.blocking.rule_table import key_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from builder.stages.blocking.rule_table import RuleTable

_MAX_SEGMENTS: Final = 64
_MAX_WORDS: Final = 512
_ADDRESS = re.compile(r"[0-9.]+|\[.*\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """The rule that decides about a URL: its kind, what it says, its list and line."""

    kind: str
    rule: str
    list_name: str
    line: int
    allows: bool

    @property
    def reason(self) -> str:
        """The reason code of a page that the rule blocks."""
        return f"blocked_{self.kind}"

    def __str__(self) -> str:
        return f"{self.list_name}, line {self.line}: {self.kind} {self.rule}"


def find_hits(urls: Sequence[str | None], rules: RuleTable, *, url_rules: int) -> list[Hit | None]:
    """Return for each URL the rule that decides: one that allows, else the first that blocks.

    The first rule is the one in the list that the recipe names first, then that with the lowest line. A value
    without a canonical URL has no rule.

    Args:
        url_rules: the number of the corpus's rules of canonical URLs.
    """
    keys: list[bytes] = []
    owners: list[int] = []
    for row, url in enumerate(urls):
        canonical = canonical_url(url, url_rules) if url else None
        if canonical is not None:
            before = len(keys)
            keys.extend(url_keys(canonical, kinds=rules.kinds, max_words=rules.max_words))
            owners.extend([row] * (len(keys) - before))
    best: dict[int, tuple[bool, int, int, bytes]] = {}
    for row, key, place in zip(owners, keys, rules.find(keys), strict=True):
        if place is not None:
            found = (not key[:1].isupper(), *place, key)
            best[row] = min(best.get(row, found), found)
    return [_hit(best[row], rules) if row in best else None for row in range(len(urls))]


def url_keys(canonical: str, *, kinds: str, max_words: int) -> Iterator[bytes]:
    """Yield the keys of all rules of some kinds that would match a canonical URL.

    >>> sorted(url_keys("https://a.b.example/x", kinds="dh", max_words=0))
    [b'da.b.example', b'db.example', b'dexample', b'ha.b.example']
    """
    place = canonical.split("://", 1)[1].partition("#")[0]
    authority, _, rest = place.partition("/")
    host = _host(authority)
    path, question, _ = rest.partition("?")
    lower = kinds.lower()
    texts: list[tuple[str, str]] = []
    if DOMAIN in lower:
        texts += [(DOMAIN, name) for name in _domains(host)]
    if HOST in lower:
        texts.append((HOST, host))
    if URL in lower or QUERY in lower:
        for start in dict.fromkeys((host, host.removeprefix("www."))):
            texts += [(URL, f"{start}/{one}") for one in _prefixes(path)]
            if question:
                texts.append((QUERY, f"{start}/{rest}"))
    if PHRASE in lower:
        texts += [(PHRASE, phrase) for phrase in _phrases(words_of(place), max_words)]
    for kind, text in texts:
        if kind in kinds:
            yield key_of(kind, text)
        if kind.upper() in kinds:
            yield key_of(kind.upper(), text)


def _host(authority: str) -> str:
    authority = authority.rpartition("@")[2]
    host = authority if authority.startswith("[") else authority.partition(":")[0]
    return host.rstrip(".")


def _domains(host: str) -> Iterator[str]:
    """Yield the host and all domains above it; the numbers of an address have no domain above them."""
    yield host
    while not _ADDRESS.fullmatch(host) and (rest := host.partition(".")[2]):
        yield rest
        host = rest


def _prefixes(path: str) -> Iterator[str]:
    """Yield the path and all paths above it, with and without the slash at the end.

    >>> list(_prefixes("a/b"))
    ['a/b', 'a/b/', 'a/', 'a']
    """
    yield path
    if not path.endswith("/"):
        yield f"{path}/"
    segments = path.split("/")[:_MAX_SEGMENTS]
    for n in range(len(segments) - 1, 0, -1):
        above = "/".join(segments[:n])
        yield f"{above}/"
        yield above


def _phrases(words: Sequence[str], max_words: int) -> Iterator[str]:
    words = words[:_MAX_WORDS]
    for first in range(len(words)):
        for last in range(first + 1, min(first + max_words, len(words)) + 1):
            yield " ".join(words[first:last])


def _hit(found: tuple[bool, int, int, bytes], rules: RuleTable) -> Hit:
    blocks, number, line, key = found
    text = key.decode("utf-8", "replace")
    return Hit(
        kind=KIND_NAMES[text[0].lower()],
        rule=text[1:],
        list_name=rules.names[number],
        line=line,
        allows=not blocks,
    )
