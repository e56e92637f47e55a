"""Supervises the workers: sends them jobs, kills those over a limit, and retries their jobs."""

from __future__ import annotations

import os
import socket
import time
from collections import deque
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builder.engines.job import MAX_DEATHS, CallResult, Caught, Job, remote_error
from builder.engines.process_memory import data_bytes, private_bytes
from builder.engines.worker import Answer, Call, Ended, Fork, Kill, WorkerStarted
from builder.engines.worker_state import WorkerState
from builder.engines.zygote import Surroundings, hand_on, keeps_idle, zygote_for
from builder.errors import Fault, WorkerDiedError
from builder.protocols import Task

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from builder.engines.shared_status import InProgress

RESUME = "run the same command again to resume"

_ADVICE = (
    "free memory or give more with --max-memory, and run the same command again to resume; "
    "if it happens again, leave this input out and report it as a bug"
)

POLL_S = 0.05
"""Seconds between two checks of the workers."""


class Supervisor:
    """Owns the zygote and its workers. It is not thread-safe.

    Args:
        n_workers: maximum number of workers. They are started when they are needed.
        memory_bytes: memory limit of a worker; no limit if None.
        caught: receives the units that were refused.
        on_tick: called with newly finished records and bytes, about every 50 ms while something runs.
        preload: modules that the zygote imports before it forks workers.
    """

    def __init__(
        self,
        n_workers: int,
        *,
        memory_bytes: int | None,
        caught: list[Caught],
        on_tick: Callable[[int, int], None],
        preload: Sequence[str] = (),
    ) -> None:
        self.n_workers = n_workers
        self._caught, self._on_tick = caught, on_tick
        self._memory_bytes = memory_bytes
        self._owner = os.getpid()
        self._queue: deque[Job] = deque()
        self._checked_at = time.monotonic()
        self.peak_bytes = 0
        self._workers: dict[int, WorkerState] = {}
        self._surroundings = Surroundings.of_now(n_workers, preload)
        self._folder = str(Path.cwd())
        self._zygote = zygote_for(self._surroundings)
        self._shared = self._zygote.shared
        self._connection = Connection(os.dup(self._zygote.control.fileno()))

    # -- what the engine calls

    def submit(self, job: Job) -> None:
        """Queue a job; jobs are sent to workers in the order of submission."""
        self._queue.append(job)

    def pump(self, timeout_s: float = POLL_S) -> None:
        """Send jobs to idle workers, wait for an event, and handle it."""
        self._send_jobs()
        ends = {worker.connection: worker for worker in self._workers.values() if worker.open}
        for ready in wait([self._connection, *ends], timeout_s):
            if ready is self._connection:
                self._handle(self._receive_news())
            elif isinstance(ready, Connection) and ends[ready].open:
                self._receive(ends[ready])
        if time.monotonic() - self._checked_at >= POLL_S:
            self._check_workers()

    def call_alone(self, job: Job, *, memory_bytes: int) -> None:
        """Run one job in a worker of its own, with its own memory limit, without a retry."""
        job.n_deaths = MAX_DEATHS - 1
        slot = self.n_workers
        worker = self._fork(slot, memory_bytes)
        self._send(worker, job)
        while worker.job is job and self._workers.get(slot) is worker:
            self.pump()
        self._kill(worker)
        while self._workers.get(slot) is worker:
            self.pump()

    def retire(self) -> None:
        """End all workers. New ones are started when they are needed.

        An idle worker ends by itself when its socket is closed. A worker that still runs a job is killed, and
        the job is dropped.
        """
        for worker in list(self._workers.values()):
            if worker.job is None:
                worker.hang_up()
            else:
                worker.job = None
                self._kill(worker)
        while self._workers:
            self.pump()

    def abandon(self, results: dict[int, CallResult]) -> None:
        """Drop the jobs that would store their results here, and end the workers that run them."""
        self._queue = deque(job for job in self._queue if job.results is not results)
        for worker in self._workers.values():
            if worker.job is not None and worker.job.results is results:
                worker.job = None
                self._kill(worker)

    def close(self) -> None:
        """End all workers, and the zygote unless it is kept for the next engine.

        In a forked copy of the owner this does nothing.
        """
        if os.getpid() != self._owner:
            return
        started = any(worker.pid for worker in self._workers.values())
        kept = self._retired() and hand_on(self._surroundings, self._zygote)
        for worker in self._workers.values():
            worker.connection.close()
        self._workers.clear()
        self._connection.close()
        if not kept:
            self._zygote.end(kill=not started)

    def _retired(self) -> bool:
        """Drop the jobs and end the workers, if the zygote may be kept; return whether it still runs."""
        if not keeps_idle():
            return False
        self._queue.clear()
        try:
            self.retire()
        except (WorkerDiedError, OSError):
            return False
        return True

    def _receive_news(self) -> WorkerStarted | Ended:
        try:
            news: WorkerStarted | Ended = self._connection.recv()
        except (EOFError, ConnectionError) as error:
            status = self._zygote.process.wait()
            what = f"the process that starts workers ended with status {status}"
            raise WorkerDiedError(Fault(where="", what=what, advice=RESUME)) from error
        return news

    # -- jobs to workers and back

    def _send_jobs(self) -> None:
        for slot in range(self.n_workers):
            if not self._queue:
                return
            worker = self._workers.get(slot) or self._fork(slot, self._memory_bytes)
            if worker.job is None and worker.open and not worker.doomed:
                self._send(worker, self._queue.popleft())

    def _fork(self, slot: int, memory_bytes: int | None) -> WorkerState:
        ours, theirs = socket.socketpair()
        with theirs:
            self._connection.send(Fork(slot=slot, folder=self._folder, memory_bytes=memory_bytes))
            socket.send_fds(self._zygote.control, [b"."], [theirs.fileno()])
        worker = WorkerState(slot=slot, connection=Connection(ours.detach()), memory_bytes=memory_bytes)
        self._workers[slot] = worker
        return worker

    def _send(self, worker: WorkerState, job: Job) -> None:
        self._shared.clear(worker.slot)
        function = b"" if worker.function is job.function else job.function
        worker.job, worker.function = job, job.function
        call = Call(number=job.number, function=function, task=job.payload, refusals=job.refusals)
        with suppress(BrokenPipeError, ConnectionResetError):  # it is dead, and the zygote will report it
            worker.connection.send(call)

    def _receive(self, worker: WorkerState) -> None:
        try:
            answer: Answer = worker.connection.recv()
        except (EOFError, ConnectionError):
            worker.hang_up()
            return
        job, worker.job = worker.job, None
        if job is None:
            return
        if answer.number != job.number:
            what = f"worker {worker.slot} answered call {answer.number}, not {job.number}: this is a bug"
            raise WorkerDiedError(Fault(where="", what=what, advice="report it"))
        self._count(worker, job)
        if not answer.trace:
            job.settle(CallResult(result=answer.result))
        elif not answer.out_of_memory:
            job.settle(CallResult(error=remote_error(answer.error, answer.trace)))
        else:
            self._kill(worker)
            self._try_again(job, self._shared.in_progress(worker.slot), "memory", detail=answer.trace)

    # -- deaths

    def _handle(self, news: WorkerStarted | Ended) -> None:
        """Handle a message of the zygote."""
        if isinstance(news, Ended):
            worker = next((w for w in self._workers.values() if w.pid == news.pid), None)
            if worker is not None:
                # it may have grown between two checks, and died of it
                worker.n_bytes = max(worker.n_bytes, news.peak_bytes)
                self._reap(worker, news.status)
            return
        worker = self._workers[news.slot]
        if not news.pid:
            raise OSError(f"a worker could not be started: {news.error}")
        worker.pid = news.pid
        if worker.doomed:
            self._kill(worker)

    def _reap(self, worker: WorkerState, status: int) -> None:
        while worker.open and worker.connection.poll(0):
            self._receive(worker)
        worker.hang_up()
        del self._workers[worker.slot]
        job, in_progress = worker.job, self._shared.in_progress(worker.slot)
        if job is None:
            return
        late = worker.late
        if late is not None and (in_progress is None or in_progress.entry != late.entry):
            self._queue.appendleft(job)  # the unit was finished just before the kill
            return
        self._try_again(job, in_progress, worker.death_reason(status), detail=worker.death_detail(status))

    def _try_again(self, job: Job, in_progress: InProgress | None, reason: str, *, detail: str) -> None:
        """Queue a job again, or give it up after too many deaths outside of any unit.

        A unit is refused only if it was in progress at two deaths: a worker may be killed from outside, for
        example by the kernel when memory runs out, and the unit that it had in hand is not to blame.
        """
        if in_progress is None:
            job.n_deaths += 1
        elif (unit := (in_progress.stage, in_progress.unit)) in job.suspects:
            job.refusals[unit] = reason
            self._caught.append(
                Caught(task=job.task, stage=unit[0], unit=unit[1], reason=reason, detail=detail)
            )
        else:
            job.suspects.add(unit)
        if job.n_deaths < MAX_DEATHS:
            self._queue.appendleft(job)
            return
        ended = detail.strip().rpartition("\n")[2]  # of a traceback, the error
        what = f"{MAX_DEATHS} workers died while no page was in progress, the last of {reason} ({ended})"
        what += f"; left out before: {job.refusals}" if job.refusals else ""
        error = WorkerDiedError(Fault(where=_name_of(job.task), what=what, advice=_ADVICE))
        job.settle(CallResult(error=error))

    def _count(self, worker: WorkerState, job: Job) -> None:
        """Report the progress of a job; progress from before a worker's death is not reported twice."""
        seen, now = job.ticks, self._shared.ticks(worker.slot)
        job.ticks = (max(seen[0], now[0]), max(seen[1], now[1]))
        if job.ticks != seen:
            self._on_tick(job.ticks[0] - seen[0], job.ticks[1] - seen[1])

    def _kill(self, worker: WorkerState) -> None:
        worker.doomed = True
        if worker.pid:
            with suppress(OSError):  # without a zygote no worker is left
                self._connection.send(Kill(pid=worker.pid))

    def _check_workers(self) -> None:
        """Kill workers that exceed the time limit of their unit, and record their memory."""
        self._checked_at = now = time.monotonic()
        pids = [os.getpid(), *(worker.pid for worker in self._workers.values() if worker.pid)]
        self.peak_bytes = max(self.peak_bytes, sum(map(private_bytes, pids)))
        for worker in self._workers.values():
            if worker.job is None or worker.doomed or not worker.pid:
                continue
            self._count(worker, worker.job)
            if worker.memory_bytes is not None:
                worker.n_bytes = max(worker.n_bytes, data_bytes(worker.pid))
            in_progress = self._shared.in_progress(worker.slot)
            if in_progress is not None and now > in_progress.since_s + in_progress.limit_s:
                worker.late = in_progress
                self._kill(worker)


def _name_of(task: Any) -> str:
    """Return the name of the input of a job; other jobs are shown as they are."""
    for part in task if isinstance(task, tuple) else (task,):
        if isinstance(part, Task):
            return f"{part.source}/{part.name}"
    return f"{task!r:.1000}"
