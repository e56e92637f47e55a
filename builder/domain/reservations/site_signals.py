"""Find what the files of a site say about one page: robots.txt, tdmrep.json and ai.txt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from builder.domain.reservations.ai_txt import ai_txt_answer, parse_ai_txt
from builder.domain.reservations.path_patterns import matches_path
from builder.domain.reservations.robots import Robots, parse_robots
from builder.domain.reservations.signal import UseAnswer, UseSignal, combine, short
from builder.domain.reservations.tdm import TdmRule, find_rule, parse_tdmrep
from builder.domain.reservations.usage import answer_of, parse_signal, parse_usage, split_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from builder.domain.reservations.robots import Line
    from builder.domain.reservations.tokens import Tokens

ROBOTS_TXT: Final = "robots.txt"
TDMREP_JSON: Final = "tdmrep.json"
AI_TXT: Final = "ai.txt"
FILES: Final = (ROBOTS_TXT, TDMREP_JSON, AI_TXT)

READ: Final = "read"
ABSENT: Final = "absent"
UNKNOWN_STATE: Final = "unreadable"
_OPENINGS: Final = (b"<!doctype", b"<html", b"<head", b"<?xml", b"<!--")


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFile:
    """A file of a site as it was at one time.

    Attributes:
        kind: one of ``FILES``.
        state: ``read``; ``absent`` if the site has no such file; ``unreadable`` if the site did not say.
    """

    kind: str
    state: str
    robots: Robots | None = None
    tdm: Sequence[TdmRule] = ()


def site_file_kind(url: str) -> str | None:
    """Return which file a URL names.

    >>> site_file_kind("https://a.example/.well-known/TDMREP.json?x"), site_file_kind("https://a.example/robots.txt")
    ('tdmrep.json', 'robots.txt')
    """
    name = url.partition("#")[0].partition("?")[0].rpartition("/")[2].lower()
    return name if name in FILES else None


def parse_site_file(kind: str, *, status: int | None, body: bytes) -> SiteFile:
    """Read a file of a site.

    A status of 400 to 499 says that the site lacks the file (RFC 9309, section 2.3.1.3), and so does a web
    page in place of a file. After any other status except 2xx, nobody knows what the file says.
    """
    if status is not None and 400 <= status < 500:
        return SiteFile(kind=kind, state=ABSENT)
    if status is not None and not 200 <= status < 300:
        return SiteFile(kind=kind, state=UNKNOWN_STATE)
    if body[:256].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_OPENINGS):
        return SiteFile(kind=kind, state=ABSENT)
    if kind == TDMREP_JSON:
        rules = parse_tdmrep(body)
        return SiteFile(kind=kind, state=UNKNOWN_STATE if rules is None else READ, tdm=rules or ())
    parse = parse_robots if kind == ROBOTS_TXT else parse_ai_txt
    return SiteFile(kind=kind, state=READ, robots=parse(body))


def site_signals(file: SiteFile, path: str, tokens: Tokens) -> list[UseSignal]:
    """Return all signals of a file for one page.

    Args:
        path: path and query of the page's canonical URL.
    """
    if file.state == UNKNOWN_STATE:
        signal = {ROBOTS_TXT: "robots", TDMREP_JSON: "tdmrep", AI_TXT: "ai_txt"}[file.kind]
        return [_signal(signal, file.kind, "unknown", "unreadable", None, is_missing=True)]
    if file.kind == TDMREP_JSON:
        rule = find_rule(list(file.tdm), path)
        token = f"tdm-reservation={1 if rule and rule.answer == 'no' else 0}"
        text = short(rule.text) if rule else ""
        return (
            [UseSignal(signal="tdmrep", place=TDMREP_JSON, answer=rule.answer, token=token, text=text)]
            if rule
            else []
        )
    if file.robots is None:
        return []
    if file.kind == AI_TXT:
        found = ai_txt_answer(file.robots, path, agents=tokens.agents, text_kinds=tokens.text_kinds)
        return [_signal("ai_txt", AI_TXT, found.answer, found.line.value, found.line)] if found else []
    return list(_robots_signals(file.robots, path, tokens))


def _robots_signals(robots: Robots, path: str, tokens: Tokens) -> Iterator[UseSignal]:
    answers: dict[tuple[UseAnswer, int], tuple[list[str], Line]] = {}
    for agent in tokens.agents.values():
        rule, is_named = robots.decide(path, agent)
        if rule is not None and (is_named or not rule.allows):
            key: tuple[UseAnswer, int] = ("yes" if rule.allows else "no", rule.line.number)
            answers.setdefault(key, ([], rule.line))[0].append(agent)
    for (answer, _), (agents, line) in sorted(answers.items(), key=lambda one: one[0][1]):
        yield _signal("robots", ROBOTS_TXT, answer, ", ".join(agents), line)
    usages = dict.fromkeys(
        line
        for agent in tokens.agents.values()
        for group in robots.groups_of(agent)[0]
        for line in group.uses
        if line.key == "content-usage"
    )
    loose = [line for line in robots.loose_uses if line.key == "content-usage"]
    yield from _usage_signals([*usages, *loose], path, tokens)
    lines = [line for group in robots.groups for line in group.uses] + list(robots.loose_uses)
    for line in lines:
        pattern, value = split_path(line.value)
        if line.key == "content-signal" and matches_path(path, pattern):
            answer, label = answer_of(parse_signal(value), tokens.signals)
            if label:
                yield _signal("content_signal", ROBOTS_TXT, answer, f"{label}={answer}", line)
    for line in robots.licenses:
        yield _signal("rsl", ROBOTS_TXT, "unknown", line.value[:200], line, is_missing=True)


def _usage_signals(lines: Sequence[Line], path: str, tokens: Tokens) -> Iterator[UseSignal]:
    """Yield the preference with the longest matching path; of equal paths, the strictest answer counts."""
    found: list[tuple[int, UseAnswer, str, Line]] = []
    for line in lines:
        pattern, value = split_path(line.value)
        answer, label = answer_of(parse_usage(value), tokens.usage)
        if label and matches_path(path, pattern):
            found.append((len(pattern), answer, label, line))
    longest = max((length for length, *_ in found), default=0)
    best = [one for one in found if one[0] == longest]
    answer = combine(one[1] for one in best)
    for _, own, label, line in best:
        if own == answer:
            yield _signal("content_usage", ROBOTS_TXT, own, label, line)
            return


def _signal(
    signal: str, place: str, answer: UseAnswer, token: str, line: Line | None, *, is_missing: bool = False
) -> UseSignal:
    return UseSignal(
        signal=signal,
        place=place,
        answer=answer,
        token=token[:500],
        text=short(line.text) if line else "",
        line=line.number if line else None,
        is_missing=is_missing,
    )
