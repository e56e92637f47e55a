"""Compare untrusted files with their seals: follow no link, and read plain files only."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from builder.corpus.objects import object_name
from builder.corpus.opening import open_file, read_file
from builder.corpus.seals import Sealed
from builder.errors import BuilderError, Fault

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Inspection:
    """The faults found so far: the first fault of each name. Hard links to the same file are read once."""

    def __init__(self, corpus: Path, *, on_file: Callable[[str, int], None] | None = None) -> None:
        self._corpus = corpus
        self._on_file = on_file
        self._faults: dict[str, Fault] = {}
        self._seen: set[str] = set()
        self._hashes: dict[tuple[int, int], str] = {}

    def faults(self) -> list[Fault]:
        """Return the faults found so far."""
        return list(self._faults.values())

    def find(self, name: str, what: str) -> None:
        """Add a fault, unless this name has one already."""
        self._faults.setdefault(name, Fault(where=name, what=what))

    def add(self, error: BuilderError) -> None:
        """Add the faults of a seal or manifest."""
        for fault in error.faults:
            self._faults.setdefault(fault.where, fault)

    def read(self, name: str, *, limit: int) -> bytes | None:
        """Read a small file. Return None and add a fault if it is missing or not a plain file."""
        facts = self._plain(name)
        if facts is None:
            return None
        try:
            return read_file(self._corpus, name, limit=limit)
        except OSError as error:
            self.find(name, f"cannot be read: {error.strerror}")
        except BuilderError as error:
            self.add(error)
        return None

    def compare_link(self, name: str, target: str) -> None:
        """Compare a symbolic link with its expected target."""
        path = self._corpus / name
        if not self._is_new(name):
            return
        if not path.is_symlink():
            self.find(name, "is missing" if not os.path.lexists(path) else "is not a link")
        elif (found := os.readlink(path)) != target:  # noqa: PTH115 - a Path hides "./" and the like
            self.find(name, f"points to {found}, not to {target}")

    def compare_file(self, name: str, sealed: Sealed | None) -> None:
        """Compare one file with its seal; ``sealed`` is None if its bytes were compared already."""
        if not self._is_new(name):
            return
        facts = self._plain(name)
        if facts is None or sealed is None:
            return
        if facts.st_size != sealed.bytes:
            what = "was cut short" if facts.st_size < sealed.bytes else "grew"
            self.find(name, f"{what}: {facts.st_size:,} bytes instead of {sealed.bytes:,}")
        elif self._hash(name, facts) != sealed.sha256:
            self.find(name, "was changed: its bytes have another SHA-256")

    def compare_hash(self, name: str, sha256: str) -> None:
        """Compare a file with its SHA-256; its size is unknown."""
        facts = self._plain(name)
        if facts is not None and self._hash(name, facts) != sha256:
            self.find(name, "was changed: its bytes have another SHA-256")

    def of_object(self, sha256: str) -> Sealed | None:
        """Return the seal of an object whose size no manifest has."""
        facts = self._plain(object_name(sha256))
        return None if facts is None else Sealed(sha256=sha256, bytes=facts.st_size)

    def entries(self, folder: str) -> list[Path]:
        """List a folder. Return an empty list and add a fault if it cannot be read."""
        try:
            return sorted((self._corpus / folder).iterdir())
        except OSError as error:
            self.find(folder, f"cannot be read: {error.strerror}")
            return []

    def is_link_or_gone(self, name: str) -> bool:
        """Return whether a folder, or one of its parents, is missing or replaced; add a fault if so."""
        for part in reversed([PurePosixPath(name), *PurePosixPath(name).parents[:-1]]):
            path = self._corpus / part
            if path.is_dir() and (str(part) == "." or not path.is_symlink()):
                continue
            if str(part) != ".":
                self.find(str(part), "was replaced" if os.path.lexists(path) else "is missing")
            return True
        return False

    def _plain(self, name: str) -> os.stat_result | None:
        if self._is_below_a_fault(name):
            return None
        try:
            facts = (self._corpus / name).lstat()
        except (FileNotFoundError, NotADirectoryError):
            self.find(name, "is missing")
            return None
        if not stat.S_ISREG(facts.st_mode):
            self.find(name, "was replaced by a link" if stat.S_ISLNK(facts.st_mode) else "is not a file")
            return None
        return facts

    def _is_below_a_fault(self, name: str) -> bool:
        """Return whether a parent folder has a fault already; one fault for the folder is enough."""
        return any(str(parent) in self._faults for parent in PurePosixPath(name).parents)

    def _is_new(self, name: str) -> bool:
        """Mark a name as compared, and return whether it was not compared before."""
        is_new = name not in self._seen
        self._seen.add(name)
        return is_new

    def _hash(self, name: str, facts: os.stat_result) -> str | None:
        key = (facts.st_dev, facts.st_ino)
        if key not in self._hashes:
            try:
                with open_file(self._corpus, name) as file:
                    self._hashes[key] = hashlib.file_digest(file, "sha256").hexdigest()
            except OSError as error:
                self.find(name, f"cannot be read: {error.strerror}")
                return None
            except BuilderError as error:
                self.add(error)
                return None
            if self._on_file:
                self._on_file(name, facts.st_size)
        return self._hashes[key]
