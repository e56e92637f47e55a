"""Read ai.txt in the form of Spawning: rules by the kind of file, for agents as in robots.txt."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from builder.domain.reservations.path_patterns import matches_path
from builder.domain.reservations.robots import ALL_AGENTS, Line, parse_robots, product_token
from builder.domain.reservations.signal import UseAnswer, combine

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from builder.domain.reservations.robots import Group, PathRule, Robots


class AiTxtAnswer(NamedTuple):
    """What an ai.txt says about texts, and the line that says it."""

    answer: UseAnswer
    line: Line


def parse_ai_txt(body: bytes) -> Robots:
    """Parse an ai.txt; files of the other formats with this name have no rules."""
    return parse_robots(body)


def ai_txt_answer(
    rules: Robots, path: str, *, agents: Collection[str], text_kinds: Collection[str]
) -> AiTxtAnswer | None:
    """Return the strictest answer about the text of a page; None if no rule is about it.

    A rule is about it if it names a kind of text, such as ``*.txt``, or matches the path of the page.

    Args:
        agents: product tokens of the policy in lower case.
    """
    named = {product_token(one).lower() for one in agents} | {ALL_AGENTS}
    found = [
        AiTxtAnswer("yes" if rule.allows else "no", rule.line)
        for group in rules.groups
        if group.agents & named
        for rule in _rules_about(group, path, text_kinds)
    ]
    answer = combine(one.answer for one in found)
    return next((one for one in found if one.answer == answer), None)


def _rules_about(group: Group, path: str, text_kinds: Collection[str]) -> Sequence[PathRule]:
    kinds = {f"{start}*.{kind}{end}" for kind in text_kinds for start in ("", "/") for end in ("", "$")}
    return [
        rule
        for rule in group.rules
        if rule.pattern
        and (rule.pattern.lower() in kinds or rule.pattern == "*" or _matches_path(path, rule.pattern))
    ]


def _matches_path(path: str, pattern: str) -> bool:
    return matches_path(path, pattern if pattern.startswith("/") else f"*{pattern.removeprefix('*')}")
