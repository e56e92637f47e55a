"""The guards that functions get: one watches nothing, one notes each unit for the supervisor."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from builder.engines.shared_status import SharedStatus


class NullGuard:
    """The guard of code that runs in this process: nothing is noted and nothing is refused."""

    def __init__(self, on_tick: Callable[[int, int], None] | None = None) -> None:
        self._on_tick = on_tick

    def enter(self, stage: str, unit: int, *, limit_s: float = 60.0) -> str | None:  # noqa: ARG002
        """Let everything pass."""
        return None

    def leave(self) -> None:
        """Do nothing."""

    def tick(self, n_records: int, n_bytes: int) -> None:
        """Say how much more of the task is done."""
        if self._on_tick is not None:
            self._on_tick(n_records, n_bytes)


class WorkerGuard:
    """The guard inside a worker.

    Args:
        refusals: (stage, unit) of this task that have killed or hung a worker before -> why.
    """

    def __init__(self, shared: SharedStatus, slot: int, refusals: Mapping[tuple[str, int], str]) -> None:
        self._shared, self._slot, self._refusals = shared, slot, refusals

    def enter(self, stage: str, unit: int, *, limit_s: float = 60.0) -> str | None:
        """Note what is touched next, or say why it must not be."""
        reason = self._refusals.get((stage, unit)) if self._refusals else None
        if reason is None:
            self._shared.enter(self._slot, stage=stage, unit=unit, limit_s=limit_s, now_s=time.monotonic())
        return reason

    def leave(self) -> None:
        """Say that it is over; called for want of memory, the unit stays noted, to be blamed."""
        if not isinstance(sys.exc_info()[1], MemoryError):
            self._shared.leave(self._slot)

    def tick(self, n_records: int, n_bytes: int) -> None:
        """Say how much more of the task is done."""
        self._shared.tick(self._slot, n_records, n_bytes)
