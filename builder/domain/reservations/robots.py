"""Parse robots.txt (RFC 9309), with the lines about use that other standards put into it.

The verdicts are those of Google's parser, with two exceptions, in which the RFC decides: a rule with ``%2F``
does not match a slash, and ``Allow: /index.html`` does not allow ``/``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from builder.domain.reservations.path_patterns import matches_path, normal_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

ALL_AGENTS: Final = "*"
_MAX_LINE_BYTES: Final = 2083 * 8
_MAX_LINES: Final = 50_000
_LINE_END = re.compile(rb"\r\n|\r|\n")
_PRODUCT = re.compile("[A-Za-z_-]+")
_BLANK = re.compile(r"[ \t]+")
_AGENT_KEYS: Final = ("user-agent", "useragent", "user agent")
_DISALLOW_KEYS: Final = ("disallow", "dissallow", "dissalow", "disalow", "diasllow", "disallaw")
_USE_KEYS: Final = ("content-usage", "content-signal")


class Line(NamedTuple):
    """A line that says something: its key in lower case, its value, its number from 1, and its text."""

    key: str
    value: str
    number: int
    text: str


class PathRule(NamedTuple):
    """Whether paths that match a pattern may be fetched."""

    allows: bool
    pattern: str
    line: Line


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The rules of some agents.

    Attributes:
        agents: product tokens in lower case; ``*`` for all agents that no group names.
        rules: what may be fetched.
        uses: lines ``Content-Usage`` and ``Content-Signal``.
    """

    agents: set[str] = field(default_factory=set)
    rules: list[PathRule] = field(default_factory=list)
    uses: list[Line] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Robots:
    """A parsed robots.txt: its groups, uses outside of groups, and links to licences."""

    groups: Sequence[Group]
    loose_uses: Sequence[Line]
    licenses: Sequence[Line]

    def groups_of(self, agent: str) -> tuple[list[Group], bool]:
        """Return the groups that an agent obeys, and whether they name it.

        Args:
            agent: the name of an agent; groups compare its product token, without regard to case.
        """
        token = product_token(agent).lower()
        named = [one for one in self.groups if token and token in one.agents]
        return (named, True) if named else ([one for one in self.groups if ALL_AGENTS in one.agents], False)

    def decide(self, path: str, agent: str) -> tuple[PathRule | None, bool]:
        """Return the rule that decides about a path, and whether its group names the agent.

        The longest matching pattern decides; of two equally long ones, the one that allows. Without a rule,
        the path is allowed.

        Args:
            path: path and query of a canonical URL.
        """
        groups, is_named = self.groups_of(agent)
        best: PathRule | None = None
        for rule in (one for group in groups for one in group.rules):
            if matches_path(path, rule.pattern) and _is_stronger(rule, best):
                best = rule
        return best, is_named

    def allows(self, path: str, agent: str) -> bool:
        """Return whether an agent may fetch a path."""
        rule, _ = self.decide(path, agent)
        return rule is None or rule.allows


def parse_robots(body: bytes) -> Robots:
    r"""Parse the bytes of a robots.txt; any bytes have a result.

    >>> robots = parse_robots(b"user-agent: gptbot\ndisallow: /\n\nuser-agent: *\nallow: /")
    >>> robots.allows("/x", "GPTBot"), robots.allows("/x", "CCBot")
    (False, True)
    """
    groups: list[Group] = []
    loose: list[Line] = []
    licenses: list[Line] = []
    has_rules = True  # the next agent begins a group
    for line in read_rule_lines(body):
        if line.key in _AGENT_KEYS:
            if has_rules:
                groups.append(Group())
                has_rules = False
            groups[-1].agents.update(_agents_of(line.value))
        elif line.key == "allow" or line.key in _DISALLOW_KEYS:
            if groups:
                has_rules = True
                pattern = normal_pattern(line.value)
                groups[-1].rules.append(PathRule(line.key == "allow", pattern, line))
        elif line.key in _USE_KEYS:
            (groups[-1].uses if groups else loose).append(line)
            has_rules = has_rules or bool(groups)
        elif line.key == "license":
            licenses.append(line)
    return Robots(groups=groups, loose_uses=loose, licenses=licenses)


def read_rule_lines(body: bytes) -> Iterator[Line]:
    """Yield the lines of a file of rules that have a key and a value; comments are removed."""
    body = body.removeprefix(b"\xef\xbb\xbf")
    for number, raw in enumerate(_LINE_END.split(body, maxsplit=_MAX_LINES)[:_MAX_LINES], start=1):
        text = raw[:_MAX_LINE_BYTES].decode("utf-8", "surrogateescape")
        content = text.partition("#")[0].strip(" \t\f\v\0")
        key, colon, value = content.partition(":")
        if not colon:
            words = _BLANK.split(content)
            if len(words) != 2:  # Google's parser takes two words as key and value
                continue
            key, value = words
        if key.strip():
            yield Line(key.strip().lower(), value.strip(), number, text)


def product_token(agent: str) -> str:
    """Return the product token of an agent: the letters, hyphens and underscores at its beginning.

    >>> product_token("GPTBot/1.2"), product_token("*")
    ('GPTBot', '')
    """
    found = _PRODUCT.match(agent.strip())
    return found[0] if found else ""


def _agents_of(value: str) -> Iterable[str]:
    if value.startswith(ALL_AGENTS) and (len(value) == 1 or value[1].isspace()):
        return (ALL_AGENTS,)
    token = product_token(value).lower()
    return (token,) if token else ()


def _is_stronger(rule: PathRule, best: PathRule | None) -> bool:
    if not rule.pattern:  # an empty rule says nothing
        return False
    if best is None:
        return True
    longer, shorter = len(rule.pattern), len(best.pattern)
    return longer > shorter or (longer == shorter and rule.allows and not best.allows)
