"""Match the names of files below a folder with the parts of a glob."""

from __future__ import annotations

import fnmatch
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_MAGIC = re.compile(r"[*?\[]")


def has_magic(path: str) -> bool:
    """Return whether a path contains a glob character (``*``, ``?`` or ``[``)."""
    return bool(_MAGIC.search(path))


def split_glob(pattern: str) -> tuple[str, Glob]:
    """Split a glob before its first part that contains a glob character.

    >>> split_glob("crawl/2017/*/a?.gz")[0]
    'crawl/2017'
    """
    parts = pattern.split("/")
    first = next(i for i, part in enumerate(parts) if has_magic(part))
    root = "/".join(parts[:first])
    return root or ("/" if pattern.startswith("/") else ""), Glob(parts[first:])


class Glob:
    """The part of a glob after its fixed folder; matches names below that folder."""

    def __init__(self, parts: Sequence[str]) -> None:
        self._parts = [None if part == "**" else re.compile(_as_regex(part)) for part in parts]
        self.depth = None if None in self._parts else len(parts)

    def file(self, name: str) -> bool:
        """Return whether a file's name matches; ``**`` at the end matches files at any depth."""
        return len(self._parts) in self._after(name.split("/"))

    def folder(self, name: str) -> bool:
        """Return whether files below this folder can match."""
        return any(at < len(self._parts) for at in self._after(name.split("/")))

    def _after(self, names: Sequence[str]) -> set[int]:
        states = self._skip({0})
        for name in names:
            states = self._skip({after for at in states for after in self._step(at, name)})
        return states

    def _step(self, at: int, name: str) -> Iterator[int]:
        if at == len(self._parts):
            return
        part = self._parts[at]
        if part is None:
            if not name.startswith("."):
                yield at
        elif part.fullmatch(name):
            yield at + 1

    def _skip(self, states: set[int]) -> set[int]:
        for at in sorted(states):
            while at < len(self._parts) and self._parts[at] is None:
                at += 1
                states.add(at)
        return states


def _as_regex(part: str) -> str:
    hidden_too = part.startswith(".")
    return ("" if hidden_too else r"(?!\.)") + fnmatch.translate(part)
