"""The object store: each shard is stored once, under its SHA-256, and versions link to it."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
from typing import IO, TYPE_CHECKING

from builder.corpus.names import OBJECTS
from builder.corpus.opening import open_file

if TYPE_CHECKING:
    from pathlib import Path

_FICLONE = 0x40049409
_NO_REFLINK = frozenset(
    {errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOTTY, errno.EINVAL, errno.EXDEV, errno.ENOSYS, errno.EPERM}
)
_NO_HARD_LINK = frozenset(
    {errno.EXDEV, errno.EPERM, errno.EACCES, errno.EMLINK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}
)


def object_name(sha256: str) -> str:
    """Return the path of an object below the corpus.

    >>> object_name("ab" * 32)[:25]
    '.objects/sha256/ab/ababab'
    """
    return f"{OBJECTS}/{sha256[:2]}/{sha256}.parquet"


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a plain file; a link is refused."""
    with open_file(path.parent, path.name) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def place(source: Path, target: Path) -> str:
    """Place an object in a version, in the cheapest way that the file system supports.

    A reflink shares the bytes until one file is written, so a change to one file does not show in the other.
    A hard link shares mode and bytes; therefore objects are read-only. Without either, the object is copied.
    The target has mode 0444 and is synced to the disk when this function returns.

    Returns:
        ``reflink``, ``hard link`` or ``copy``.

    Raises:
        FileExistsError: if the target exists.
    """
    if _reflink(source, target):
        way = "reflink"
    elif _hard_link(source, target):
        return "hard link"
    else:
        way = "copy"
        _copy(source, target)
    target.chmod(0o444)
    return way


def take(source: Path, target: Path) -> None:
    """Move a file into the corpus and make it read-only; copy it from another file system."""
    try:
        source.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _copy(source, target)
        source.unlink()
    target.chmod(0o444)


def _reflink(source: Path, target: Path) -> bool:
    with source.open("rb") as have, _new_file(target) as want:
        try:
            fcntl.ioctl(want.fileno(), _FICLONE, have.fileno())
        except OSError as error:
            # the failed call leaves an empty file, which would be a shard without rows
            target.unlink()
            if error.errno not in _NO_REFLINK:
                raise
            return False
        os.fsync(want.fileno())
    return True


def _hard_link(source: Path, target: Path) -> bool:
    try:
        target.hardlink_to(source)
    except OSError as error:
        if error.errno not in _NO_HARD_LINK:
            raise
        return False
    return True


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as have, _new_file(target) as want:
        shutil.copyfileobj(have, want, 1 << 20)
        want.flush()
        os.fsync(want.fileno())


def _new_file(path: Path) -> IO[bytes]:
    return path.open("xb")
