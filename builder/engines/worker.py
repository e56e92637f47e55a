"""The processes below the engine: a zygote, which loads the heavy libraries once, and the workers it forks.

Neither imports the program that uses builder, so a script without a ``__main__`` guard, a notebook and a
program on stdin all work. The zygote and all workers end when the engine's end of the socket is closed, for
any reason.
"""

from __future__ import annotations

import importlib
import os
import pickle
import resource
import select
import signal
import socket
import sys
import traceback
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, NoReturn

from builder.engines.guard import WorkerGuard
from builder.engines.job import ADVICE
from builder.engines.shared_status import SharedStatus
from builder.engines.zygote import collect_seldom, start_arrow
from builder.errors import BuilderError, Fault

if TYPE_CHECKING:
    from collections.abc import Sequence

_ALWAYS_PRELOADED = ("numpy", "pyarrow", "pyarrow.compute", "pyarrow.parquet", "pyarrow.ipc")

OUT_OF_MEMORY_STATUS = 71
"""Exit status of a worker that has no memory left to report its MemoryError."""

_CHECK_PARENT_S = 1.0

_MAXRSS_UNIT_BYTES = 1 if sys.platform == "darwin" else 1024


# -- messages between the processes ----------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Fork:
    """Start a worker in a working directory. Its end of the socket follows as a file descriptor."""

    slot: int
    folder: str
    memory_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """Kill a worker, if it still runs."""

    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerStarted:
    """A worker was started; if not, ``pid`` is 0 and ``error`` says why."""

    slot: int
    pid: int
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A worker has ended. ``status`` is its exit status, or minus the number of the signal.

    ``peak_bytes`` is its peak resident memory, including mapped files.
    """

    pid: int
    status: int
    peak_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Call a function on a task. ``function`` is empty if the worker already has it."""

    number: int
    function: bytes
    task: bytes
    refusals: dict[tuple[str, int], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer to a call: a pickled result, or an exception (pickled if possible) with its traceback."""

    number: int
    result: bytes = b""
    error: bytes = b""
    trace: str = ""
    out_of_memory: bool = False


# -- the zygote ------------------------------------------------------------------------------------


def serve(control_fd: int, board_fd: int, n_slots: int, preload: Sequence[str]) -> None:
    """Fork workers on request and report how they end, until the engine has ended."""
    _die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _Zygote(socket.socket(fileno=control_fd), SharedStatus(board_fd, n_slots), preload).run()


class _Zygote:
    def __init__(self, control: socket.socket, shared: SharedStatus, preload: Sequence[str]) -> None:
        self._control, self._shared = control, shared
        self._connection = Connection(os.dup(control.fileno()))
        self._workers: set[int] = set()
        self._parent = os.getppid()
        self._wake = socket.socketpair()
        self._load(preload)

    def _load(self, preload: Sequence[str]) -> None:
        for name in (*_ALWAYS_PRELOADED, *preload):
            importlib.import_module(name)
        start_arrow()
        collect_seldom()

    def run(self) -> None:
        for end in self._wake:
            end.setblocking(False)
        signal.set_wakeup_fd(self._wake[1].fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        try:
            while os.getppid() == self._parent:
                ready, _, _ = select.select([self._control, self._wake[0]], [], [], _CHECK_PARENT_S)
                if self._wake[0] in ready:
                    self._wake[0].recv(4096)
                self._reap()
                if self._control in ready:
                    self._obey(self._connection.recv())
        except (EOFError, ConnectionError):
            pass
        finally:
            signal.set_wakeup_fd(-1)  # the workers' last signals would meet a closed socket
            for pid in self._workers:
                os.kill(pid, signal.SIGKILL)
            for pid in self._workers:
                os.waitpid(pid, 0)  # so that their CPU time is counted to this process

    def _obey(self, order: Fork | Kill) -> None:
        if isinstance(order, Kill):
            if order.pid in self._workers:
                os.kill(order.pid, signal.SIGKILL)
            return
        _, (fd,), _, _ = socket.recv_fds(self._control, 1, 1)
        try:
            pid = os.fork()
        except OSError as error:
            os.close(fd)
            self._connection.send(WorkerStarted(slot=order.slot, pid=0, error=str(error)))
            return
        if pid == 0:
            self._become_worker(fd, order)
        os.close(fd)
        self._workers.add(pid)
        self._connection.send(WorkerStarted(slot=order.slot, pid=pid))

    def _become_worker(self, fd: int, order: Fork) -> NoReturn:
        try:
            _die_with_parent()
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for end in (self._control, self._connection, *self._wake):
                end.close()
            os.chdir(order.folder)
            if order.memory_bytes is not None:
                _limit_memory(order.memory_bytes)
            work(Connection(fd), self._shared, order.slot)
        except MemoryError:
            os._exit(OUT_OF_MEMORY_STATUS)
        except BaseException:  # noqa: BLE001 - the copy of the zygote's stack must not continue
            traceback.print_exc()
            os._exit(1)
        os._exit(0)

    def _reap(self) -> None:
        while self._workers:
            pid, status, used = os.wait4(-1, os.WNOHANG)
            if pid == 0:
                return
            self._workers.discard(pid)
            code, peak_bytes = os.waitstatus_to_exitcode(status), used.ru_maxrss * _MAXRSS_UNIT_BYTES
            self._connection.send(Ended(pid=pid, status=code, peak_bytes=peak_bytes))


def _die_with_parent() -> None:
    """Ask the kernel to kill this process when its parent ends for any reason (Linux only).

    Otherwise a zygote that still loads or compiles would end only when it is done with that.
    """
    if sys.platform == "linux":
        import ctypes

        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def _limit_memory(memory_bytes: int) -> None:
    """Limit the memory of a worker. macOS accepts the limit but does not enforce it."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = memory_bytes if hard == resource.RLIM_INFINITY else min(memory_bytes, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


# -- a worker --------------------------------------------------------------------------------------


def work(connection: Connection, shared: SharedStatus, slot: int) -> None:
    """Answer calls until the engine closes the socket."""
    function: Any = None
    while True:
        try:
            call = connection.recv()
        except (EOFError, ConnectionError):
            return
        answer, function = _answer(call, function, shared, slot)
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.send(answer)


def _answer(call: Call, function: Any, shared: SharedStatus, slot: int) -> tuple[Answer, Any]:
    """Call the function. An exception is sent to the engine with its traceback."""
    try:
        if call.function:
            function = None
            function = _loaded(call.function)
        guard = WorkerGuard(shared, slot, call.refusals)
        result = pickle.dumps(function(_loaded(call.task), guard), protocol=5)
        return Answer(number=call.number, result=result), function
    except BaseException as error:  # noqa: BLE001 - raised again in the engine's process
        return _failed(call.number, error), function


def _loaded(data: bytes) -> Any:
    try:
        return pickle.loads(data)
    except (AttributeError, ImportError, pickle.UnpicklingError) as error:
        what = f"a worker cannot import the function or the task: {error}"
        raise BuilderError(Fault(where="", what=what, advice=ADVICE)) from error


def _failed(number: int, error: BaseException) -> Answer:
    trace = "".join(traceback.format_exception(error))
    try:
        pickled = pickle.dumps(error)
        pickle.loads(pickled)
    except Exception:  # noqa: BLE001 - an exception may hold anything; its text is enough
        pickled = b""
    return Answer(number=number, error=pickled, trace=trace, out_of_memory=isinstance(error, MemoryError))
