"""Compare every file of a corpus with its seals and manifests, and find changed, missing and added files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from builder.corpus.expected import Expected, expect
from builder.corpus.inspection import Inspection
from builder.corpus.names import AUDIT, INDEX, OBJECTS, ROOT_SEAL, SPOOL, is_report
from builder.corpus.opening import SEAL_BYTES, read_file
from builder.corpus.pending import wait_for_commit
from builder.errors import CorpusError, Fault, LockedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from builder.corpus.folder import Corpus

_ATTEMPTS = 3
_OBJECT = re.compile(re.escape(OBJECTS) + r"/([0-9a-f]{2})/(\1[0-9a-f]{62})\.parquet")


def verify_files(
    corpus: Corpus, version: str | None = None, *, on_file: Callable[[str, int], None] | None = None
) -> list[Fault]:
    """Hash all files again, and return a fault for every file that differs from what was written.

    The check covers all files except ``.spool`` and reports, or the files of one version. Changed modes and
    times are allowed, and so are copies instead of links, so a corpus may be copied or moved. A builder may
    run at the same time: if it adds a version, the check starts again. This function takes no lock and writes
    nothing.
    The pending commit of a killed builder is a fault; the next builder finishes it.

    Args:
        on_file: called for each hashed file with its name and its size in bytes.

    Raises:
        LockedError: if builders changed the corpus during every attempt.
    """
    for _ in range(_ATTEMPTS):
        if pending := wait_for_commit(corpus.path):
            return pending
        before = _root_seal(corpus.path)
        faults = _verify_once(corpus.path, version, on_file)
        if not faults:
            return []
        if pending := wait_for_commit(corpus.path):
            return pending
        if _root_seal(corpus.path) == before:
            return faults
    advice = "run `builder verify` when no builder is running"
    raise LockedError(
        Fault(where=str(corpus.path), what=f"builders wrote to it during {_ATTEMPTS} attempts", advice=advice)
    )


def _root_seal(corpus: Path) -> bytes | None:
    try:
        return read_file(corpus, ROOT_SEAL, limit=SEAL_BYTES)
    except (OSError, CorpusError):
        return None


def _verify_once(
    corpus: Path, version: str | None, on_file: Callable[[str, int], None] | None
) -> list[Fault]:
    inspection = Inspection(corpus, on_file=on_file)
    expected = expect(corpus, version, inspection)
    places = [""] if version is None else [version, f"{AUDIT}/{version}", f"{INDEX}/{version}"]
    for place in places:
        _walk(corpus, place, expected, inspection)
    for name in expected.names():
        _compare(name, expected, inspection)
    return sorted(inspection.faults(), key=lambda fault: fault.where)


def _compare(name: str, expected: Expected, inspection: Inspection) -> None:
    if name in expected.links:
        inspection.compare_link(name, expected.links[name])
    else:
        inspection.compare_file(name, expected.files[name])


def _walk(corpus: Path, folder: str, expected: Expected, inspection: Inspection) -> None:
    """Compare each entry of a folder, and descend only into expected folders."""
    if inspection.is_link_or_gone(folder):
        return
    for entry in inspection.entries(folder):
        name = f"{folder}/{entry.name}" if folder else entry.name
        if name == SPOOL or (is_report(name) and entry.is_file() and not entry.is_symlink()):
            continue
        if name in expected.files or name in expected.links:
            _compare(name, expected, inspection)
        elif name in expected.folders or expected.is_open(name):
            if entry.is_dir() and not entry.is_symlink():
                _walk(corpus, name, expected, inspection)
            elif name in expected.folders:
                inspection.find(name, "was replaced by a link" if entry.is_symlink() else "was replaced")
            elif (match := _OBJECT.fullmatch(name)) and expected.is_open(OBJECTS):
                inspection.compare_hash(name, match[2])
            elif name.startswith(f"{OBJECTS}/"):
                inspection.find(name, "was added")
        else:
            inspection.find(name, "was added")
