"""The lock of a corpus: only one builder writes at a time."""

from __future__ import annotations

import fcntl
import json
import os
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from builder.corpus.opening import file_kind
from builder.errors import CorpusError, Fault, LockedError, TamperedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PAUSE_S = 0.05
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


@contextmanager
def locked(path: Path, *, wait_s: float = 0.0) -> Iterator[None]:
    """Lock the file at ``path`` while the body runs; create the file if necessary.

    The system releases a lock when its process ends, so the file of a killed process blocks nobody. The
    contents of the file are for people: the process with the lock, and the time when it took the lock.

    Args:
        wait_s: seconds to wait for another builder.

    Raises:
        LockedError: if another builder holds the lock.
    """
    number = _acquire(path, deadline=time.monotonic() + wait_s)
    try:
        holder = {"pid": os.getpid(), "since": datetime.now(UTC).isoformat(timespec="seconds")}
        _write(number, json.dumps(holder).encode())
        yield
    finally:
        _write(number, b"")
        os.close(number)


def _acquire(path: Path, *, deadline: float) -> int:
    while True:
        try:
            if (kind := file_kind(path)) not in ("", "a file"):
                fault = Fault(
                    where=str(path),
                    what=f"cannot be locked: it is {kind}",
                    advice="do not use this corpus if you did not create it; else delete the file",
                )
                raise TamperedError(fault)
            number = os.open(path, _FLAGS, 0o644)
        except OSError as error:
            fault = Fault(
                where=str(path),
                what=f"cannot be locked: {error.strerror}",
                advice="check the owner and mode of the file",
            )
            raise CorpusError(fault) from None
        if _try(number):
            if _is_still_there(number, path):
                return number
        elif time.monotonic() >= deadline:
            holder = _holder(number)
            os.close(number)
            what = f"{holder} works on this corpus"
            where = str(path.parent.parent)
            raise LockedError(Fault(where=where, what=what, advice="wait until it ends, or stop it"))
        os.close(number)
        time.sleep(_PAUSE_S)


def _try(number: int) -> bool:
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_still_there(number: int, path: Path) -> bool:
    """Return whether the locked file is still at the path; another process may have deleted it."""
    try:
        return os.path.samestat(os.fstat(number), path.lstat())
    except FileNotFoundError:
        return False


def _holder(number: int) -> str:
    try:
        facts = json.loads(os.pread(number, 1_000, 0))
        return f"another builder (process {facts['pid']}, since {facts['since']})"
    except (ValueError, KeyError, TypeError):
        return "another builder"


def _write(number: int, data: bytes) -> None:
    """Write the holder of the lock. Ignore a full disk, so that commands that free space still run."""
    with suppress(OSError):
        os.ftruncate(number, 0)
        os.pwrite(number, data, 0)
