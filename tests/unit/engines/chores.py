"""Harmless and harmful functions for workers. Workers import this file by its name."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any


def square(n: int, guard: Any) -> int:
    return n * n


def where(_: int, guard: Any) -> int:
    return os.getpid()


def has_loaded(name: str, guard: Any) -> bool:
    return name in sys.modules


def dawdle(n: int, guard: Any) -> int:
    """Finish later tasks before earlier ones."""
    time.sleep(0.02 * (n % 5 == 0))
    return n


def refuse_seven(n: int, guard: Any) -> int:
    if n == 7:
        raise LookupError("seven is not there")
    return n


class OddError(Exception):
    """An exception that cannot be pickled."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__("odd")


def raise_odd(n: int, guard: Any) -> int:
    raise OddError(1, 2)


def die(how: str) -> None:
    if how == "hang":
        while True:
            time.sleep(0.01)
    elif how == "segfault":
        ctypes.string_at(0)
    elif how == "exit":
        os._exit(3)
    elif how == "memory":
        hold = [bytearray(1 << 20) for _ in range(100_000)]
        raise AssertionError(len(hold))
    elif how == "native memory":
        libc = ctypes.CDLL(None)
        libc.malloc.restype = ctypes.c_void_p
        while place := libc.malloc(ctypes.c_size_t(1 << 20)):
            ctypes.memset(place, 1, 1 << 20)
        os.abort()


@dataclass(frozen=True)
class Reader:
    """A function that reads ten units of each task and keeps finished units on disk. Some units do harm."""

    folder: str
    harm: dict[tuple[int, int], str]
    limit_s: float = 60.0

    def __call__(self, task: int, guard: Any) -> list[str]:
        log = Path(self.folder) / f"{task}"
        done = log.read_text().splitlines() if log.exists() else []
        for unit in range(len(done), 10):
            reason = guard.enter("read", unit, limit_s=self.limit_s)
            if reason is None:
                try:
                    self._harm(task, unit)
                finally:
                    guard.leave()
            done.append(reason or "read")
            guard.tick(1, 100)
            log.write_text("\n".join(done))
        return done

    def _harm(self, task: int, unit: int) -> None:
        how = self.harm.get((task, unit), "")
        if not how.startswith("killed once"):
            die(how)
            return
        seen = Path(self.folder) / f"{task}.{unit}.killed"
        if not seen.exists():
            seen.touch()
            os.kill(os.getpid(), int(how.split()[-1]))


def die_outside(task: int, guard: Any) -> int:
    if task == 3:
        os._exit(5)
    return task


def die_obstinately(task: int, guard: Any) -> int:
    guard.enter("read", 1)
    os._exit(5)


def sleep_for_ever(task: int, guard: Any) -> None:
    time.sleep(1000)


def lie(_: int, guard: Any) -> int:
    print("chatter on stdout")  # noqa: T201
    return 1


def parent_of_worker(_: None, guard: Any) -> int:
    """Return the id of the process that forked this one."""
    return os.getppid()


def kill_parent(_: None, guard: Any) -> None:
    """Kill the process that forked this one, and wait to be killed with it."""
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(1000)


def worker_pid(_: int, guard: Any) -> int:
    """Return the id of this process."""
    return os.getpid()


def hold(n_bytes: int, guard: Any) -> int:
    """Allocate memory for a moment, and return its size in bytes."""
    return len(bytearray(n_bytes))


@dataclass(frozen=True)
class Echo:
    """A function that returns a value of its own, and its task."""

    value: str

    def __call__(self, task: str, guard: Any) -> list[str]:
        return [self.value, task]


@dataclass(frozen=True)
class Complain:
    """A function whose exception holds a value of its own."""

    value: str

    def __call__(self, task: int, guard: Any) -> None:
        raise ValueError(f"cannot open {self.value}")
