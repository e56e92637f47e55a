"""Remove what killed commands left in the spool. The next command that takes the lock does this.

Only the holder of the lock creates scratch folders in the spool, so a scratch folder that exists when the
lock is taken belongs to a killed command. A commit removes the spool of its own build. A spool in another
folder (``--spool``) has a note with the version that it became.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from builder.corpus.durable import write_file
from builder.corpus.names import SPOOL
from builder.corpus.opening import SMALL_JSON_BYTES, file_kind, read_file
from builder.domain.json.canonical import canonical_json
from builder.domain.json.strict import read_json
from builder.errors import BuilderError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

OVER = ".over"
"""Suffix of the name of a spool that is not needed any more."""

BECAME = "became.json"
"""File in a spool outside the corpus: the version and digest of its commit."""

_SCRATCH = ("takedown-", "compact-", "trial-", "ray-")


def sweep_leftovers(corpus: Path) -> None:
    """Remove scratch folders of killed commands, and finished spools. The caller holds the lock."""
    for folder in sorted((corpus / SPOOL).iterdir()):
        if folder.name.startswith(_SCRATCH) or folder.name.endswith(OVER):
            _remove(folder)


def note_version(spool: Path, *, version: str, digest: str) -> None:
    """Write to a spool the version and digest of the commit that follows."""
    write_file(spool / BECAME, canonical_json({"version": version, "digest": digest}))


def sweep_spools(place: Path, digests: Mapping[str, str]) -> None:
    """Remove spools outside the corpus that became a version or are finished.

    Args:
        digests: digests of the versions of the corpus, by number.
    """
    for folder in sorted(place.iterdir()) if place.is_dir() else ():
        if folder.name.endswith(OVER) or _became_one_of(folder, digests):
            _remove(folder)


def _became_one_of(folder: Path, digests: Mapping[str, str]) -> bool:
    try:
        note = read_json(read_file(folder.parent, f"{folder.name}/{BECAME}", limit=SMALL_JSON_BYTES))
        return bool(digests.get(note["version"]) == note["digest"])
    except (OSError, ValueError, KeyError, TypeError, BuilderError):
        return False


def _remove(folder: Path) -> None:
    """Remove a folder and ignore errors; keep a link."""
    if file_kind(folder) == "a folder":
        shutil.rmtree(folder, ignore_errors=True)
