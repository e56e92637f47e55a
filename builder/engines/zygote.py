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
    from collections.abc import Sequence

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


def processors() -> int:
    """Count the processors that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS
        return os.cpu_count() or 1


_early: dict[tuple[int, tuple[str, ...]], Zygote] = {}


def start_early(n_workers: int, preload: Sequence[str]) -> None:
    """Start a zygote that loads its libraries while this process still loads its own.

    The next engine with the same number of workers and the same preload uses it. Otherwise it ends with this
    process. On one processor an early start would only slow this process down.
    """
    if processors() == 1:
        return
    key = (n_workers, tuple(preload))
    if key not in _early:
        _early[key] = Zygote.start(n_workers + 1, preload)
        atexit.register(_end_early, key)


def zygote_for(n_workers: int, preload: Sequence[str]) -> Zygote:
    """Return the zygote that was started early, or start one; it has one slot more than workers."""
    early = _early.pop((n_workers, tuple(preload)), None)
    return early or Zygote.start(n_workers + 1, preload)


def _end_early(key: tuple[int, tuple[str, ...]]) -> None:
    """End a zygote that no engine has used."""
    if (zygote := _early.pop(key, None)) is not None:
        zygote.process.kill()
        zygote.process.wait()
        zygote.control.close()
        zygote.shared.close()


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
