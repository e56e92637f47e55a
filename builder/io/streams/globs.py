"""Match the names of files below a folder with the parts of a glob."""

from __future__ import annotations

import fnmatch
import itertools
import re
from typing import TYPE_CHECKING, TypeAlias

from builder.errors import Fault, RecipeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

MAX_ALTERNATIVES = 1_000
"""Maximum number of globs that the braces of one path may represent."""

HIDDEN = (".", "_")
"""A name that begins with one of these is skipped, unless a part of the glob begins with the same character.

A dot hides a file on every system. An underscore marks files that Spark and others write for themselves.
"""

_MAGIC = re.compile(r"[*?\[]")

GlobState: TypeAlias = frozenset[tuple[int, int]]
"""Where a walk is in a glob: for each alternative the parts that the names so far can have matched."""


def has_magic(path: str) -> bool:
    """Return whether a path contains a glob character (``*``, ``?`` or ``[``) or alternatives in braces."""
    return _first_magic(path, 0) is not None


def split_glob(pattern: str, *, exists: Callable[[str], bool] = lambda _: False) -> tuple[str, Glob]:
    """Split a glob before its first part that contains a glob character.

    >>> split_glob("crawl/2017/*/a?.gz")[0]
    'crawl/2017'

    Args:
        exists: whether a path exists; one that does is not a glob, whatever its characters.
    """
    at = _first_magic(pattern, 0)
    while at is not None:
        end = pattern.find("/", at)
        if end < 0 or not exists(pattern[:end]):
            break
        at = _first_magic(pattern, end)
    if at is None:
        at = len(pattern)
    root, slash, _ = pattern[:at].rpartition("/")
    rest = pattern[len(root) + len(slash) :]
    # the last alternative: a name may contain braces
    return root or slash, Glob(dict.fromkeys([*expand_braces(rest, pattern), rest]))


class Glob:
    """The part of a glob after its fixed folder; matches names below that folder.

    Args:
        alternatives: globs, of which a name must match one.
    """

    def __init__(self, alternatives: Iterable[str]) -> None:
        self._alternatives = [[_Part(part) for part in one.split("/")] for one in alternatives]
        deep = any(part.any_depth for parts in self._alternatives for part in parts)
        self.depth = None if deep else max(map(len, self._alternatives))
        self.start = frozenset(self._skip((number, 0) for number in range(len(self._alternatives))))

    def step(self, state: GlobState, name: str) -> GlobState:
        """Return the state after one more name of a folder or file."""
        return frozenset(self._skip(after for at in state for after in self._step(at, name)))

    def is_file(self, state: GlobState) -> bool:
        """Return whether a file matches in this state; ``**`` at the end matches files at any depth."""
        return any(at == len(self._alternatives[number]) for number, at in state)

    def is_folder(self, state: GlobState) -> bool:
        """Return whether files below a folder can match in this state."""
        return any(at < len(self._alternatives[number]) for number, at in state)

    def file(self, name: str) -> bool:
        """Return whether the name of a file, with its folders, matches."""
        state = self.start
        for part in name.split("/"):
            state = self.step(state, part)
        return self.is_file(state)

    def _step(self, place: tuple[int, int], name: str) -> Iterator[tuple[int, int]]:
        number, at = place
        if at == len(self._alternatives[number]):
            return
        part = self._alternatives[number][at]
        if part.any_depth:
            if not name.startswith(HIDDEN):
                yield place
        elif part.matches(name):
            yield number, at + 1

    def _skip(self, places: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        for number, at in places:
            yield number, at
            parts = self._alternatives[number]
            while at < len(parts) and parts[at].any_depth:
                at += 1
                yield number, at


class _Part:
    """One part of a glob; a name that is equal to it matches, too."""

    def __init__(self, part: str) -> None:
        self.any_depth = part == "**"
        self._part = part
        hidden = "" if part.startswith(HIDDEN) else r"(?![._])"
        self._regex = re.compile(hidden + fnmatch.translate(part))

    def matches(self, name: str) -> bool:
        return name == self._part or self._regex.fullmatch(name) is not None


def expand_braces(text: str, where: str = "") -> list[str]:
    """List the texts that alternatives in braces represent; braces without a comma are plain characters.

    >>> expand_braces("{a,b/{c,d}}.html")
    ['a.html', 'b/c.html', 'b/d.html']

    Raises:
        RecipeError: if there are more than ``MAX_ALTERNATIVES``.
    """
    done: list[str] = []
    left = [text]
    while left:
        one = left.pop()
        braces = _first_braces(one, 0)
        if braces is None:
            done.append(one)
            continue
        start, end, commas = braces
        cuts = [start, *commas, end]
        choices = [one[a + 1 : b] for a, b in itertools.pairwise(cuts)]
        left += [one[:start] + choice + one[end + 1 :] for choice in reversed(choices)]
        if len(done) + len(left) > MAX_ALTERNATIVES:
            what = f"the braces represent more than {MAX_ALTERNATIVES:,} globs"
            raise RecipeError(Fault(where=where or text, what=what, advice="use `*`, or several sources"))
    return list(dict.fromkeys(done))


def _first_magic(text: str, start: int) -> int | None:
    """Find the first glob character, or braces with alternatives."""
    found = [match.start()] if (match := _MAGIC.search(text, start)) else []
    braces = _first_braces(text, start)
    return min([*found, braces[0]] if braces else found, default=None)


def _first_braces(text: str, start: int) -> tuple[int, int, Sequence[int]] | None:
    """Find the first braces with a comma: where they begin and end, and the commas between alternatives."""
    open_at: list[tuple[int, list[int]]] = []
    found: list[tuple[int, int, Sequence[int]]] = []
    for at in range(start, len(text)):
        if text[at] == "{":
            open_at.append((at, []))
        elif text[at] == "," and open_at:
            open_at[-1][1].append(at)
        elif text[at] == "}" and open_at:
            begin, commas = open_at.pop()
            if commas:
                found.append((begin, at, commas))
                if not open_at:
                    break
    return min(found, default=None)
