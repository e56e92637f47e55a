"""Define a signal: one statement of a site or a page about the use of its texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

UseAnswer = Literal["no", "yes", "unknown"]
"""Whether a signal permits the use: ``unknown`` if it says nothing about it."""

RESERVATION_SIGNALS: Final = (
    "robots",
    "content_usage",
    "content_signal",
    "x_robots",
    "meta_robots",
    "tdmrep",
    "rsl",
    "ai_txt",
)
"""The kinds of signals."""

_MAX_EVIDENCE_CHARS: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class UseSignal:
    """One statement, where it was found, and what it says about the purposes of a policy.

    Attributes:
        signal: one of ``RESERVATION_SIGNALS``.
        place: ``robots.txt``, ``tdmrep.json``, ``ai.txt``, ``header``, ``meta``, ``link`` or ``script``.
        token: the token that decides: an agent, or a label with its value.
        text: the line, header or tag as it came, cut at 500 characters.
        line: the number of the line in a file, from 1; None elsewhere.
        is_missing: whether the statement refers to terms that are not there, or cannot be read.
    """

    signal: str
    place: str
    answer: UseAnswer
    token: str
    text: str
    line: int | None = None
    is_missing: bool = False


def combine(answers: Iterable[UseAnswer]) -> UseAnswer:
    """Return the answer of several statements: any no wins, then any yes.

    >>> combine(["yes", "unknown", "no"]), combine(["unknown", "yes"]), combine([])
    ('no', 'yes', 'unknown')
    """
    found = set(answers)
    return "no" if "no" in found else "yes" if "yes" in found else "unknown"


def short(text: str) -> str:
    """Return a text as evidence keeps it."""
    return text.strip()[:_MAX_EVIDENCE_CHARS]
