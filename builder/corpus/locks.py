"""The lock of a corpus: only one builder writes at a time."""

from __future__ import annotations

import fcntl
import json
import os
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from builder.corpus.opening import file_kind
from builder.errors import CorpusError, Fault, LockedError, TamperedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PAUSE_S = 0.05
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


@contextmanager
def locked(path: Path, *, wait_s: float = 0.0, break_it: bool = False) -> Iterator[Lock]:
    """Lock the file at ``path`` while the body runs; create the file if necessary.

    The system releases a lock when its process ends, so the file of a killed process blocks nobody. The
    contents of the file are for people: the process with the lock, and the time when it took the lock.

    Args:
        wait_s: seconds to wait for another builder.
        break_it: take the lock from a builder on another host, which is lost. The file server may keep the
            lock of a lost host for a long time.

    Raises:
        LockedError: if another builder holds the lock.
    """
    if break_it:
        _break(path)
    number = _acquire(path, deadline=time.monotonic() + wait_s)
    try:
        since = datetime.now(UTC).isoformat(timespec="seconds")
        holder = {"host": os.uname().nodename, "pid": os.getpid(), "since": since}
        _write(number, json.dumps(holder).encode())
        yield Lock(number, path)
    finally:
        _write(number, b"")
        os.close(number)


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock that this process has taken."""

    _number: int
    _path: Path

    def is_held(self) -> bool:
        """Return whether nobody has broken the lock since; then this process must not write any more."""
        return _is_still_there(self._number, self._path)


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
            holder = _read_holder(number)
            os.close(number)
            what = f"{_describe(holder)} works on this corpus"
            where = str(path.parent.parent)
            raise LockedError(Fault(where=where, what=what, advice=_advice_on(holder)))
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


def _break(path: Path) -> None:
    """Delete the file of a lock that another host holds. The next builder creates and locks a new file.

    Raises:
        LockedError: if the holder is on this host, where the system releases the lock of a dead process.
    """
    try:
        number = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return
    try:
        holder = _read_holder(number)
    finally:
        os.close(number)
    if holder is None:
        return
    if _is_here(holder):
        what = f"{_describe(holder)} has the lock, and it is on this machine: its lock is not broken"
        advice = "stop that process, or run the command without --break-lock"
        raise LockedError(Fault(where=str(path.parent.parent), what=what, advice=advice))
    path.unlink(missing_ok=True)


def _read_holder(number: int) -> dict[str, Any] | None:
    """Return what the holder wrote; None if it wrote nothing that can be read."""
    try:
        facts = json.loads(os.pread(number, 1_000, 0))
        return {"host": facts.get("host"), "pid": facts["pid"], "since": facts["since"]}
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _is_here(holder: dict[str, Any]) -> bool:
    return holder["host"] in (None, os.uname().nodename)


def _describe(holder: dict[str, Any] | None) -> str:
    if holder is None:
        return "another builder"
    host = "" if _is_here(holder) else f" on {holder['host']}"
    return f"another builder (process {holder['pid']}{host}, since {holder['since']})"


def _advice_on(holder: dict[str, Any] | None) -> str:
    if holder is None or _is_here(holder):
        return "wait until it ends, or stop it"
    return "wait until it ends, or stop it; if that machine is lost, run `builder build` with --break-lock"


def _write(number: int, data: bytes) -> None:
    """Write the holder of the lock. Ignore a full disk, so that commands that free space still run."""
    with suppress(OSError):
        os.ftruncate(number, 0)
        os.pwrite(number, data, 0)
