"""Files that were uploaded in pieces: with the URL ``local://FOLDER``, `hf_xet` writes to a folder itself.

The client packs new pieces into xorbs and writes down in shards (``.mdb``) which pieces make a file. A commit
names a file by its SHA-256 alone, so the shards are read to find the name that Xet has for it.
"""

from __future__ import annotations

import os
import shutil
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path

ENTRY_BYTES = 48
BOOKEND = b"\xff" * 32
WITH_VERIFICATION, WITH_SHA256 = 1 << 31, 1 << 30


class Pieces:
    """The folder that clients write to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._names: dict[str, tuple[str, int]] = {}
        self._read: set[Path] = set()

    @property
    def url(self) -> str:
        """The URL that clients receive."""
        return f"local://{self.folder}"

    @property
    def n_bytes(self) -> int:
        """Return the bytes of the pieces and of their lists, as a client would send them over the network."""
        places = (self.folder / "xet" / "xorbs" / name for name in ("xorbs", "shards"))
        files = (path for place in places if place.is_dir() for path in place.iterdir())
        return sum(path.stat().st_size for path in files if path.suffix != ".tagset")

    def find(self, sha256: str) -> tuple[str, int] | None:
        """Return the Xet name and the size of a file, or None if it was not uploaded."""
        if sha256 not in self._names:
            for path in sorted((self.folder / "xet" / "xorbs" / "shards").glob("*.mdb")):
                if path not in self._read:
                    self._read.add(path)
                    self._names.update({found: (name, size) for found, name, size in files_of(path)})
        return self._names.get(sha256)

    def assemble(self, sha256: str, target: Path) -> None:
        """Assemble a file with the real client, in a separate folder that other clients do not use."""
        import hf_xet

        found = self.find(sha256)
        assert found
        with tempfile.TemporaryDirectory(dir=target.parent) as own:
            for name in ("xorbs", "shards"):
                have, want = (Path(f) / "xet" / "xorbs" / name for f in (self.folder, own))
                shutil.copytree(have, want, copy_function=os.link)
            for index in (self.folder / "xet" / "xorbs").glob("*.redb"):
                shutil.copy2(index, Path(own) / "xet" / "xorbs")
            with hf_xet.XetSession().new_file_download_group(endpoint=f"local://{own}") as group:
                group.start_download_file(hf_xet.XetFileInfo(*found), str(Path(own) / "whole"))
            (Path(own) / "whole").replace(target)


def files_of(shard: Path) -> Iterator[tuple[str, str, int]]:
    """Yield SHA-256, Xet name and size of each file that a shard lists."""
    data = shard.read_bytes()
    at = ENTRY_BYTES
    while data[at : at + 32] != BOOKEND:
        name = _hex(data[at : at + 32])
        flags, n_terms = struct.unpack_from("<II", data, at + 32)
        at += ENTRY_BYTES
        size = sum(struct.unpack_from("<I", data, at + i * ENTRY_BYTES + 36)[0] for i in range(n_terms))
        at += n_terms * ENTRY_BYTES * (2 if flags & WITH_VERIFICATION else 1)
        if flags & WITH_SHA256:
            yield _hex(data[at : at + 32]), name, size
            at += ENTRY_BYTES


def _hex(name: bytes) -> str:
    """Format a hash as Xet does: four 64-bit numbers, each with the lowest byte first."""
    return "".join(f"{number:016x}" for number in struct.unpack("<4Q", name))


def is_there() -> bool:
    """Return whether the installed client supports the local scheme, which is meant for its own tests."""
    try:
        import hf_xet

        with tempfile.TemporaryDirectory() as folder:
            session = hf_xet.XetSession()
            with session.new_upload_commit(endpoint=f"local://{folder}") as commit:
                commit.start_upload_bytes(os.urandom(64), sha256=hf_xet.COMPUTE_SHA256)
            return bool(list(Path(folder).rglob("*.mdb")))
    except (ImportError, AttributeError, TypeError, RuntimeError, OSError):
        return False
