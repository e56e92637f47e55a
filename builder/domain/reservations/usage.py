"""Read ``Content-Usage`` (IETF AIPREF drafts) and ``Content-Signal`` (Cloudflare)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from builder.domain.reservations.path_patterns import normal_pattern
from builder.domain.reservations.signal import UseAnswer, combine

if TYPE_CHECKING:
    from collections.abc import Mapping

_KEY = r"[a-z*][a-z0-9_.*-]*"
_ITEM = (
    r'"(?:[^"\\]|\\["\\])*"|:[A-Za-z0-9+/=]*:|\?[01]|-?[0-9]{1,15}(?:\.[0-9]{1,3})?'
    r"|[A-Za-z*][A-Za-z0-9:/!#$%&'*+.^_`|~-]*"
)
_MEMBER = re.compile(rf"({_KEY})(?:=({_ITEM}))?((?:;[ ]*{_KEY}(?:=(?:{_ITEM}))?)*)[ \t]*")
_MAX_CHARS: Final = 4096
_USAGE_ANSWERS: Final[Mapping[str, UseAnswer]] = {"y": "yes", "n": "no"}
_SIGNAL_ANSWERS: Final[Mapping[str, UseAnswer]] = {"yes": "yes", "no": "no"}


def parse_usage(value: str) -> dict[str, UseAnswer]:
    """Parse a structured-field dictionary (RFC 9651); the last of several members with one label counts.

    A value that is not a dictionary says nothing. Only ``y`` and ``n`` are answers; parameters are ignored.

    >>> parse_usage("train-ai=n, search=y;x=1"), parse_usage("train-ai, search=yes")
    ({'train-ai': 'no', 'search': 'yes'}, {'train-ai': 'unknown', 'search': 'unknown'})
    >>> parse_usage("train-ai=n,")
    {}
    """
    value = value.strip(" \t")
    found: dict[str, UseAnswer] = {}
    at = 0
    while at < len(value) <= _MAX_CHARS:
        member = _MEMBER.match(value, at)
        if member is None:
            return {}
        found[member[1]] = _USAGE_ANSWERS.get(member[2] or "", "unknown")
        at = member.end()
        if at == len(value):
            return found
        if value[at] != ",":
            return {}
        at += 1 + len(value[at + 1 :]) - len(value[at + 1 :].lstrip(" \t"))
    return {}


def parse_signal(value: str) -> dict[str, UseAnswer]:
    """Parse a comma-separated list of labels with ``yes`` or ``no``; case does not matter.

    >>> parse_signal("search=yes, AI-train=No, x")
    {'search': 'yes', 'ai-train': 'no'}
    """
    found: dict[str, UseAnswer] = {}
    for piece in value[:_MAX_CHARS].split(","):
        label, _, answer = (one.strip().lower() for one in piece.partition("="))
        if answer in _SIGNAL_ANSWERS:
            found[label] = combine([_SIGNAL_ANSWERS[answer], *([found[label]] if label in found else [])])
    return found


def split_path(value: str) -> tuple[str, str]:
    """Divide the value of a line into its pattern and the rest; without a pattern it is for ``/``.

    >>> split_path("/ai-ok/ train-ai=y"), split_path("train-ai=n")
    (('/ai-ok/', 'train-ai=y'), ('/', 'train-ai=n'))
    """
    first, _, rest = value.partition(" ")
    if first.startswith(("/", "*")):
        return normal_pattern(first), rest.strip()
    return "/", value


def answer_of(answers: Mapping[str, UseAnswer], labels: frozenset[str]) -> tuple[UseAnswer, str]:
    """Return what labels say together, and the first label with that answer; an empty text without one."""
    known = {label: answers[label] for label in answers if label in labels}
    answer = combine(known.values())
    return answer, next((label for label, one in known.items() if one == answer), "")
