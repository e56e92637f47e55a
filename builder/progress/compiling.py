"""Report that kernels are compiled, so that no command is silent meanwhile.

A kernel is compiled at its first call, in any process, and its machine code goes to the cache folder. So the
number of files there shows the compilation of exactly the kernels that a run needs.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from builder.kernels.jit import cache_folder, is_compiling, needs_compiling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_EVERY_S = 0.5
_SECONDS_BETWEEN_NOTICES = 10.0


@contextmanager
def watch_compiling(say: Callable[[str], None]) -> Iterator[None]:
    """Call ``say`` when kernels are compiled: at the start, every ten seconds, and at the end."""
    folder = cache_folder() if is_compiling() else None
    if folder is None:
        if is_compiling():
            say("compiling kernels in each process, because no folder for machine code can be written")
        yield
        return
    watch = _Watch(folder, say)
    thread = threading.Thread(target=watch.run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        watch.ended.set()
        thread.join()
        watch.finish()


class _Watch:
    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        self._folder, self._say = folder, say
        self._first = self._seen = self._count()
        self._began = self._last = self._said = time.monotonic()
        self.ended = threading.Event()
        self._has_begun = False
        if needs_compiling():
            self._begin()

    def run(self) -> None:
        while not self.ended.wait(_EVERY_S):
            self._look()

    def finish(self) -> None:
        """Report the kernels that were compiled; compilation ended when the last one was stored."""
        self._look()
        if self._seen > self._first:
            n, seconds = self._seen - self._first, max(1, round(self._last - self._began))
            kernels = "1 kernel" if n == 1 else f"{n:,} kernels"
            self._say(f"compiled {kernels} in about {seconds} s; later runs find them in {self._folder}")

    def _look(self) -> None:
        now, n_files = time.monotonic(), self._count()
        if n_files != self._seen:
            if not self._has_begun:
                self._begin()
            self._seen, self._last = n_files, now
            if now - self._said >= _SECONDS_BETWEEN_NOTICES:
                self._said = now
                self._say(f"compiling kernels: {n_files - self._first:,} in {round(now - self._began)} s")

    def _begin(self) -> None:
        self._has_begun, self._said = True, time.monotonic()
        self._say("first run: compiling the kernels that this run needs, once; this can take some minutes")

    def _count(self) -> int:
        return sum(1 for _ in self._folder.glob("*/*.nbc"))
