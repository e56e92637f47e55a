"""End a command on Ctrl-C or SIGTERM within seconds, whatever it is doing.

Python handles a signal between two instructions of the main thread. Compiled code, the compiler of kernels,
and a thread that the main thread waits for can take longer. Therefore a second thread hears of the signal
too, from the C handler, and ends the process if the command has not ended by itself. A commit is safe at any
moment.
"""

from __future__ import annotations

import os
import select
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from builder.report.printer import end_interrupted

if TYPE_CHECKING:
    from collections.abc import Iterator

INTERRUPTED_STATUS = 130

GRACE_S = 3.0
"""Seconds in which an interrupted command may end by itself: remove scratch files, and end its workers."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_DONE = b"\0"


@contextmanager
def interruptible() -> Iterator[None]:
    """Raise KeyboardInterrupt on SIGINT or SIGTERM, and end the process ``GRACE_S`` seconds later.

    A second signal ends the process at once. A signal that the parent process had ignored stays ignored.
    Outside of the main thread, where Python does not allow handlers, this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reads, writes = os.pipe()
    os.set_blocking(writes, False)
    interruption = _Interruption()
    former = {
        one: signal.signal(one, interruption.handle)
        for one in _SIGNALS
        if signal.getsignal(one) not in (signal.SIG_IGN, None)
    }
    former_fd = signal.set_wakeup_fd(writes, warn_on_full_buffer=False)
    watch = threading.Thread(target=_watch, args=(reads,), name="interrupts", daemon=True)
    watch.start()
    try:
        yield
    finally:
        if not interruption.came:
            signal.set_wakeup_fd(former_fd)
            for one, handler in former.items():
                signal.signal(one, handler)
            os.write(writes, _DONE)
            watch.join()
            os.close(reads)
            os.close(writes)


class _Interruption:
    """The handler of the signals; it remembers the first one."""

    def __init__(self) -> None:
        self.came = False

    def handle(self, *_: Any) -> None:
        if self.came:
            end_interrupted(INTERRUPTED_STATUS)
        self.came = True
        raise KeyboardInterrupt


def _watch(reads: int) -> None:
    """End the process some seconds after the first of the signals, unless the command ends before."""
    while True:
        heard = os.read(reads, 64)
        if any(one in heard for one in _SIGNALS):
            select.select([reads], [], [], GRACE_S)
            end_interrupted(INTERRUPTED_STATUS)
        if _DONE in heard:
            return
