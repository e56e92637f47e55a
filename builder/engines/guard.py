"""The guards passed to functions: one does nothing, one records each unit of work for the supervisor."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from builder.protocols import RefusedUnit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from builder.engines.shared_status import SharedStatus


class NullGuard:
    """The guard of code that runs in this process: it records nothing and refuses nothing."""

    def __init__(self, on_tick: Callable[[int, int], None] | None = None) -> None:
        self._on_tick = on_tick

    def enter(self, stage: str, unit: int, *, limit_s: float = 60.0) -> str | None:  # noqa: ARG002
        """Return None: every unit may run."""
        return None

    def leave(self) -> None:
        """Do nothing."""

    def take_refused(self) -> list[RefusedUnit]:
        """Return an empty list: this guard refuses nothing."""
        return []

    def tick(self, n_records: int, n_bytes: int) -> None:
        """Report more finished records and bytes of the task."""
        if self._on_tick is not None:
            self._on_tick(n_records, n_bytes)


class WorkerGuard:
    """The guard inside a worker.

    Args:
        refusals: (stage, unit) of this task in which two workers died or hung -> the reason.
    """

    def __init__(self, shared: SharedStatus, slot: int, refusals: Mapping[tuple[str, int], str]) -> None:
        self._shared, self._slot, self._refusals = shared, slot, refusals
        self._refused: list[RefusedUnit] = []
        self._open: list[tuple[str, int, float, float]] = []

    def enter(self, stage: str, unit: int, *, limit_s: float = 60.0) -> str | None:
        """Record the unit of work that starts now, or return the reason why it is refused."""
        reason = self._refusals.get((stage, unit)) if self._refusals else None
        if reason is None:
            self._open.append((stage, unit, limit_s, time.monotonic()))
            self._record()
        else:
            self._refused.append(RefusedUnit(stage=stage, unit=unit, reason=reason))
        return reason

    def take_refused(self) -> list[RefusedUnit]:
        """Return the units refused since the last call."""
        refused, self._refused = self._refused, []
        return refused

    def leave(self) -> None:
        """Record that the unit is finished, and the unit around it continues.

        After a MemoryError the unit stays recorded, as a suspect.
        """
        if isinstance(sys.exc_info()[1], MemoryError):
            return
        if self._open:
            self._open.pop()
        self._record()

    def _record(self) -> None:
        if not self._open:
            self._shared.leave(self._slot)
            return
        stage, unit, limit_s, since_s = self._open[-1]
        self._shared.enter(self._slot, stage=stage, unit=unit, limit_s=limit_s, now_s=since_s)

    def tick(self, n_records: int, n_bytes: int) -> None:
        """Report more finished records and bytes of the task."""
        self._shared.tick(self._slot, n_records, n_bytes)
