"""Store the repositories of a stand-in Hub in a folder; each file is written and then renamed.

objects/SHA256        a large file
blobs/SHA1            a small file, named as git names it
commits/SHA1.json     files by path, parent, title, date
repos/USER/NAME.json  branches, tags, whether it is private
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

GITATTRIBUTES = b"*.parquet filter=lfs diff=lfs merge=lfs -text\n"


@dataclass(frozen=True)
class File:
    """A file of a commit: its git hash, its size, and its SHA-256 if it is large."""

    oid: str
    size: int
    sha256: str | None = None

    @property
    def etag(self) -> str:
        """The ETag of a download."""
        return self.sha256 or self.oid


@dataclass(frozen=True)
class Commit:
    """A state of a repository."""

    id: str
    parent: str | None
    title: str
    message: str
    date: str
    files: dict[str, File]


@dataclass
class Repo:
    """Branches and tags by name, each with its commit."""

    id: str
    private: bool = False
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


def git_oid(data: bytes) -> str:
    """Return the git hash of some bytes."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def pointer(sha256: str, size: int) -> bytes:
    """Return the pointer file that git stores instead of a large file."""
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n".encode()


class Store:
    """All repositories. Each has a lock for changes of its branches and tags."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("objects", "blobs", "commits", "repos", "incoming"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()

    # -- repositories ------------------------------------------------------------------------------

    def repo(self, name: str) -> Repo | None:
        """Read a repository."""
        path = self._repo_path(name)
        return Repo(**json.loads(path.read_text())) if path.exists() else None

    def create(self, name: str, *, private: bool) -> bool:
        """Create a repository with a first commit, as the Hub does; return False if it exists."""
        with self._lock:
            if self.repo(name):
                return False
            files = {".gitattributes": self.keep(GITATTRIBUTES)}
            first = self.add_commit(None, files, title="initial commit", message="")
            self._save(Repo(id=name, private=private, branches={"main": first.id}))
            return True

    def delete(self, name: str) -> None:
        """Delete a repository."""
        self._repo_path(name).unlink()

    @contextmanager
    def changing(self, name: str) -> Iterator[Repo]:
        """Read a repository, and write it back if the body raises no error."""
        with self._lock:
            repo = self.repo(name)
            assert repo
            yield repo
            self._save(repo)

    def _repo_path(self, name: str) -> Path:
        return self.folder / "repos" / f"{name}.json"

    def _save(self, repo: Repo) -> None:
        path = self._repo_path(repo.id)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._write(path, json.dumps(asdict(repo)).encode())

    # -- commits -----------------------------------------------------------------------------------

    def resolve(self, repo: Repo, revision: str) -> Commit | None:
        """Find a commit by branch, tag or its own id."""
        found = repo.branches.get(revision) or repo.tags.get(revision) or revision
        path = self.folder / "commits" / f"{found}.json"
        if len(found) != 40 or not path.exists():
            return None
        facts = json.loads(path.read_text())
        return Commit(**{**facts, "files": {name: File(**one) for name, one in facts["files"].items()}})

    def add_commit(
        self, parent: str | None, files: Mapping[str, File], *, title: str, message: str
    ) -> Commit:
        """Write a commit that no branch points to yet."""
        date = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
        facts: dict[str, Any] = {"parent": parent, "title": title, "message": message, "date": date}
        listed = {name: asdict(files[name]) for name in sorted(files)}
        sha = hashlib.sha1(json.dumps([facts, listed, uuid.uuid4().hex]).encode()).hexdigest()
        document = {"id": sha, **facts, "files": listed}
        self._write(self.folder / "commits" / f"{sha}.json", json.dumps(document).encode())
        return Commit(id=sha, files=dict(files), **facts)

    def history(self, repo: Repo, revision: str) -> Iterator[Commit]:
        """Yield the commits of a revision, from the newest to the first."""
        commit = self.resolve(repo, revision)
        while commit:
            yield commit
            commit = self.resolve(repo, commit.parent) if commit.parent else None

    # -- bytes -------------------------------------------------------------------------------------

    def keep(self, data: bytes) -> File:
        """Store a small file."""
        oid = git_oid(data)
        self._write(self.folder / "blobs" / oid, data)
        return File(oid=oid, size=len(data))

    def object_path(self, sha256: str) -> Path:
        """Return the path of a large file; it exists if the file was uploaded."""
        return self.folder / "objects" / sha256

    def large_file(self, sha256: str, size: int) -> File:
        """Return the commit entry of an uploaded large file."""
        return File(oid=git_oid(pointer(sha256, size)), size=size, sha256=sha256)

    def path_of(self, file: File) -> Path:
        """Return the path with the bytes of a file."""
        return self.object_path(file.sha256) if file.sha256 else self.folder / "blobs" / file.oid

    def new_file(self) -> Path:
        """Return a new temporary path for an upload."""
        return self.folder / "incoming" / uuid.uuid4().hex

    def _write(self, path: Path, data: bytes) -> None:
        beside = self.new_file()
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
