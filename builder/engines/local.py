"""The engine of one machine: this process, and workers below it that can be lost without loss."""

from __future__ import annotations

import os
import time
import weakref
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

from builder.engines.guard import NullGuard
from builder.engines.job import CallResult, Caught, Job, pickled
from builder.engines.process_memory import private_bytes
from builder.engines.supervisor import Supervisor
from builder.engines.zygote import processors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from types import TracebackType

    from builder.protocols import Guard

_T = TypeVar("_T")
_R = TypeVar("_R")

LOOK_AHEAD = 64
"""Tasks that may be given out beyond the first whose result is not there yet."""

PATIENCE_S = 0.3
"""Where no workers were started yet, a trusted map begins in this process, for no longer than this."""


RESERVED_BYTES = 200_000_000
"""What the leading process and the one that forks workers take of the memory of all."""


class LocalEngine:
    """Runs functions over tasks in worker processes, in the order of the tasks.

    Workers are forked by a small process that has loaded the heavy libraries, never by the program that uses
    builder. They are sent functions and tasks, never data. An untrusted function always runs in them:
    when a unit that it entered hangs, dies or takes too much memory, its worker is ended, and the function is
    called on the same task again, where ``guard.enter`` refuses that unit. So a function that keeps its
    finished parts on disk goes on where it was.

    Args:
        workers: how many; by default as many as this process may use processors.
        memory_bytes: what each worker may allocate (not heeded by macOS); no limit if None.
        on_progress: called with the records and bytes done since the last call, as functions tell by
            ``guard.tick``; about every 50 ms while a map waits. One that is called again on a task ticks
            from the task's beginning, finished parts included: nothing is counted twice.
        preload: modules that all workers need; they are imported once, before workers are forked.

    Attributes:
        caught: every unit that only the net caught.
    """

    def __init__(
        self,
        *,
        workers: int | None = None,
        memory_bytes: int | None = None,
        on_progress: Callable[[int, int], None] | None = None,
        preload: Sequence[str] = (),
    ) -> None:
        self.workers = workers or processors()
        self.caught: list[Caught] = []
        self._memory_bytes = memory_bytes
        self._on_tick = on_progress or _ignore
        self._preload = preload
        self._supervisor: Supervisor | None = None
        self._finalizer: weakref.finalize[..., LocalEngine] | None = None

    @property
    def peak_bytes(self) -> int:
        """The most memory that this process and its workers were seen to hold, mapped files left out."""
        seen = self._supervisor.peak_bytes if self._supervisor else 0
        return max(seen, private_bytes(os.getpid()))

    def start(self) -> None:
        """Let the process that forks workers load its libraries while this one does something else."""
        self._started()

    def map(
        self, function: Callable[[_T, Guard], _R], tasks: Iterable[_T], *, untrusted: bool = False
    ) -> Iterator[_R]:
        """Yield results in the order of the tasks.

        A trusted map with one worker, or one that is done in a moment before workers were started, runs in
        this process. Leaving the iteration early ends the workers that are at it.

        Args:
            function: a module-level function or a value with ``__call__``, to be pickled.

        Raises:
            Exception: what the function raised, in its turn, with the worker's traceback as a note.
            WorkerDiedError: if a task has ended its workers and no unit can be left out.
        """
        rest = iter(tasks)
        if not untrusted:
            yield from self._map_here(function, rest)
        first = next(rest, _NOTHING)
        if first is not _NOTHING:
            yield from self._map_in_workers(function, chain([first], rest))

    def alone(self, function: Callable[[_T, Guard], _R], task: _T) -> _R:
        """Call a trusted function while nothing else runs, with the memory of all workers together.

        Raises:
            WorkerDiedError: if that is not enough, or if the worker dies of something else.
        """
        if self.workers == 1 or self._memory_bytes is None:
            (result,) = self.map(function, [task])
            return result
        results: dict[int, CallResult] = {}
        total = self._memory_bytes * self.workers
        supervisor = self._started()
        supervisor.retire()
        job = _job(0, pickled(function), task, results)
        supervisor.call_alone(job, memory_bytes=max(total - RESERVED_BYTES, total // 2))
        answer: _R = results[0].get()
        return answer

    def close(self) -> None:
        """End the workers."""
        if self._finalizer is not None:
            self._finalizer()
        self._supervisor = self._finalizer = None

    def __enter__(self) -> LocalEngine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _map_here(self, function: Callable[[_T, Guard], _R], rest: Iterator[_T]) -> Iterator[_R]:
        guard = NullGuard(self._on_tick)
        spent_s = 0.0
        while self.workers == 1 or (self._supervisor is None and spent_s < PATIENCE_S):
            task = next(rest, _NOTHING)
            if task is _NOTHING:
                return
            began = time.monotonic()
            result = function(task, guard)
            spent_s += time.monotonic() - began
            yield result

    def _map_in_workers(self, function: Callable[[_T, Guard], _R], rest: Iterator[_T]) -> Iterator[_R]:
        supervisor = self._started()
        results: dict[int, CallResult] = {}
        payload = pickled(function)
        n_given = n_taken = 0
        more = True
        try:
            while more or n_taken < n_given:
                while more and n_given < n_taken + LOOK_AHEAD:
                    task = next(rest, _NOTHING)
                    more = task is not _NOTHING
                    if more:
                        supervisor.submit(_job(n_given, payload, task, results))
                        n_given += 1
                if n_taken in results:
                    outcome = results.pop(n_taken)
                    n_taken += 1
                    yield outcome.get()
                elif n_taken < n_given:
                    supervisor.pump()
        finally:
            supervisor.abandon(results)

    def _started(self) -> Supervisor:
        if self._supervisor is None:
            self._supervisor = Supervisor(
                self.workers,
                memory_bytes=self._memory_bytes,
                caught=self.caught,
                on_tick=self._on_tick,
                preload=self._preload,
            )
            self._finalizer = weakref.finalize(self, self._supervisor.close)
        return self._supervisor


def _ignore(n_records: int, n_bytes: int) -> None:
    """Show no progress."""


def _job(number: int, function: bytes, task: Any, results: dict[int, CallResult]) -> Job:
    return Job(number=number, function=function, task=task, payload=pickled(task), results=results)


_NOTHING: Any = object()
