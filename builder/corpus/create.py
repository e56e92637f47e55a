"""Create a corpus folder: an empty one, or a copy for a trial that shares the bytes of the files.

A copy has everything that a build reads. A build in it replaces files by new ones and never writes into a
file, so the corpus that was copied stays as it is.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from builder.corpus.durable import sync_folder, write_file
from builder.corpus.locks import locked
from builder.corpus.names import AUDIT, INDEX, LATEST, LOCK, OBJECTS, ROOT_SEAL, SEALS, SPOOL, TOMBSTONES
from builder.corpus.objects import place
from builder.corpus.opening import check_folder
from builder.corpus.seals import RootSeal, Sealed
from builder.errors import CorpusError, Fault, TamperedError

if TYPE_CHECKING:
    from pathlib import Path


_FOLDERS = (OBJECTS, AUDIT, INDEX, SEALS, SPOOL)
_OURS = frozenset({".objects", AUDIT, INDEX, SEALS, SPOOL, TOMBSTONES, f"{TOMBSTONES}.tmp"})


def check_new_folder(path: Path) -> None:
    """Check that a corpus can be created in a folder.

    Raises:
        CorpusError: if the folder contains other files.
        TamperedError: if it is a corpus without a root seal.
    """
    if path.exists() and not path.is_dir():
        raise CorpusError(Fault(where=str(path), what="is a file", advice="name a folder"))
    if (path / OBJECTS).is_dir() and (path / LATEST).is_symlink():
        raise TamperedError(Fault(where=ROOT_SEAL, what="is missing", advice="run `builder verify`"))
    foreign = sorted(one.name for one in path.iterdir() if one.name not in _OURS) if path.exists() else []
    if foreign:
        what = f"is not a corpus folder and contains {foreign[0]!r}"
        raise CorpusError(Fault(where=str(path), what=what, advice="name an empty or a new folder"))


def create_corpus(path: Path, name: str) -> None:
    """Create an empty corpus. The root seal is written last, so an interrupted creation can be repeated.

    Raises:
        CorpusError: if the folder contains other files.
        TamperedError: if it is a corpus without a root seal.
    """
    check_new_folder(path)
    path.mkdir(parents=True, exist_ok=True)
    for folder in _FOLDERS:
        check_folder(path, folder).mkdir(parents=True, exist_ok=True)
    with locked(path / LOCK, wait_s=10.0):
        if not (path / ROOT_SEAL).exists():
            write_file(path / TOMBSTONES, b"")
            seal = RootSeal(name=name, files={TOMBSTONES: Sealed.of(b"")})
            write_file(path / ROOT_SEAL, seal.to_bytes())
            sync_folder(path)


def copy_corpus(corpus: Path, target: Path, *, cache: Path) -> None:
    """Copy a corpus without unfinished builds.

    Args:
        cache: the cache of input hashes, which is copied if it exists.
    """
    skipped = corpus / SPOOL
    for source in sorted(corpus.rglob("*")):
        there = target / source.relative_to(corpus)
        if source.is_relative_to(skipped):
            continue
        if source.is_symlink():
            there.parent.mkdir(parents=True, exist_ok=True)
            there.symlink_to(source.readlink())
        elif source.is_dir():
            there.mkdir(parents=True, exist_ok=True)
        else:
            there.parent.mkdir(parents=True, exist_ok=True)
            place(source, there)
    (target / SPOOL).mkdir(parents=True)
    if cache.is_file():
        shutil.copy(cache, target / SPOOL / cache.name)


def create_empty(target: Path, name: str, *, tombstones: bytes) -> None:
    """Create an empty corpus that keeps out the same pages as another corpus."""
    create_corpus(target, name)
    if tombstones:
        write_file(target / TOMBSTONES, tombstones)
        seal = RootSeal(name=name, files={TOMBSTONES: Sealed.of(tombstones)})
        write_file(target / ROOT_SEAL, seal.to_bytes())
