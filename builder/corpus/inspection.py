"""A look at files without trusting them: links are not followed, and nothing but plain files is read."""

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
    """The faults found so far, the first of each name. Files that share their bytes are read once."""

    def __init__(self, corpus: Path, *, on_file: Callable[[str, int], None] | None = None) -> None:
        self._corpus = corpus
        self._on_file = on_file
        self._faults: dict[str, Fault] = {}
        self._seen: set[str] = set()
        self._hashes: dict[tuple[int, int], str] = {}

    def faults(self) -> list[Fault]:
        """Return what was found."""
        return list(self._faults.values())

    def find(self, name: str, what: str) -> None:
        """Note a fault, if nothing is known of this name yet."""
        self._faults.setdefault(name, Fault(where=name, what=what))

    def add(self, error: BuilderError) -> None:
        """Note what is wrong with a seal or manifest."""
        for fault in error.faults:
            self._faults.setdefault(fault.where, fault)

    def read(self, name: str, *, limit: int) -> bytes | None:
        """Read a small file; None, and a fault, if it is not there or is not a plain file."""
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
        """Compare a link with what it should point to."""
        path = self._corpus / name
        if not self._is_new(name):
            return
        if not path.is_symlink():
            self.find(name, "is missing" if not os.path.lexists(path) else "is no link")
        elif (found := os.readlink(path)) != target:  # noqa: PTH115 - a Path hides "./" and the like
            self.find(name, f"points to {found}, not to {target}")

    def compare_file(self, name: str, sealed: Sealed | None) -> None:
        """Compare one file with what it should be; None if its bytes were judged already."""
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
        """Compare a file with its hash alone."""
        facts = self._plain(name)
        if facts is not None and self._hash(name, facts) != sha256:
            self.find(name, "was changed: its bytes have another SHA-256")

    def of_object(self, sha256: str) -> Sealed | None:
        """Seal an object that no manifest tells the size of."""
        facts = self._plain(object_name(sha256))
        return None if facts is None else Sealed(sha256=sha256, bytes=facts.st_size)

    def entries(self, folder: str) -> list[Path]:
        """List a folder; nothing, and a fault, if it cannot be read."""
        try:
            return sorted((self._corpus / folder).iterdir())
        except OSError as error:
            self.find(folder, f"cannot be read: {error.strerror}")
            return []

    def is_link_or_gone(self, name: str) -> bool:
        """Note a fault if a folder, or one around it, is not there or no folder."""
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
            self.find(name, "was replaced by a link" if stat.S_ISLNK(facts.st_mode) else "is no file")
            return None
        return facts

    def _is_below_a_fault(self, name: str) -> bool:
        """Tell whether a folder around this was replaced, so that one fault says it all."""
        return any(str(parent) in self._faults for parent in PurePosixPath(name).parents)

    def _is_new(self, name: str) -> bool:
        """Note that a name is compared; tell whether it was not before."""
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
