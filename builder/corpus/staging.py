"""The staging folder: all files of a version before its commit."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from builder.corpus.names import AUDIT, INDEX, MANIFEST, SPOOL, STAGING_PREFIX
from builder.corpus.objects import hash_file, object_name, place, take
from builder.corpus.opening import check_path
from builder.corpus.seals import Sealed
from builder.domain.manifest import FileEntry
from builder.errors import BuilderError, Fault, TamperedError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from builder.domain.manifest import Manifest


class Staging:
    """The files of a version before its commit; ``Corpus.commit`` moves them into place all at once.

    Before the commit, the corpus does not contain them. The next builder deletes what a killed build staged.

    Attributes:
        version: number of the version.
        folder: becomes the folder of the version. The caller writes README.md, croissant.json and
            inputs.parquet here; ``commit`` writes manifest.json.
        audit: becomes ``.audit/VERSION``.
        index: becomes ``.index/VERSION``.
        root: becomes the files that belong to the corpus as a whole.
    """

    def __init__(self, corpus: Path, version: str) -> None:
        self.version = version
        self.place = corpus / SPOOL / f"{STAGING_PREFIX}{version}"
        self.folder, self.audit, self.index, self.root = (
            self.place / name for name in ("version", "audit", "index", "root")
        )
        self._corpus = corpus
        self._shards: dict[str, str] = {}
        shutil.rmtree(self.place, ignore_errors=True)
        for folder in (self.folder, self.audit, self.index, self.root):
            folder.mkdir(parents=True)

    @property
    def shards(self) -> Mapping[str, str]:
        """SHA-256 of every added shard, by name."""
        return self._shards

    def add_shard(self, path: Path, *, name: str, sha256: str | None = None) -> FileEntry:
        """Move a finished shard into the objects and link it into the version.

        Args:
            path: the shard. It is moved; from another file system it is copied and deleted.
            name: its path below the folder of the version, such as ``data/train-00000-of-00003.parquet``.
            sha256: its hash; if it is not given, the file is read.

        Raises:
            TamperedError: if the corpus has an object with this hash but other bytes.
        """
        sha256 = sha256 or hash_file(path)
        known = check_path(self._corpus, object_name(sha256))
        if known.exists():
            self._compare(known, sha256)
            path.unlink()
            return self.reuse_shard(sha256, name=name)
        fresh = self.place / object_name(sha256)
        fresh.parent.mkdir(parents=True, exist_ok=True)
        take(path, fresh)
        return self._link(fresh, sha256, name)

    def reuse_shard(self, sha256: str, *, name: str) -> FileEntry:
        """Link a shard of an earlier version into this version.

        Raises:
            TamperedError: if the object does not exist.
        """
        known = check_path(self._corpus, object_name(sha256))
        if not known.is_file():
            raise TamperedError(
                Fault(where=object_name(sha256), what="is missing", advice="run `builder verify`")
            )
        return self._link(known, sha256, name)

    def file_entries(self) -> tuple[FileEntry, ...]:
        """List the files of the version except manifest and shards, by path, for ``Manifest.files``."""
        below = {path.relative_to(self.folder).as_posix(): path for path in self.folder.rglob("*")}
        names = sorted(name for name, path in below.items() if path.is_file())
        return tuple(
            FileEntry(path=name, sha256=hash_file(below[name]), bytes=below[name].stat().st_size)
            for name in names
            if name != MANIFEST and name not in self._shards
        )

    def seal_private(self) -> dict[str, Sealed]:
        """Hash the audit and index files, by path below the corpus, and make them private to the owner."""
        for folder in (self.audit, self.index):
            folder.chmod(0o700)
            for path in folder.rglob("*"):
                path.chmod(0o700 if path.is_dir() else 0o600)
        return {
            f"{name}/{self.version}/{path.relative_to(folder).as_posix()}": Sealed(
                sha256=hash_file(path), bytes=path.stat().st_size
            )
            for folder, name in ((self.audit, AUDIT), (self.index, INDEX))
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }

    def check(self, manifest: Manifest) -> None:
        """Compare a manifest with the staged files.

        Raises:
            BuilderError: if they differ, with one fault for each difference.
        """
        faults = []
        if manifest.version != self.version:
            faults.append(
                Fault(where="version", what=f"is {manifest.version}, but {self.version} was staged")
            )
        listed = {shard.path: shard.sha256 for _, shard in manifest.shards()}
        faults += _differences(listed, self._shards)
        staged = {file.path: file.sha256 for file in self.file_entries()}
        faults += _differences({file.path: file.sha256 for file in manifest.files}, staged)
        if faults:
            raise BuilderError(*faults)

    def _link(self, stored: Path, sha256: str, name: str) -> FileEntry:
        target = self.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        place(stored, target)
        self._shards[name] = sha256
        return FileEntry(path=name, sha256=sha256, bytes=target.stat().st_size)

    def _compare(self, known: Path, sha256: str) -> None:
        if hash_file(known) != sha256:
            where = object_name(sha256)
            raise TamperedError(Fault(where=where, what="was changed", advice="run `builder verify`"))


def _differences(listed: Mapping[str, str], staged: Mapping[str, str]) -> list[Fault]:
    return [
        Fault(where=path, what="differs between the manifest and the staging folder")
        for path in sorted({*listed, *staged})
        if listed.get(path) != staged.get(path)
    ]
