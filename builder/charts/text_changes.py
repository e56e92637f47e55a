"""Find where two texts differ, word by word, in bounded time."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_WORDS = 600
"""Words of each text that are compared: the time grows with their square."""
_WORD = re.compile(r"\s+|[\u3040-\u30ff\u3400-\u9fff]|\w+|[^\w\s]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A part of a text that both texts have, or only this one."""

    text: str
    differs: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedParts:
    """The runs of each text; joined, they are the text."""

    old: tuple[Run, ...]
    new: tuple[Run, ...]


def changed_parts(old: str, new: str) -> ChangedParts:
    """Return both texts as runs of equal and of different words.

    What follows the first ``MAX_WORDS`` words is one run, which differs unless it is equal in both.

    >>> [(run.text, run.differs) for run in changed_parts("the red fox", "the blue fox").new]
    [('the ', False), ('blue', True), (' fox', False)]
    """
    (left, left_rest), (right, right_rest) = _words(old), _words(new)
    matcher = difflib.SequenceMatcher(None, left, right, autojunk=False)
    old_runs: list[Run] = []
    new_runs: list[Run] = []
    for kind, a, b, c, d in matcher.get_opcodes():
        differs = kind != "equal"
        _add(old_runs, "".join(left[a:b]), differs=differs)
        _add(new_runs, "".join(right[c:d]), differs=differs)
    rest_differs = left_rest != right_rest
    _add(old_runs, left_rest, differs=rest_differs)
    _add(new_runs, right_rest, differs=rest_differs)
    return ChangedParts(old=tuple(old_runs), new=tuple(new_runs))


def _words(text: str) -> tuple[Sequence[str], str]:
    words: list[str] = []
    end = 0
    for match in _WORD.finditer(text):
        if len(words) == MAX_WORDS:
            break
        words.append(match[0])
        end = match.end()
    return words, text[end:]


def _add(runs: list[Run], text: str, *, differs: bool) -> None:
    if text and runs and runs[-1].differs == differs:
        runs[-1] = Run(text=runs[-1].text + text, differs=differs)
    elif text:
        runs.append(Run(text=text, differs=differs))
