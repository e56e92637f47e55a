"""Show where two texts differ, in a form that is short enough to read."""

from __future__ import annotations

from dataclasses import dataclass

CONTEXT_CHARS = 40
"""Characters of equal text that are shown on each side of a difference, at most."""
MAX_CHARS = 160
"""Characters that are shown of each of the two differing texts, at most."""
_BACK_TO_A_WORD = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """The old and the new text of a difference, and the equal text around it; None is null."""

    before: str = ""
    old: str | None
    new: str | None
    after: str = ""


def excerpt(old: str, new: str) -> Excerpt:
    """Return everything from the first to the last difference, in whole words if the words are short.

    An ellipsis marks omitted text.

    >>> excerpt("The ferry leaves at ten on every day.", "The ferry leaves at twelve on every day.")
    Excerpt(before='The ferry leaves at ', old='ten', new='twelve', after=' on every day.')
    """
    start = _word_start(old, common_prefix(old, new))
    tail = common_prefix(old[start:][::-1], new[start:][::-1])
    if not all(_begins_a_word(text, len(text) - tail) for text in (old, new)):
        tail = len(old) - _word_stop(old, len(old) - tail)
    before, after = old[:start], old[len(old) - tail :]
    return Excerpt(
        before=before if len(before) <= CONTEXT_CHARS else "…" + before[-CONTEXT_CHARS:],
        old=shortened(old[start : len(old) - tail]),
        new=shortened(new[start : len(new) - tail]),
        after=after if len(after) <= CONTEXT_CHARS else after[:CONTEXT_CHARS] + "…",
    )


def shortened(text: str) -> str:
    """Return a text, cut to ``MAX_CHARS`` if it is longer.

    >>> shortened("a" * 161)[-3:]
    'aa…'
    """
    return text if len(text) <= MAX_CHARS else text[:MAX_CHARS] + "…"


def common_prefix(old: str, new: str) -> int:
    """Count the characters of the common prefix, by bisection, because texts may be long."""
    low, high = 0, min(len(old), len(new))
    while low < high:
        middle = (low + high + 1) // 2
        if old[low:middle] == new[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _word_start(text: str, at: int) -> int:
    """Move back to the start of the word, unless it is far away."""
    for start in range(at, max(at - _BACK_TO_A_WORD, 0), -1):
        if text[start - 1].isspace():
            return start
    return 0 if at < _BACK_TO_A_WORD else at


def _begins_a_word(text: str, at: int) -> bool:
    return at == 0 or text[at - 1].isspace()


def _word_stop(text: str, at: int) -> int:
    """Move forward to the end of the word, unless it is far away."""
    for stop in range(at, min(at + _BACK_TO_A_WORD, len(text))):
        if text[stop].isspace():
            return stop
    return len(text) if len(text) - at < _BACK_TO_A_WORD else at
