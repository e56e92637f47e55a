"""The supervisor's record of one worker, and the reason of its death."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

from builder.engines.worker import OUT_OF_MEMORY_STATUS

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from builder.engines.job import Job
    from builder.engines.shared_status import InProgress

_NEAR_LIMIT = 0.7
"""Share of the memory limit above which a worker's death by a signal counts as lack of memory.

The rest is memory that counts against the limit but is not resident: stacks of threads, data of libraries.
With the smallest limits this is a fifth; a worker that did nothing yet stays below a third.
"""


@dataclass(slots=True, kw_only=True, eq=False)
class WorkerState:
    """The state of one worker; ``pid`` is 0 until the zygote has reported it.

    Attributes:
        function: the function that the worker has, so that it is not sent again.
        late: the unit that exceeded its time limit.
        doomed: whether the worker is to be killed.
        open: whether its socket is open.
        n_bytes: its peak memory so far.
    """

    slot: int
    connection: Connection
    memory_bytes: int | None
    pid: int = 0
    job: Job | None = None
    function: bytes = b""
    late: InProgress | None = None
    doomed: bool = False
    open: bool = True
    n_bytes: int = 0

    def hang_up(self) -> None:
        """Close our end of its socket."""
        self.open = False
        self.connection.close()

    def death_reason(self, status: int) -> str:
        """Return the reason code for the unit that it was in: ``timeout``, ``memory`` or ``crash``."""
        if self.late is not None:
            return "timeout"
        limit = self.memory_bytes
        near = limit is not None and self.n_bytes > _NEAR_LIMIT * limit
        # a SIGKILL that is not ours usually comes from the kernel when memory runs out
        return "memory" if near or status in (-signal.SIGKILL, OUT_OF_MEMORY_STATUS) else "crash"

    def death_detail(self, status: int) -> str:
        """Return in words how it ended."""
        if self.late is not None:
            return f"over {self.late.limit_s:g} s"
        if status < 0:
            return f"signal {-status} ({signal.Signals(-status).name})"
        return f"exit status {status}"
