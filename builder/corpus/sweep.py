"""Remove unused files: objects without a version, and spools of abandoned builds."""

from __future__ import annotations

import stat
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from builder.corpus.durable import remove, sync_folder
from builder.corpus.names import OBJECTS, SPOOL
from builder.corpus.opening import check_folder, file_kind
from builder.corpus.reseal import Resealing
from builder.corpus.withdraw import objects_in_use

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from builder.corpus.folder import Corpus

_DAY_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Garbage:
    """The unused files that were found and, without ``only_look``, removed.

    The bytes of an object that another hard link keeps are not counted.
    """

    n_objects: int
    object_bytes: int
    n_spools: int
    spool_bytes: int


def sweep(corpus: Corpus, *, spool_days: float, only_look: bool = False) -> Garbage:
    """Remove objects that no version uses, and spools that did not change for ``spool_days`` days.

    The caller holds the lock, unless ``only_look`` is set. Under the lock no build runs, so every spool
    belongs to a stopped build, which could resume from it. Taking the lock has already finished the commit
    of a killed builder.

    Raises:
        TamperedError: if a manifest was changed; then nothing is removed.
    """
    if not only_look:
        corpus.need_lock()
    used = objects_in_use(corpus)
    objects = [one for one in _objects(corpus.path) if one.stem not in used]
    spools = [one for one in _spools(corpus.path) if _age_days(one) >= spool_days]
    garbage = Garbage(
        n_objects=len(objects),
        object_bytes=sum(one.lstat().st_size for one in objects if one.lstat().st_nlink == 1),
        n_spools=len(spools),
        spool_bytes=sum(map(_file_bytes, spools)),
    )
    if not only_look:
        _free(corpus, objects)
        _remove_empty_folders(corpus.path)
        for spool in spools:
            remove(spool)
    return garbage


def _free(corpus: Corpus, objects: Sequence[Path]) -> None:
    seal = corpus.seal()
    if objects or seal.unused:
        steps = [["free", one.relative_to(corpus.path).as_posix()] for one in objects]
        Resealing(corpus, "sweep").commit(seal.versions, root_files={}, unused=(), after=steps)


def _remove_empty_folders(corpus: Path) -> None:
    """Remove folders of objects that are empty, which a loss of power can leave behind."""
    place = check_folder(corpus, OBJECTS)
    for folder in sorted(place.glob("*")):
        with suppress(OSError):  # it has objects, or is not a folder
            folder.rmdir()
            sync_folder(place)


def _spools(corpus: Path) -> list[Path]:
    """List the spools of builds; the lock file and the cache of input hashes stay."""
    spool = check_folder(corpus, SPOOL)
    found = sorted(spool.iterdir()) if spool.is_dir() else []
    return [one for one in found if file_kind(one) == "a folder"]


def _objects(corpus: Path) -> list[Path]:
    """List the objects; follow no link."""
    folders = sorted(one for one in check_folder(corpus, OBJECTS).glob("*") if file_kind(one) == "a folder")
    return [one for folder in folders for one in sorted(folder.iterdir())]


def _file_bytes(spool: Path) -> int:
    return sum(facts.st_size for one in spool.rglob("*") if stat.S_ISREG((facts := one.lstat()).st_mode))


def _age_days(spool: Path) -> float:
    newest = max((one.lstat().st_mtime for one in (spool, *spool.rglob("*"))), default=0.0)
    return (time.time() - newest) / _DAY_S
