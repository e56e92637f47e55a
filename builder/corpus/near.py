"""Suggest what a person meant: a corpus one level below, the folder without its version, a version number."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from builder.corpus.names import LATEST, OBJECTS, SEALS

if TYPE_CHECKING:
    from pathlib import Path

NEWEST_WORDS = ("latest", "newest", "last")
_MAX_ENTRIES = 1_000
"""Entries of a folder to look at, at most."""


def looks_like_corpus(path: Path) -> bool:
    """Return whether a folder looks like a corpus."""
    return (path / SEALS).is_dir() or (path / OBJECTS).is_dir()


def corpora_near(path: Path) -> str:
    """Suggest a corpus for a path that is not one: in it, around it, or the path without its version."""
    folder, at, _ = str(path).rpartition("@")
    if at and looks_like_corpus(path.parent / folder.rpartition("/")[2]):
        return f"leave out the version: {folder}"
    try:
        below = [one for one in islice(path.iterdir(), _MAX_ENTRIES) if looks_like_corpus(one)]
    except OSError:
        below = []
    around = [one for one in path.absolute().parents[:1] if looks_like_corpus(one)]
    if len(below) == 1 or around:
        return f"did you mean {(below or around)[0]}?"
    if below:
        return "give one of the corpora in it: " + ", ".join(sorted(str(one) for one in below)[:5])
    return "`builder build` creates one"


def version_near(folder: Path, text: str) -> str:
    """Suggest a version number for text that is not one; empty without a suggestion."""
    if text in NEWEST_WORDS and (folder / LATEST).is_symlink():
        return f"the newest version is {(folder / LATEST).readlink()}"
    number = text.removeprefix("v")
    numbers = [number, f"{number}.0", f"{number}.0.0"]
    known = [one for one in numbers if number and "/" not in number and (folder / one).is_dir()]
    return f"did you mean {known[0]}?" if known else ""
