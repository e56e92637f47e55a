"""Decide where a corpus can be: in a folder on this machine that ``load_dataset`` can open."""

from __future__ import annotations

import os
import re
from pathlib import Path

from builder.domain.addresses import public_address
from builder.errors import Fault, RecipeError

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_NOT_LOADABLE = ("*", "?", "[", "::")
"""``load_dataset`` takes the name of the folder for a glob, or for a chain of fsspec."""


def corpus_folder(written: str | Path, *, where: str, folder: Path | None = None) -> Path:
    """Return the absolute path of a corpus folder; ``~`` is the home of the user.

    Args:
        written: the path as a person wrote it.
        where: the key or option that has the path, for the error.
        folder: the folder that a relative path is relative to; default: the working folder.

    Raises:
        RecipeError: if the path is an address of something remote, or if no library could load the corpus.
    """
    place = local_folder(written, where=where, folder=folder)
    for mark in _NOT_LOADABLE:
        if mark in str(place):
            what = (
                f"load_dataset could not open a corpus in {str(place)!r}, because the path contains {mark!r}"
            )
            advice = "use a path without '*', '?', '[' and '::'"
            raise RecipeError(Fault(where=where, what=what, advice=advice))
    return place


def local_folder(written: str | Path, *, where: str, folder: Path | None = None) -> Path:
    """Return the absolute path of a folder on this machine.

    Raises:
        RecipeError: if the path is an address, or begins with ``~`` and the name of an unknown user.
    """
    text = str(written)
    if _SCHEME.match(text) or (isinstance(written, Path) and _SCHEME.match(text.replace(":/", "://", 1))):
        what = f"{public_address(text)!r} is an address, not a folder on this machine"
        advice = "give the path of a local or shared folder: object storage has no renames, links and locks; "
        advice += "`builder publish` copies a version to the Hub"
        raise RecipeError(Fault(where=where, what=what, advice=advice))
    expanded = os.path.expanduser(text)  # noqa: PTH111 - Path.expanduser raises an error of its own
    if expanded.startswith("~"):
        what = f"the home of {text.partition('/')[0]!r} is not known"
        raise RecipeError(Fault(where=where, what=what, advice="write the whole path, or begin it with ./"))
    return ((folder or Path.cwd()) / expanded).resolve()
