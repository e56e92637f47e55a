"""Change files so that the change survives a crash: write a temporary file, sync it, rename it."""

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
    """Write a file atomically: whenever the machine stops, the file is either the old or the new one."""
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
    """Sync the bytes of a file to the disk."""
    _sync(path, os.O_RDONLY)


def sync_folder(path: Path) -> None:
    """Sync the entries of a folder to the disk."""
    _sync(path, os.O_RDONLY | os.O_DIRECTORY)


def sync_tree(folder: Path) -> None:
    """Sync everything below a folder to the disk: files in parallel, then folders, this one last.

    A disk combines the sync requests of several threads, so many small files take no longer than a few.
    """
    paths = [path for path in walk(folder) if not path.is_symlink()]
    with ThreadPoolExecutor(_THREADS) as pool:
        for _ in pool.map(sync_file, [path for path in paths if not path.is_dir()]):
            pass
    sync_folders([*(path for path in paths if path.is_dir()), folder])


def sync_folders(paths: Iterable[Path]) -> None:
    """Sync the entries of several folders to the disk."""
    for path in paths:
        sync_folder(path)


def walk(folder: Path) -> Iterator[Path]:
    """Yield everything below a folder, the contents of a folder before the folder; follow no link."""
    for entry in sorted(folder.iterdir()):
        if entry.is_dir() and not entry.is_symlink():
            yield from walk(entry)
        yield entry


def rename_new(source: Path, target: Path) -> None:
    """Rename a file or folder to a name that is not taken. The caller syncs both folders.

    A plain rename silently replaces a file or an empty folder.

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
    """Create or replace a symbolic link."""
    beside = link.with_name(link.name + ".tmp")
    beside.unlink(missing_ok=True)
    beside.symlink_to(target)
    beside.replace(link)
    sync_folder(link.parent)


def freeze(folder: Path) -> None:
    """Make everything below a folder read-only: files 0444, folders 0555. Links are not followed."""
    for path in walk(folder):
        if not path.is_symlink():
            path.chmod(0o555 if path.is_dir() else 0o444)
    folder.chmod(0o555)
    sync_folder(folder)


def remove(path: Path) -> None:
    """Remove a file or a whole folder if it exists, even if it is read-only."""
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
    """Rename without replacing, and return 0 or the error number."""
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
