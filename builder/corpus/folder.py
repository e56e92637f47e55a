"""The corpus: the folder with all versions of one dataset."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builder.corpus.address import corpora_near, looks_like_corpus
from builder.corpus.commit import add_version_steps, commit_steps, finish_pending
from builder.corpus.create import create_corpus
from builder.corpus.durable import write_file
from builder.corpus.leftovers import sweep_leftovers
from builder.corpus.locks import Lock, locked
from builder.corpus.names import (
    AUDIT,
    FETCHED,
    INDEX,
    LOCK,
    MANIFEST,
    README,
    ROOT_SEAL,
    SEALS,
    SPOOL,
    TOMBSTONES,
)
from builder.corpus.opening import (
    INDEX_JSON_BYTES,
    MANIFEST_BYTES,
    PURGED_BYTES,
    SEAL_BYTES,
    TOMBSTONES_BYTES,
    LedgerSegment,
    check_folder,
    check_path,
    check_tree,
    file_kind,
    open_rows,
    open_segments,
    read_file,
)
from builder.corpus.purged import PURGED, Purged
from builder.corpus.seals import RootSeal, Sealed, newest_of
from builder.corpus.staging import Staging
from builder.domain.manifest import Manifest
from builder.domain.version import Version
from builder.errors import CorpusError, Fault, LockedError, TamperedError, VersionError
from builder.summary import Summarised

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow.dataset

    from builder.domain.manifest import ShardEntry

_KEY = re.compile(r"[\w-][\w.-]*", re.ASCII)


class Corpus(Summarised):
    """All versions of one dataset, in one local folder. The class moves whole files and reads no rows.

    Reading needs no lock. Writing needs ``with corpus.lock():``, and only ``commit`` makes the new files
    visible, all at once.
    """

    def __init__(self, path: str | Path) -> None:
        """Open an existing corpus.

        Raises:
            CorpusError: if the path is not a corpus folder.
        """
        self.path = Path(path)
        self._held = 0
        self._lock: Lock | None = None
        if not looks_like_corpus(self.path):
            what = "is not a corpus folder" if self.path.is_dir() else "no such folder"
            raise CorpusError(Fault(where=str(path), what=what, advice=corpora_near(self.path)))

    def __fspath__(self) -> str:
        """Return the path, so that functions take a corpus where they take the path of one."""
        return str(self.path)

    @classmethod
    def open_or_create(cls, path: str | Path, *, name: str) -> Corpus:
        """Open a corpus, or create an empty one.

        Raises:
            CorpusError: if the folder contains other files, or the corpus has another name.
        """
        path = Path(path)
        if not (path.is_dir() and file_kind(check_folder(path, SEALS) / Path(ROOT_SEAL).name)):
            create_corpus(path, name)
        corpus = cls(path)
        if corpus.name != name:
            what = f"is the corpus of {corpus.name!r}, not of {name!r}"
            raise CorpusError(Fault(where=str(path), what=what, advice="name another folder"))
        return corpus

    # -- reading ----------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The dataset's name."""
        return self.seal().name

    def seal(self) -> RootSeal:
        """Read the root seal, which lists all versions.

        Raises:
            TamperedError: if the root seal is missing or was changed.
        """
        try:
            data = read_file(self.path, ROOT_SEAL, limit=SEAL_BYTES)
            return RootSeal.parse(data, where=ROOT_SEAL)
        except OSError as error:
            fault = Fault(
                where=ROOT_SEAL, what=f"cannot be read: {error.strerror}", advice="run `builder verify`"
            )
            raise TamperedError(fault) from None

    def versions(self) -> list[str]:
        """List all versions, lowest first, including yanked and dropped ones.

        Raises:
            TamperedError: if the root seal is missing or was changed.

        >>> Corpus("my-corpus/corpus").versions()
        ['1.0.0']
        """
        return sorted(self.seal().versions, key=Version.parse)

    def find_newest(self) -> str | None:
        """Return the highest version that is neither yanked nor dropped, or None."""
        return newest_of(self.seal().versions)

    def newest(self) -> str:
        """Return the highest version that is neither yanked nor dropped.

        Raises:
            VersionError: if every version is yanked or dropped, or the corpus is empty.

        >>> Corpus("my-corpus/corpus").newest()
        '1.0.0'
        """
        version = self.find_newest()
        if version is None:
            what = "has no version that is neither yanked nor dropped"
            raise VersionError(Fault(where=str(self.path), what=what, advice="`builder build` creates one"))
        return version

    def yanked(self, version: str) -> str | None:
        """Return the reason why a version is yanked, or None if it is not."""
        reason: str | None = self._known(version)["yanked"]
        return reason

    def dropped(self, version: str) -> bool:
        """Return whether a version was dropped. Its rows are deleted; number, digest and manifest stay."""
        return bool(self._known(version).get("dropped"))

    def digest(self, version: str) -> str:
        """Return the digest of a version. Not even a yank, drop or purge changes it.

        Raises:
            VersionError: if the corpus does not have this version.

        >>> len(Corpus("my-corpus/corpus").digest("1.0.0"))
        64
        """
        return str(self._known(version)["digest"])

    def manifest(self, version: str) -> Manifest:
        """Read the manifest of a version.

        Raises:
            VersionError: if the corpus does not have this version.
            TamperedError: if the manifest differs from the sealed one.

        >>> Corpus("my-corpus/corpus").manifest("1.0.0").rows
        3
        """
        self._known(version)
        try:
            data = read_file(self.path, f"{version}/{MANIFEST}", limit=MANIFEST_BYTES)
        except OSError as error:
            what = f"cannot be read: {error.strerror}"
            raise TamperedError(Fault(where=f"{version}/{MANIFEST}", what=what)) from None
        if Sealed.of(data).sha256 != self.digest(version):
            raise TamperedError(
                Fault(where=f"{version}/{MANIFEST}", what="was changed", advice="run `builder verify`")
            )
        return _parsed(data, version)

    def purged(self, version: str) -> Purged | None:
        """Read what purges changed in a version; None without a purge.

        Raises:
            TamperedError: if ``purged.json`` was changed.
        """
        self._known(version)
        where = f"{version}/{PURGED}"
        try:
            purged = Purged.parse(read_file(self.path, where, limit=PURGED_BYTES), where=where)
        except FileNotFoundError:
            return None
        if purged.digest != self.digest(version):
            raise TamperedError(
                Fault(where=where, what="belongs to another manifest", advice="run `builder verify`")
            )
        return purged

    def as_is(self, version: str) -> Manifest:
        """Return the manifest with the shards, row counts and files as they are after the last purge.

        The digests of rows are those from before the purge. Its own digest is not the digest of the version.
        """
        manifest = self.manifest(version)
        purged = self.purged(version)
        return purged.apply(manifest) if purged else manifest

    def version_folder(self, version: str) -> Path:
        """Return the folder of a version. The folder is a complete dataset."""
        self._known(version)
        return check_folder(self.path, version)

    def version_file(self, version: str, name: str) -> Path:
        """Return the path of a shard or another file of a version, and check that it is a plain file.

        Raises:
            TamperedError: if a part of the path is a link, or the file is not a plain file.
        """
        self._known(version)
        return check_path(self.path, f"{version}/{name}")

    def shards(self, version: str) -> list[tuple[str, ShardEntry]]:
        """List the shards as they are after the last purge, each with its split, in the order of the rows.

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

        >>> [len(files) for files in Corpus("my-corpus/corpus").data_files("1.0.0").values()]
        [1]
        """
        files: dict[str, list[Path]] = {}
        for split, shard in self.shards(version):
            files.setdefault(split, []).append(check_path(self.path, f"{version}/{shard.path}"))
        return files

    def audit_folder(self, version: str) -> Path:
        """Return the audit folder of a version: ledger, rejected records, clusters, ``run.json``."""
        self._known(version)
        return check_folder(self.path, f"{AUDIT}/{version}")

    def audit_file(self, version: str, name: str) -> Path:
        """Return the path of a file in the audit folder, and check that it is a plain file.

        Raises:
            TamperedError: if a part of the path is a link, or the file is not a plain file.
        """
        return check_path(self.audit_folder(version), name)

    def index_folder(self, version: str) -> Path:
        """Return the index folder of a version. Later versions need it to deduplicate against this one."""
        self._known(version)
        return check_folder(self.path, f"{INDEX}/{version}")

    def ledger_file(self, version: str) -> Path:
        """Return the path of the ledger of a version."""
        return self.audit_file(version, "ledger.parquet")

    def ledger(self, version: str | None = None) -> pyarrow.dataset.Dataset:
        """Open the ledger of a version as an Arrow dataset; nothing is read before you ask for rows.

        It has one row for each record that the version, or a version that it builds on, has read: the newest
        one. The column ``version`` is the version whose build wrote the row.

        Args:
            version: default: the newest version.

        Raises:
            CorpusError: if the version does not exist, or was fetched without its ledger.

        >>> import pyarrow.compute as pc
        >>> kept = pc.field("outcome") == "kept"
        >>> Corpus("my-corpus/corpus").ledger().to_table(filter=kept, columns=["url"]).num_rows
        3
        """
        return open_segments(self._segments(version or self.newest()), name="ledger.parquet")

    def clusters(self, version: str | None = None) -> pyarrow.dataset.Dataset:
        """Open the clusters of duplicates of a version as an Arrow dataset, as ``ledger``.

        Raises:
            CorpusError: as ``ledger``.

        >>> Corpus("my-corpus/corpus").clusters().to_table(columns=["stage"]).to_pylist()
        [{'stage': 'dedup_url'}, {'stage': 'dedup_exact'}]
        """
        return open_segments(self._segments(version or self.newest()), name="clusters.parquet")

    def _segments(self, version: str) -> list[LedgerSegment]:
        """List the ledgers of a version and of the versions that it builds on, the oldest first."""
        found: list[LedgerSegment] = []
        at: str | None = version
        while at is not None:
            n_restated = int(self.manifest(at).counts.get("restated", 0))
            found.append(LedgerSegment(version=at, folder=self.audit_folder(at), n_restated=n_restated))
            at = self._base(at)
        return found[::-1]

    def _base(self, version: str) -> str | None:
        """Return the version that a version builds on; None after a full rebuild, and without an index."""
        try:
            data = read_file(self.path, f"{INDEX}/{version}/index.json", limit=INDEX_JSON_BYTES)
        except FileNotFoundError:
            return None
        base = json.loads(data).get("base")
        return base if base in self.seal().versions and Version.parse(base) < Version.parse(version) else None

    def rows(self, version: str | None = None, split: str | None = None) -> pyarrow.dataset.Dataset:
        """Open the published rows of a version as an Arrow dataset, in their order.

        Args:
            version: default: the newest version.
            split: default: all splits.

        Raises:
            CorpusError: if the version does not exist or was dropped, or the split has no rows.

        >>> Corpus("my-corpus/corpus").rows(split="train").head(1, columns=["url"]).to_pylist()
        [{'url': 'https://example.org/tides'}]
        """
        version = version or self.newest()
        return open_rows(self.data_files(version), split=split, where=f"{self.path}@{version}")

    def _summary(self) -> dict[str, object]:
        return {"path": str(self.path), "name": self.name, "versions": self.versions()}

    def tombstones(self) -> bytes:
        """Return the bytes of ``tombstones.jsonl``; empty if the file does not exist."""
        try:
            return read_file(self.path, TOMBSTONES, limit=TOMBSTONES_BYTES)
        except FileNotFoundError:
            return b""

    def hash_cache(self) -> Path:
        """Return the path of the cache of input hashes. The cache belongs to no version."""
        return check_path(self.path, f"{SPOOL}/hashes.json")

    def was_fetched(self, version: str) -> bool:
        """Return whether a version was fetched. Parts of the audit of a fetched version may be missing."""
        return self.audit_file(version, FETCHED).is_file()

    def _known(self, version: str) -> Mapping[str, Any]:
        versions = self.seal().versions
        if version not in versions:
            there = ", ".join(sorted(versions, key=Version.parse)) or "none yet"
            fault = Fault(where=str(self.path), what=f"has no version {version}", advice=f"versions: {there}")
            raise VersionError(fault)
        return versions[version]

    # -- writing -----------------------------------------------------------------------------------

    @contextmanager
    def lock(self, *, wait_s: float = 0.0, break_it: bool = False) -> Iterator[None]:
        """Hold the lock of this corpus. First finish the commit of a killed builder and delete its leftovers.

        Args:
            break_it: take the lock from a builder on another machine, which is lost.

        Raises:
            LockedError: if another builder holds the lock for longer than ``wait_s`` seconds.
            TamperedError: if the journal of a pending commit is not one that a builder writes.
        """
        if self._held:
            yield
            return
        check_folder(self.path, SPOOL).mkdir(exist_ok=True)
        with locked(self.path / LOCK, wait_s=wait_s, break_it=break_it) as self._lock:
            self._held += 1
            try:
                finish_pending(self.path)
                sweep_leftovers(self.path)
                yield
            finally:
                self._held -= 1

    def spool(self, key: str) -> Path:
        """Return the spool of an unfinished build, and create it if necessary.

        Args:
            key: a plain file name that does not begin with a dot.
        """
        if not _KEY.fullmatch(key) or key == Path(LOCK).name:
            raise CorpusError(Fault(where=SPOOL, what=f"{key!r} is not a name for a spool"))
        folder = check_folder(self.path, f"{SPOOL}/{key}")
        folder.mkdir(parents=True, exist_ok=True)
        check_tree(folder, where=f"{SPOOL}/{key}")
        return folder

    def begin(self, version: str) -> Staging:
        """Start the staging of a new version. The caller holds the lock.

        Raises:
            VersionError: if the corpus already has this number. A number never gets other content.
        """
        self.need_lock()
        version = str(Version.parse(version))
        if version in self.seal().versions or (self.path / version).exists():
            raise VersionError(Fault(where=str(self.path), what=f"already has version {version}"))
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
        """Commit a staged version to the corpus, all at once, and return its digest.

        Whenever the machine stops, the corpus is either the old or the new one. The next builder that takes
        the lock finishes the commit or deletes what is left of it.

        Args:
            root_readme: the card of the corpus, with one config for each version.
            tombstones: the new content of ``tombstones.jsonl``, if it changed.
            spent: folders that are not needed after the commit, such as the spool of the build. The commit
                removes those in ``.spool``; the caller removes the others.

        Raises:
            BuilderError: if the manifest differs from the staged files.
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
        """Return whether a folder is directly in the ``.spool`` of this corpus."""
        return folder.parent.resolve() == (self.path / SPOOL).resolve()

    def need_lock(self) -> None:
        """Check that the caller holds the lock.

        Raises:
            CorpusError: if the lock is not held.
            LockedError: if another builder has broken the lock.
        """
        if not self._held or self._lock is None:
            advice = "call it inside `with corpus.lock():`"
            raise CorpusError(Fault(where=str(self.path), what="is not locked", advice=advice))
        if not self._lock.is_held():
            what = "has been taken over by another builder, so nothing more is written"
            raise LockedError(Fault(where=str(self.path), what=what, advice="look at `builder versions`"))


@lru_cache(maxsize=64)
def _parsed(data: bytes, version: str) -> Manifest:
    """Parse a manifest; cached, because a build reads the manifests of all versions several times."""
    return Manifest.parse(data, where=f"{version}/{MANIFEST}")
