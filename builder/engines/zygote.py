"""Start the zygote: the process that loads the heavy libraries once and forks the workers."""

from __future__ import annotations

import atexit
import gc
import json
import os
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from builder.engines.absent import absent
from builder.engines.shared_status import SharedStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_BOOT = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from builder.engines.worker import serve
serve(*map(int, sys.argv[2:5]), sys.argv[5:])
"""

_ENVIRONMENT = {
    # mimalloc reserves a gigabyte at once, which would count against the memory limit of a worker
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    # threads that a library starts on import do not exist in a fork
    "OPENBLAS_NUM_THREADS": "1",
}


_END_S = 2.0
"""Seconds for a zygote to end its workers and itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Zygote:
    """The running process, our end of its socket, and the status that its workers write to.

    It ends when the socket is closed for any reason.
    """

    process: subprocess.Popen[bytes]
    control: socket.socket
    shared: SharedStatus

    @classmethod
    def start(cls, n_slots: int, preload: Sequence[str]) -> Zygote:
        """Start it in its own session, so that Ctrl-C on the terminal reaches only the engine.

        Args:
            n_slots: maximum number of workers at a time.
            preload: modules to import before it forks workers.
        """
        with tempfile.TemporaryFile() as file:
            shared = SharedStatus(file.fileno(), n_slots)
            ours, theirs = socket.socketpair()
            fds = (theirs.fileno(), file.fileno())
            with theirs:
                process = subprocess.Popen(
                    [
                        sys.executable,
                        "-c",
                        _BOOT,
                        json.dumps(sys.path),
                        *map(str, fds),
                        str(n_slots),
                        *preload,
                    ],
                    pass_fds=fds,
                    stdin=subprocess.DEVNULL,
                    stdout=2,  # what a worker prints must not mix with the output of the command
                    env={**os.environ, **_ENVIRONMENT},
                    start_new_session=True,
                )
        return cls(process=process, control=ours, shared=shared)

    def end(self, *, kill: bool) -> None:
        """Close the socket and let the process end its workers and itself; or kill it at once."""
        self.control.close()
        if kill:
            self.process.kill()
        try:
            self.process.wait(timeout=_END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.shared.close()


def processors() -> int:
    """Count the processors that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS
        return os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a zygote takes from this process when it starts, and could not change later.

    The working directory is not part of it: each worker gets that of the engine when it is forked.
    """

    n_workers: int
    preload: tuple[str, ...]
    path: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]

    @classmethod
    def of_now(cls, n_workers: int, preload: Sequence[str]) -> Surroundings:
        """Return the present import path and environment."""
        ignored = _ignored or ()
        modules = (*preload, *_also_loaded)
        environment = tuple(sorted(item for item in os.environ.items() if item[0] not in ignored))
        return cls(n_workers, modules, tuple(sys.path), environment)


_idle: dict[Surroundings, Zygote] = {}
_ignored: frozenset[str] | None = None
_also_loaded: tuple[str, ...] = ()


def keep_idle(*, ignored: Iterable[str] = (), preload: Sequence[str] = ()) -> None:
    """Let engines of this process hand their zygote on, instead of ending it.

    This saves more than a second of processor time for each engine of a process that runs many small builds,
    such as the tests. It costs the memory of the loaded libraries while no engine runs.

    Args:
        ignored: environment variables that may differ between two engines of the same zygote.
        preload: modules that each zygote imports besides those of its engine.
    """
    global _ignored, _also_loaded
    _also_loaded = tuple(preload)
    _ignored = frozenset(ignored)


def start_early(n_workers: int, preload: Sequence[str]) -> None:
    """Start a zygote that loads its libraries while this process still loads its own.

    The next engine with the same surroundings uses it. Otherwise it ends with this process. On one processor
    an early start would only slow this process down.
    """
    if processors() == 1:
        return
    surroundings = Surroundings.of_now(n_workers, preload)
    if surroundings not in _idle:
        _store_idle(surroundings, Zygote.start(n_workers + 1, surroundings.preload))


def zygote_for(surroundings: Surroundings) -> Zygote:
    """Return an idle zygote, or start one; it has one slot more than workers."""
    idle = _idle.pop(surroundings, None)
    return idle or Zygote.start(surroundings.n_workers + 1, surroundings.preload)


def keeps_idle() -> bool:
    """Return whether `keep_idle` was called."""
    return _ignored is not None


def hand_on(surroundings: Surroundings, zygote: Zygote) -> bool:
    """Keep a zygote without workers for the next engine with the same surroundings, unless there is one."""
    if surroundings in _idle:
        return False
    _store_idle(surroundings, zygote)
    return True


def _store_idle(surroundings: Surroundings, zygote: Zygote) -> None:
    _idle[surroundings] = zygote
    atexit.register(_end_idle, surroundings)


def _end_idle(surroundings: Surroundings) -> None:
    """End a zygote that no engine has used, or that all engines have handed on."""
    if (zygote := _idle.pop(surroundings, None)) is not None:
        zygote.end(kill=not keeps_idle())


def collect_seldom() -> None:
    """Exclude existing objects from garbage collection, and collect less often.

    Batches create millions of objects without reference cycles. Scanning them takes a twentieth of the time
    of a build.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)


def start_arrow() -> None:
    """Hide pandas while pyarrow looks for it, before the first array is made from Python values.

    Importing pandas takes a fifth of a second, and only pandas objects need it. A later import of pandas
    works, and pyarrow recognises its objects from the first ``to_pandas`` on.
    """
    import pyarrow as pa

    with absent("pandas"):
        pa.array([0])
