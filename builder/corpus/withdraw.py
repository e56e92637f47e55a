"""Withdraw versions: yank them (mark them), or drop them (delete their rows)."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from builder.corpus.names import AUDIT, MANIFEST, README, SEALS, SIDE_FOLDER
from builder.corpus.objects import object_name
from builder.corpus.opening import SEAL_BYTES, file_kind, read_file
from builder.corpus.purged import PURGED
from builder.corpus.reseal import Resealing
from builder.corpus.seals import Sealed, VersionSeal
from builder.errors import Fault, VersionError

if TYPE_CHECKING:
    from pathlib import Path

    from builder.corpus.folder import Corpus
    from builder.corpus.reseal import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Freed:
    """What a drop removed: shards that no other version has, and the bytes of all files."""

    n_shards: int
    n_bytes: int


def mark(corpus: Corpus, version: str, *, because: str | None, root_readme: str) -> None:
    """Yank a version, or undo the yank with ``because=None``. The caller holds the lock.

    The version itself does not change: its digest and rows stay, and its number still loads it.

    Args:
        because: reason of the yank; None undoes the yank.
        root_readme: the new card of the corpus.

    Raises:
        VersionError: if the corpus does not have this version.
    """
    corpus.digest(version)
    known = corpus.seal().versions
    versions = {**known, version: {**known[version], "yanked": because}}
    Resealing(corpus, "yank").commit(versions, root_files={README: root_readme.encode()})


def drop_version(corpus: Corpus, version: str, *, root_readme: str, notice: str) -> Freed:
    """Delete the rows of a version. The caller holds the lock.

    The number, digest, manifest, ledger and index of the version stay. Shards that other versions use stay
    too.

    Args:
        root_readme: the card of the corpus without the version.
        notice: the new README.md of the folder of the version.

    Raises:
        VersionError: if the corpus does not have this version, the version was dropped already, or it is
            the newest version that is neither yanked nor dropped.
    """
    if version == corpus.find_newest():
        what = "cannot be dropped: it is the newest version that is neither yanked nor dropped"
        advice = "build another version first, or run `builder yank` on this one"
        raise VersionError(Fault(where=version, what=what, advice=advice))
    mine = {shard.sha256 for _, shard in corpus.shards(version)}
    objects = sorted(mine - objects_in_use(corpus, without=version))
    known = corpus.seal().versions
    versions = {**known, version: {**known[version], "dropped": True}}
    resealing = Resealing(corpus, "drop")
    gone = _files_that_go(corpus, version)
    n_bytes = _bytes_of([*gone, *(corpus.path / object_name(one) for one in objects)])
    steps: list[Step] = [["remove", one.relative_to(corpus.path).as_posix()] for one in gone]
    steps += [resealing.write(f"{version}/{README}", notice.encode()), ["freeze", version]]
    steps += [["free", object_name(one)] for one in objects]
    resealing.commit(
        versions,
        root_files={README: root_readme.encode()},
        seals={version: _seal_of_dropped(corpus, version, notice)},
        after=steps,
    )
    return Freed(n_shards=len(objects), n_bytes=n_bytes)


def objects_in_use(corpus: Corpus, *, without: str | None = None) -> set[str]:
    """Return the SHA-256 of every object that a version uses; ``without`` leaves one version out."""
    versions = [one for one in corpus.versions() if one != without and not corpus.dropped(one)]
    return {shard.sha256 for version in versions for _, shard in corpus.shards(version)}


def _files_that_go(corpus: Corpus, version: str) -> list[Path]:
    folder = corpus.version_folder(version)
    gone = [one for one in folder.iterdir() if one.name not in (MANIFEST, README, PURGED)]
    side_files = corpus.path / _side_files(version)
    return sorted([*gone, *([side_files] if file_kind(side_files) else [])])


def _side_files(version: str) -> str:
    """Return the folder with the signals of the rows of a version."""
    return f"{AUDIT}/{version}/{SIDE_FOLDER}"


def _bytes_of(paths: list[Path]) -> int:
    """Return the bytes that deleting these paths frees; a hard link elsewhere keeps its bytes."""
    links: dict[tuple[int, int], list[int]] = {}
    for path in paths:
        for one in [path, *path.rglob("*")] if file_kind(path) == "a folder" else [path]:
            if not file_kind(one):
                continue
            facts = one.lstat()
            if file_kind(one) != "a folder":
                found = links.setdefault((facts.st_dev, facts.st_ino), [facts.st_nlink, 0, facts.st_size])
                found[1] += 1
    return sum(size for n_links, n_found, size in links.values() if n_links == n_found)


def _seal_of_dropped(corpus: Corpus, version: str, notice: str) -> bytes:
    name = f"{SEALS}/{version}.json"
    seal = VersionSeal.parse(read_file(corpus.path, name, limit=SEAL_BYTES), where=name)
    kept = {name: one for name, one in seal.files.items() if not name.startswith(f"{_side_files(version)}/")}
    files = {**kept, f"{version}/{README}": Sealed.of(notice.encode())}
    return dataclasses.replace(seal, files=files).to_bytes()
