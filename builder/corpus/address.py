"""The address of a version of a corpus, ``FOLDER@VERSION``, and what a person meant with a wrong one."""

from __future__ import annotations

import os
from itertools import islice
from os import PathLike
from pathlib import Path

from builder.corpus.names import LATEST, OBJECTS, SEALS, STOPPED
from builder.domain.version import Version
from builder.errors import Fault, VersionError

NEWEST_WORDS = ("latest", "newest", "last")
_MAX_ENTRIES = 1_000
"""Entries of a folder to look at, at most."""


def split_address(address: str | PathLike[str]) -> tuple[Path, str | None]:
    """Split ``FOLDER`` or ``FOLDER@VERSION`` into folder and version; ``stopped`` is the last stopped build.

    A ``Corpus`` is the address of its folder, and a ``BuildResult`` that of its version.

    An existing folder whose own name contains ``@`` is returned as it is, without a version.

    Raises:
        VersionError: if the text after the ``@`` is not a version number.
    """
    folder, at, version = os.fspath(address).rpartition("@")
    if not at or Path(address).exists():
        return Path(address), None
    if version == STOPPED:
        return Path(folder), STOPPED
    try:
        return Path(folder), str(Version.parse(version))
    except VersionError as error:
        advice = version_near(Path(folder), version)
        if version in NEWEST_WORDS and advice:
            advice = f"leave out @{version}: without a version, {folder} is its newest; {advice}"
        faults = [Fault(where=str(address), what=f.what, advice=advice or f.advice) for f in error.faults]
        raise VersionError(*faults) from None


def is_corpus_address(target: str | PathLike[str]) -> bool:
    """Return whether a target is ``FOLDER`` or ``FOLDER@V``, not a file; its path may contain an ``@``."""
    folder, at, _ = os.fspath(target).rpartition("@")
    return Path(target).is_dir() or (bool(at) and not Path(target).exists() and Path(folder).is_dir())


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
