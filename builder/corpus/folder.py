"""The folder that holds all versions of one dataset."""

from __future__ import annotations

import re
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builder.corpus.commit import add_version_steps, commit_steps, finish_pending
from builder.corpus.create import create_corpus
from builder.corpus.durable import write_file
from builder.corpus.leftovers import sweep_leftovers
from builder.corpus.locks import locked
from builder.corpus.names import (
    AUDIT,
    FETCHED,
    INDEX,
    LOCK,
    MANIFEST,
    OBJECTS,
    README,
    ROOT_SEAL,
    SEALS,
    SPOOL,
    TOMBSTONES,
)
from builder.corpus.opening import (
    MANIFEST_BYTES,
    PURGED_BYTES,
    SEAL_BYTES,
    TOMBSTONES_BYTES,
    check_folder,
    check_path,
    check_tree,
    file_kind,
    read_file,
)
from builder.corpus.purged import PURGED, Purged
from builder.corpus.seals import RootSeal, Sealed, newest_of
from builder.corpus.staging import Staging
from builder.domain.manifest import Manifest
from builder.domain.version import Version
from builder.errors import CorpusError, Fault, TamperedError, VersionError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from builder.domain.manifest import ShardEntry

_KEY = re.compile(r"[\w-][\w.-]*", re.ASCII)


class Corpus:
    """All versions of one dataset, in one local folder. It moves whole files and knows nothing of rows.

    Reading needs no lock. What is written needs ``with corpus.lock():`` and becomes visible by ``commit``
    alone, all together.
    """

    def __init__(self, path: str | Path) -> None:
        """Open a corpus that is there.

        Raises:
            CorpusError: if it is not.
        """
        self.path = Path(path)
        self._held = 0
        if not ((self.path / SEALS).is_dir() or (self.path / OBJECTS).is_dir()):
            what = "is no corpus" if self.path.is_dir() else "there is no such folder"
            raise CorpusError(Fault(where=str(path), what=what, advice="builder build makes one"))

    @classmethod
    def open_or_create(cls, path: str | Path, *, name: str) -> Corpus:
        """Open a corpus, or make an empty one.

        Raises:
            CorpusError: if the folder holds something else, or the corpus has another name.
        """
        path = Path(path)
        if not (path.is_dir() and file_kind(check_folder(path, SEALS) / Path(ROOT_SEAL).name)):
            create_corpus(path, name)
        corpus = cls(path)
        if corpus.name != name:
            what = f"is the corpus of {corpus.name!r}, not of {name!r}"
            raise CorpusError(Fault(where=str(path), what=what, advice="name another folder"))
        return corpus

    # -- what there is -----------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The dataset's name."""
        return self.seal().name

    def seal(self) -> RootSeal:
        """Read the root seal, which knows all versions.

        Raises:
            TamperedError: if it is missing or was changed.
        """
        try:
            data = read_file(self.path, ROOT_SEAL, limit=SEAL_BYTES)
            return RootSeal.parse(data, where=ROOT_SEAL)
        except OSError as error:
            fault = Fault(where=ROOT_SEAL, what=f"cannot be read: {error.strerror}", advice="run verify")
            raise TamperedError(fault) from None

    def versions(self) -> list[str]:
        """List all versions, yanked and dropped ones too, lowest first."""
        return sorted(self.seal().versions, key=Version.parse)

    def find_newest(self) -> str | None:
        """Return the highest version that is neither yanked nor dropped; None if there is none."""
        return newest_of(self.seal().versions)

    def newest(self) -> str:
        """Return the highest version that is neither yanked nor dropped.

        Raises:
            VersionError: if there is none.
        """
        version = self.find_newest()
        if version is None:
            what = "has no version that is not yanked"
            raise VersionError(Fault(where=str(self.path), what=what, advice="builder build makes one"))
        return version

    def yanked(self, version: str) -> str | None:
        """Return why a version was yanked; None if it was not."""
        reason: str | None = self._known(version)["yanked"]
        return reason

    def dropped(self, version: str) -> bool:
        """Tell whether a version's rows are gone for good; its name, digest and manifest stay."""
        return bool(self._known(version).get("dropped"))

    def digest(self, version: str) -> str:
        """Return a version's digest; it never changes, whatever happens to the version."""
        return str(self._known(version)["digest"])

    def manifest(self, version: str) -> Manifest:
        """Read a version's manifest.

        Raises:
            VersionError: if there is no such version.
            TamperedError: if it is not the one that was sealed.
        """
        self._known(version)
        try:
            data = read_file(self.path, f"{version}/{MANIFEST}", limit=MANIFEST_BYTES)
        except OSError as error:
            what = f"cannot be read: {error.strerror}"
            raise TamperedError(Fault(where=f"{version}/{MANIFEST}", what=what)) from None
        if Sealed.of(data).sha256 != self.digest(version):
            raise TamperedError(Fault(where=f"{version}/{MANIFEST}", what="was changed", advice="run verify"))
        return _parsed(data, version)

    def purged(self, version: str) -> Purged | None:
        """Read what purges did to a version; None if there was none.

        Raises:
            TamperedError: if it is not as it was written.
        """
        self._known(version)
        where = f"{version}/{PURGED}"
        try:
            purged = Purged.parse(read_file(self.path, where, limit=PURGED_BYTES), where=where)
        except FileNotFoundError:
            return None
        if purged.digest != self.digest(version):
            raise TamperedError(Fault(where=where, what="belongs to another manifest", advice="run verify"))
        return purged

    def as_is(self, version: str) -> Manifest:
        """Return the manifest with the shards, rows and files that are there since the last purge.

        Its digests of rows are those of before, and it has not the digest of the version.
        """
        manifest = self.manifest(version)
        purged = self.purged(version)
        return purged.apply(manifest) if purged else manifest

    def version_folder(self, version: str) -> Path:
        """Return the folder of a version that is there: a complete dataset."""
        self._known(version)
        return check_folder(self.path, version)

    def version_file(self, version: str, name: str) -> Path:
        """Return the path of a shard or another file of a version, after a check that it is a plain file.

        Raises:
            TamperedError: if a link is on the way, or if it is not a plain file.
        """
        self._known(version)
        return check_path(self.path, f"{version}/{name}")

    def shards(self, version: str) -> list[tuple[str, ShardEntry]]:
        """List the shards as they are, each with its split, in the order of the rows.

        Raises:
            VersionError: if the version was dropped.
        """
        if self.dropped(version):
            advice = "its name, digest and manifest stay"
            fault = Fault(
                where=f"{self.path}@{version}", what="was dropped: its rows are gone", advice=advice
            )
            raise VersionError(fault)
        return list(self.as_is(version).shards())

    def data_files(self, version: str) -> dict[str, list[Path]]:
        """List the shards of each split that has rows, in the order of the rows.

        Raises:
            VersionError: if the version was dropped.
        """
        files: dict[str, list[Path]] = {}
        for split, shard in self.shards(version):
            files.setdefault(split, []).append(check_path(self.path, f"{version}/{shard.path}"))
        return files

    def audit_folder(self, version: str) -> Path:
        """Return the folder of what is never published: ledger, rejected records, clusters, run.json."""
        self._known(version)
        return check_folder(self.path, f"{AUDIT}/{version}")

    def audit_file(self, version: str, name: str) -> Path:
        """Return the path of a file of a version's audit, after a check that it is a plain file.

        Raises:
            TamperedError: if a link is on the way, or if it is not a plain file.
        """
        return check_path(self.audit_folder(version), name)

    def index_folder(self, version: str) -> Path:
        """Return the folder of what later versions need to deduplicate against this one."""
        self._known(version)
        return check_folder(self.path, f"{INDEX}/{version}")

    def ledger(self, version: str) -> Path:
        """Return the ledger of a version."""
        return self.audit_file(version, "ledger.parquet")

    def tombstones(self) -> bytes:
        """Return the bytes of ``tombstones.jsonl``; there are none if nothing was ever taken down."""
        try:
            return read_file(self.path, TOMBSTONES, limit=TOMBSTONES_BYTES)
        except FileNotFoundError:
            return b""

    def hash_cache(self) -> Path:
        """Return the file that remembers what inputs hashed to; it belongs to no version."""
        return check_path(self.path, f"{SPOOL}/hashes.json")

    def was_fetched(self, version: str) -> bool:
        """Tell whether a version was not built here, so that much of its account may not be here."""
        return self.audit_file(version, FETCHED).is_file()

    def _known(self, version: str) -> Mapping[str, Any]:
        versions = self.seal().versions
        if version not in versions:
            there = ", ".join(sorted(versions, key=Version.parse)) or "none yet"
            fault = Fault(where=str(self.path), what=f"there is no version {version}", advice=f"has: {there}")
            raise VersionError(fault)
        return versions[version]

    # -- writing -----------------------------------------------------------------------------------

    @contextmanager
    def lock(self, *, wait_s: float = 0.0) -> Iterator[None]:
        """Be the only builder on this corpus; first finish and tidy up what a killed one left.

        Raises:
            LockedError: if another builder is at work for longer than ``wait_s``.
            TamperedError: if what a killed one promised is nothing that a builder promises.
        """
        if self._held:
            yield
            return
        check_folder(self.path, SPOOL).mkdir(exist_ok=True)
        with locked(self.path / LOCK, wait_s=wait_s):
            self._held += 1
            try:
                finish_pending(self.path)
                sweep_leftovers(self.path)
                yield
            finally:
                self._held -= 1

    def spool(self, key: str) -> Path:
        """Return the folder of an unfinished build, made if need be.

        Args:
            key: a plain file name that does not begin with a dot.
        """
        if not _KEY.fullmatch(key) or key == Path(LOCK).name:
            raise CorpusError(Fault(where=SPOOL, what=f"{key!r} is no name for a spool"))
        folder = check_folder(self.path, f"{SPOOL}/{key}")
        folder.mkdir(parents=True, exist_ok=True)
        check_tree(folder, where=f"{SPOOL}/{key}")
        return folder

    def begin(self, version: str) -> Staging:
        """Make room for a new version; it needs the lock.

        Raises:
            VersionError: if the number is taken; a number is bound to its content for ever.
        """
        self.need_lock()
        version = str(Version.parse(version))
        if version in self.seal().versions or (self.path / version).exists():
            raise VersionError(Fault(where=str(self.path), what=f"version {version} is there already"))
        return Staging(self.path, version)

    def commit(
        self,
        staging: Staging,
        manifest: Manifest,
        root_readme: str,
        *,
        tombstones: bytes | None = None,
        spent: Sequence[Path] = (),
    ) -> str:
        """Write a version that was staged into the corpus, all together, and return its digest.

        Whenever the machine stops, the corpus is either the old or the new one, and the next builder that
        takes the lock tidies up.

        Args:
            root_readme: the corpus's card, with one config for each version.
            tombstones: the new content of ``tombstones.jsonl``, if it changed.
            spent: folders that nobody needs any more when the version is there, such as the build's spool.
                Those in ``.spool`` are removed with the commit; of others the caller takes care.

        Raises:
            BuilderError: if the manifest does not tell what was staged.
        """
        self.need_lock()
        staging.check(manifest)
        data = manifest.to_bytes()
        Manifest.parse(data)
        write_file(staging.folder / MANIFEST, data)
        root_files = {README: root_readme.encode()} | ({} if tombstones is None else {TOMBSTONES: tombstones})
        steps = add_version_steps(staging, Sealed.of(data).sha256, old=self.seal(), root_files=root_files)
        gone = [["remove", f"{SPOOL}/{one.name}"] for one in spent if self.is_in_spool(one)]
        commit_steps(self.path, staging.place, [*steps, *gone])
        return Sealed.of(data).sha256

    def is_in_spool(self, folder: Path) -> bool:
        """Return whether a folder is directly in the corpus's own spool."""
        return folder.parent.resolve() == (self.path / SPOOL).resolve()

    def need_lock(self) -> None:
        """Make sure that the caller is the only builder.

        Raises:
            CorpusError: if the lock is not held.
        """
        if not self._held:
            advice = "do it inside `with corpus.lock():`"
            raise CorpusError(Fault(where=str(self.path), what="is not locked", advice=advice))


@lru_cache(maxsize=64)
def _parsed(data: bytes, version: str) -> Manifest:
    """Read a manifest; a build asks for those of all versions several times."""
    return Manifest.parse(data, where=f"{version}/{MANIFEST}")
