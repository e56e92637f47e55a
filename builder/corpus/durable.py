"""Changes to a folder that survive a crash: written beside, brought to the disk, renamed."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_THREADS = 8
_AT_FDCWD = -100
_RENAME_NOREPLACE = 1
_RENAME_EXCL = 4
_NO_SUCH_CALL = frozenset({errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP})


def write_file(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Write a file so that, whenever the machine stops, either the old or the new one is there."""
    beside = path.with_name(path.name + ".tmp")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.chmod(mode)
    beside.replace(path)
    sync_folder(path.parent)


def sync_file(path: Path) -> None:
    """Bring a file's bytes to the disk."""
    _sync(path, os.O_RDONLY)


def sync_folder(path: Path) -> None:
    """Bring a folder's names to the disk."""
    _sync(path, os.O_RDONLY | os.O_DIRECTORY)


def sync_tree(folder: Path) -> None:
    """Bring everything below a folder to the disk: files side by side, then folders, this one last.

    A disk takes the wishes of many threads in one go, so that many small files take no longer than a few.
    """
    paths = [path for path in walk(folder) if not path.is_symlink()]
    with ThreadPoolExecutor(_THREADS) as pool:
        for _ in pool.map(sync_file, [path for path in paths if not path.is_dir()]):
            pass
    sync_folders([*(path for path in paths if path.is_dir()), folder])


def sync_folders(paths: Iterable[Path]) -> None:
    """Bring the names of some folders to the disk."""
    for path in paths:
        sync_folder(path)


def walk(folder: Path) -> Iterator[Path]:
    """Go through everything below a folder, contents before the folder that holds them; follow no link."""
    for entry in sorted(folder.iterdir()):
        if entry.is_dir() and not entry.is_symlink():
            yield from walk(entry)
        yield entry


def rename_new(source: Path, target: Path) -> None:
    """Rename a file or folder to a name that is not taken; both folders are yet to be brought to the disk.

    A plain rename replaces a file, and an empty folder too, without a word.

    Raises:
        FileExistsError: if the name is taken.
    """
    code = _rename_exclusively(os.fsencode(source), os.fsencode(target))
    if code in _NO_SUCH_CALL:
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
        source.rename(target)
    elif code:
        raise OSError(code, os.strerror(code), str(source), None, str(target))


def point(link: Path, target: str) -> None:
    """Let a symbolic link point to a target, whether or not it was there."""
    beside = link.with_name(link.name + ".tmp")
    beside.unlink(missing_ok=True)
    beside.symlink_to(target)
    beside.replace(link)
    sync_folder(link.parent)


def freeze(folder: Path) -> None:
    """Take away the right to write below a folder: files 0444, folders 0555; links are left alone."""
    for path in walk(folder):
        if not path.is_symlink():
            path.chmod(0o555 if path.is_dir() else 0o444)
    folder.chmod(0o555)
    sync_folder(folder)


def remove(path: Path) -> None:
    """Remove a file, or a folder with all that is below it, read-only or not, if it is there."""
    if not os.path.lexists(path):
        return
    path.parent.chmod(path.parent.stat().st_mode | stat.S_IWUSR)
    if path.is_dir() and not path.is_symlink():
        for one in [path, *(below for below in path.rglob("*") if below.is_dir() and not below.is_symlink())]:
            one.chmod(0o755)
        shutil.rmtree(path)
    else:
        path.unlink()
    sync_folder(path.parent)


def _sync(path: Path, flags: int) -> None:
    number = os.open(path, flags)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _rename_exclusively(source: bytes, target: bytes) -> int:
    """Return 0, or the number of the error."""
    libc = _libc()
    if sys.platform == "linux" and hasattr(libc, "renameat2"):
        failed = libc.renameat2(_AT_FDCWD, source, _AT_FDCWD, target, _RENAME_NOREPLACE)
    elif sys.platform == "darwin" and hasattr(libc, "renamex_np"):
        failed = libc.renamex_np(source, target, _RENAME_EXCL)
    else:
        return errno.ENOSYS
    return ctypes.get_errno() if failed else 0


@cache
def _libc() -> Any:
    return ctypes.CDLL(None, use_errno=True)
