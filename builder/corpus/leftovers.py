"""What killed commands left in the spool, so that whoever takes the lock removes it.

Only the holder of the lock makes scratch folders in the spool, so those that are there when it is taken
belong to nobody. The spool of a build that was committed is removed by the commit itself; one elsewhere
(``--spool``) has a note of the version that it became.
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
"""Ends the name of a spool that nobody needs any more."""

BECAME = "became.json"
"""The note in a spool that is not in the corpus: version and digest that it was committed as."""

_SCRATCH = ("takedown-", "compact-")


def sweep_leftovers(corpus: Path) -> None:
    """Remove scratch folders whose owner is gone, and spools that are over; it needs the lock."""
    for folder in sorted((corpus / SPOOL).iterdir()):
        if folder.name.startswith(_SCRATCH) or folder.name.endswith(OVER):
            _remove(folder)


def note_version(spool: Path, *, version: str, digest: str) -> None:
    """Note in a spool what it is about to be committed as."""
    write_file(spool / BECAME, canonical_json({"version": version, "digest": digest}))


def sweep_spools(place: Path, digests: Mapping[str, str]) -> None:
    """Remove spools in another place that became a version, or that are over.

    Args:
        digests: of the corpus's versions, by number.
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
    """Remove a folder and do not mind if that fails; a link is left alone."""
    if file_kind(folder) == "a folder":
        shutil.rmtree(folder, ignore_errors=True)
