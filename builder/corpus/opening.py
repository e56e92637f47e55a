"""Open files of a corpus: the only way in, for commands that read and for commands that write.

A corpus may come from a stranger. Every part of a path is opened from the folder before it and never through
a link, and only a plain file is opened at its end: a FIFO, a device, a socket or a folder in its place is an
error in a sentence. What is read whole into memory has a limit, by kind of file.

Arrow opens files by path. Such a path is checked by the same walk first (``check_path``).
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from builder.errors import CorpusError, Fault, TamperedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import BufferedReader

MIB = 1 << 20
SEAL_BYTES = 64 * MIB
MANIFEST_BYTES = 64 * MIB
JOURNAL_BYTES = 64 * MIB
PURGED_BYTES = 64 * MIB
CARD_BYTES = 16 * MIB
SMALL_JSON_BYTES = 16 * MIB
"""``run.json``, ``card.json``, ``fetched.json``, and notes in spools."""
INDEX_JSON_BYTES = 1_024 * MIB
TOMBSTONES_BYTES = 1_024 * MIB
HASH_CACHE_BYTES = 1_024 * MIB
LOCK_BYTES = 1_000

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_ADVICE = "a corpus holds plain files and folders only; do not use it if you did not make it"
_KINDS = (
    (stat.S_ISLNK, "a symbolic link"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISREG, "a file"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


@contextmanager
def open_file(root: Path, name: str) -> Iterator[BufferedReader]:
    """Open a plain file below a folder.

    Args:
        root: a folder that is trusted; it may be a link itself.
        name: with forward slashes.

    Raises:
        FileNotFoundError: if there is no such file.
        TamperedError: if a link is on the way, or if it is not a plain file.
        CorpusError: if it cannot be read.
    """
    with _readable(root, name), os.fdopen(_open(root, name), "rb") as file:
        yield file


def read_file(root: Path, name: str, *, limit: int) -> bytes:
    """Read a small file whole; see ``open_file``.

    Raises:
        TamperedError: also if it has more than ``limit`` bytes.
    """
    with open_file(root, name) as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        what = f"has more than {limit:,} bytes, which no such file has"
        raise TamperedError(Fault(where=name, what=what, advice="run verify"))
    return data


def check_path(root: Path, name: str) -> Path:
    """Return the path of a plain file below a folder, or of one that is not there.

    Raises:
        TamperedError: if a link is on the way, or if it is not a plain file.
    """
    with _readable(root, name), suppress(FileNotFoundError, PermissionError):
        os.close(_open(root, name))
    return root / name


def check_folder(root: Path, name: str) -> Path:
    """Return the path of a folder below another one, or of one that is not there.

    Raises:
        TamperedError: if a link or something else is in its place, or on the way.
    """
    with _readable(root, name), suppress(FileNotFoundError):
        os.close(_open_folder(root, PurePosixPath(name).parts, name))
    return root / name


def check_tree(folder: Path, *, where: str) -> None:
    """Make sure that there is nothing but plain files and folders below a folder.

    Raises:
        TamperedError: for the first thing that is something else.
    """
    with _readable(folder.parent, where):
        for entry in sorted(os.scandir(folder), key=lambda one: one.name):
            name = f"{where}/{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                check_tree(folder / entry.name, where=name)
            elif not entry.is_file(follow_symlinks=False):
                raise _odd(name, entry.stat(follow_symlinks=False), "a plain file or folder")


def file_kind(path: Path) -> str:
    """Return what a path is, without following a link; empty if there is nothing."""
    try:
        return _kind(path.lstat())
    except (FileNotFoundError, NotADirectoryError):
        return ""


def _open(root: Path, name: str) -> int:
    *folders, last = PurePosixPath(name).parts
    at = _open_folder(root, folders, name)
    try:
        _need_plain(os.stat(last, dir_fd=at, follow_symlinks=False), name)
        number = os.open(last, _FILE, dir_fd=at)
    finally:
        os.close(at)
    try:
        _need_plain(os.fstat(number), name)
    except TamperedError:
        os.close(number)
        raise
    return number


def _open_folder(root: Path, parts: tuple[str, ...] | list[str], name: str) -> int:
    """Open a folder, a part at a time."""
    if ".." in parts or PurePosixPath(name).is_absolute():
        raise TamperedError(Fault(where=name, what="leads out of its folder", advice=_ADVICE))
    at = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for number, part in enumerate(parts):
        try:
            below = os.open(part, _FOLDER, dir_fd=at)
        except OSError as error:
            if error.errno not in (errno.ELOOP, errno.ENOTDIR):
                raise
            facts = os.stat(part, dir_fd=at, follow_symlinks=False)
            raise _odd("/".join(parts[: number + 1]), facts, "a folder") from None
        finally:
            os.close(at)
        at = below
    return at


def _need_plain(facts: os.stat_result, name: str) -> None:
    if not stat.S_ISREG(facts.st_mode):
        raise _odd(name, facts, "a plain file")


def _odd(name: str, facts: os.stat_result, wanted: str) -> TamperedError:
    return TamperedError(Fault(where=name, what=f"is {_kind(facts)}, not {wanted}", advice=_ADVICE))


def _kind(facts: os.stat_result) -> str:
    return next((kind for is_kind, kind in _KINDS if is_kind(facts.st_mode)), "something else")


@contextmanager
def _readable(root: Path, name: str) -> Iterator[None]:
    """Say in a sentence what the system refuses; a file that is not there is the caller's to judge."""
    try:
        yield
    except FileNotFoundError as error:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(root / name)) from error
    except OSError as error:
        what = f"cannot be read: {os.strerror(error.errno) if error.errno else error}"
        raise CorpusError(Fault(where=name, what=what)) from error
