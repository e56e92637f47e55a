"""The engine of one machine: this process and worker processes that may die without loss of data."""

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
"""Maximum number of tasks to submit beyond the first one without a result."""

IN_PROCESS_S = 0.3
"""Seconds that a trusted map runs in this process before it starts workers."""


RESERVED_BYTES = 200_000_000
"""Memory of the main process and of the zygote, subtracted from the limit of all workers."""


class LocalEngine:
    """Runs functions over tasks in worker processes, in the order of the tasks.

    The zygote, a small process that has loaded the heavy libraries, forks the workers; the program that uses
    builder never does. Workers receive functions and tasks, never data. An untrusted function always runs in
    a worker. If the worker hangs, dies or runs out of memory in a unit that it entered, the engine kills it
    and calls the function on the same task again. After the second death in the same unit, ``guard.enter``
    refuses it. So a function that keeps its finished parts on disk resumes where it was.

    Args:
        workers: number of workers. Default: the number of processors that this process may use.
        memory_bytes: memory limit of each worker (not enforced on macOS); no limit if None.
        on_progress: called about every 50 ms with the records and bytes finished since the last call, as
            functions report by ``guard.tick``. A function that is called again on a task reports from the
            task's start, including finished parts; nothing is counted twice.
        preload: modules that all workers need. The zygote imports them once, before it forks workers.

    Attributes:
        caught: every unit that was refused.
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
    def threads(self) -> int:
        """Number of threads that a task may use while no other one runs."""
        return self.workers

    def facts(self) -> dict[str, Any]:
        """Return what ``run.json`` records about the engine."""
        return {"engine": "local", "workers": self.workers}

    @property
    def peak_bytes(self) -> int:
        """Peak memory of this process and its workers, without mapped files."""
        seen = self._supervisor.peak_bytes if self._supervisor else 0
        return max(seen, private_bytes(os.getpid()))

    def start(self) -> None:
        """Start the zygote, which loads its libraries while this process does something else."""
        self._started()

    def map(
        self, function: Callable[[_T, Guard], _R], tasks: Iterable[_T], *, untrusted: bool = False
    ) -> Iterator[_R]:
        """Yield results in the order of the tasks.

        A trusted map runs in this process if there is one worker, or if it finishes before workers are
        started. If the caller stops iterating early, the engine ends the workers that run its tasks.

        Args:
            function: a module-level function or a picklable value with ``__call__``.

        Raises:
            Exception: whatever the function raised, with the worker's traceback as a note.
            WorkerDiedError: if workers died repeatedly outside of any unit of a task.
        """
        rest = iter(tasks)
        if not untrusted:
            yield from self._map_here(function, rest)
        first = next(rest, _NOTHING)
        if first is not _NOTHING:
            yield from self._map_in_workers(function, chain([first], rest))

    def alone(self, function: Callable[[_T, Guard], _R], task: _T) -> _R:
        """Call a trusted function while nothing else runs, with the memory limit of all workers together.

        Raises:
            WorkerDiedError: if the worker dies.
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
        while self.workers == 1 or (self._supervisor is None and spent_s < IN_PROCESS_S):
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
    """Ignore progress."""


def _job(number: int, function: bytes, task: Any, results: dict[int, CallResult]) -> Job:
    return Job(number=number, function=function, task=task, payload=pickled(task), results=results)


_NOTHING: Any = object()
