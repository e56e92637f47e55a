"""Watches the workers: gives them jobs, ends those past a limit, and tries again without what killed them."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections import deque
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING

from builder.engines.job import MAX_DEATHS, CallResult, Caught, Job, WorkerDiedError, remote_error
from builder.engines.process_memory import data_bytes, private_bytes
from builder.engines.worker import Answer, Call, Ended, Fork, Kill, WorkerStarted
from builder.engines.worker_state import WorkerState
from builder.engines.zygote import zygote_for

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from builder.engines.shared_status import InProgress

LOOK_S = 0.05
"""How often workers are looked at."""


class Supervisor:
    """Owns the zygote and its workers; not for use by two threads at once.

    Args:
        n_workers: workers for ``run``; they are started when they are needed.
        memory_bytes: what a worker may allocate; no limit if None.
        caught: where units are noted that were left out.
        on_tick: told how many records and bytes more are done, about every 50 ms while something runs.
        preload: modules that are imported once, before workers are forked.
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
        self._looked_at = time.monotonic()
        self.peak_bytes = 0
        self._workers: dict[int, WorkerState] = {}
        zygote = zygote_for(n_workers, preload)
        self._zygote, self._shared, self._control = zygote.process, zygote.shared, zygote.control
        self._connection = Connection(os.dup(self._control.fileno()))

    # -- what the engine asks for

    def submit(self, job: Job) -> None:
        """Take on a job; those of lower number are given out first."""
        self._queue.append(job)

    def pump(self, timeout_s: float = LOOK_S) -> None:
        """Give out jobs, wait for something to happen, and deal with it."""
        self._give_out()
        ends = {worker.connection: worker for worker in self._workers.values() if worker.open}
        for ready in wait([self._connection, *ends], timeout_s):
            if ready is self._connection:
                self._hear(self._listen())
            elif isinstance(ready, Connection) and ends[ready].open:
                self._receive(ends[ready])
        if time.monotonic() - self._looked_at >= LOOK_S:
            self._look()

    def call_alone(self, job: Job, *, memory_bytes: int) -> None:
        """Run one job in a worker of its own, with a limit of its own; it is not tried again."""
        job.n_deaths = MAX_DEATHS - 1
        slot = self.n_workers
        worker = self._fork(slot, memory_bytes)
        self._send(worker, job)
        while worker.job is job and self._workers.get(slot) is worker:
            self.pump()
        self._doom(worker)
        while self._workers.get(slot) is worker:
            self.pump()

    def retire(self) -> None:
        """End all workers, which have nothing to do: others are started when they are needed."""
        for worker in list(self._workers.values()):
            self._doom(worker)
        while self._workers:
            self.pump()

    def abandon(self, results: dict[int, CallResult]) -> None:
        """Forget the jobs that would hand in here, and end the workers that are at them."""
        self._queue = deque(job for job in self._queue if job.results is not results)
        for worker in self._workers.values():
            if worker.job is not None and worker.job.results is results:
                worker.job = None
                self._doom(worker)

    def close(self) -> None:
        """End all workers and the zygote; a copy of this process that was forked must not."""
        if os.getpid() != self._owner:
            return
        started = any(worker.pid for worker in self._workers.values())
        for worker in self._workers.values():
            worker.connection.close()
        self._workers.clear()
        self._connection.close()
        self._control.close()
        if not started:
            self._zygote.kill()
        try:
            self._zygote.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._zygote.kill()
            self._zygote.wait()
        self._shared.close()

    def _listen(self) -> WorkerStarted | Ended:
        try:
            news: WorkerStarted | Ended = self._connection.recv()
        except (EOFError, ConnectionError) as error:
            status = self._zygote.wait()
            raise WorkerDiedError(f"the process that starts workers ended with status {status}") from error
        return news

    # -- jobs to workers and back

    def _give_out(self) -> None:
        for slot in range(self.n_workers):
            if not self._queue:
                return
            worker = self._workers.get(slot) or self._fork(slot, self._memory_bytes)
            if worker.job is None and worker.open and not worker.doomed:
                self._send(worker, self._queue.popleft())

    def _fork(self, slot: int, memory_bytes: int | None) -> WorkerState:
        ours, theirs = socket.socketpair()
        with theirs:
            self._connection.send(Fork(slot=slot, memory_bytes=memory_bytes))
            socket.send_fds(self._control, [b"."], [theirs.fileno()])
        worker = WorkerState(slot=slot, connection=Connection(ours.detach()), memory_bytes=memory_bytes)
        self._workers[slot] = worker
        return worker

    def _send(self, worker: WorkerState, job: Job) -> None:
        self._shared.clear(worker.slot)
        function = b"" if worker.function is job.function else job.function
        worker.job, worker.function = job, job.function
        call = Call(number=job.number, function=function, task=job.payload, refusals=job.refusals)
        with suppress(BrokenPipeError, ConnectionResetError):  # it is dead: the zygote will say so
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
            raise WorkerDiedError(
                f"worker {worker.slot} answered call {answer.number}, not {job.number}: a bug"
            )
        self._count(worker, job)
        if not answer.trace:
            job.settle(CallResult(result=answer.result))
        elif not answer.out_of_memory:
            job.settle(CallResult(error=remote_error(answer.error, answer.trace)))
        else:
            self._doom(worker)
            self._try_again(job, self._shared.in_progress(worker.slot), "memory", detail=answer.trace)

    # -- deaths

    def _hear(self, news: WorkerStarted | Ended) -> None:
        """Deal with what the zygote tells."""
        if isinstance(news, Ended):
            worker = next((w for w in self._workers.values() if w.pid == news.pid), None)
            if worker is not None:
                # it may have grown, and died of it, between two looks
                worker.n_bytes = max(worker.n_bytes, news.peak_bytes)
                self._reap(worker, news.status)
            return
        worker = self._workers[news.slot]
        if not news.pid:
            raise OSError(f"a worker could not be started: {news.error}")
        worker.pid = news.pid
        if worker.doomed:
            self._doom(worker)

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
            self._queue.appendleft(job)  # it was done just before it was ended: nobody is to blame
            return
        self._try_again(job, in_progress, worker.death_reason(status), detail=worker.death_detail(status))

    def _try_again(self, job: Job, in_progress: InProgress | None, reason: str, *, detail: str) -> None:
        """Queue a job again without the unit that ended its worker; give it up if there is none."""
        if in_progress is not None:
            job.refusals[in_progress.stage, in_progress.unit] = reason
            self._caught.append(
                Caught(
                    task=job.task,
                    stage=in_progress.stage,
                    unit=in_progress.unit,
                    reason=reason,
                    detail=detail,
                )
            )
        else:
            job.n_deaths += 1
        if job.n_deaths < MAX_DEATHS:
            self._queue.appendleft(job)
            return
        before = f" Left out before: {job.refusals}." if job.refusals else ""
        error = WorkerDiedError(
            f"{job.task!r:.1000}: the worker died outside of any guarded unit ({reason}: {detail}).{before} "
            "This is a bug; leave the input out to go on, and report it."
        )
        job.settle(CallResult(error=error))

    def _count(self, worker: WorkerState, job: Job) -> None:
        """Pass on how far a job has come; what was told before a worker died is not told again."""
        seen, now = job.ticks, self._shared.ticks(worker.slot)
        job.ticks = (max(seen[0], now[0]), max(seen[1], now[1]))
        if job.ticks != seen:
            self._on_tick(job.ticks[0] - seen[0], job.ticks[1] - seen[1])

    def _doom(self, worker: WorkerState) -> None:
        worker.doomed = True
        if worker.pid:
            with suppress(OSError):  # without a zygote there is no worker
                self._connection.send(Kill(pid=worker.pid))

    def _look(self) -> None:
        """End workers that have been at one unit for too long; note how big they are."""
        self._looked_at = now = time.monotonic()
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
                self._doom(worker)
