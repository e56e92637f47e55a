"""Measure a build: seconds of each phase, memory of all processes, bytes on disk; only for ``run.json``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from builder.domain.progress import Progress
    from builder.protocols import Engine

_TICKS = "records"
"""The phase that reports the number of records read; it runs during the other phases."""


class PhaseTimer:
    """Measures the phases from the progress that a build reports, and forwards the progress."""

    def __init__(self, advance: Progress) -> None:
        self._advance = advance
        self._began = self._at = time.monotonic()
        self._phase = "prepare"
        self._seconds: dict[str, float] = {}

    def __call__(self, phase: str, *, done: int, total: int, unit: str) -> None:
        """Forward the progress; time counts for a phase until another phase reports."""
        if phase not in (_TICKS, self._phase):
            self._turn_to(phase)
        self._advance(phase, done=done, total=total, unit=unit)

    def took(self, engine: Engine, folder: Path) -> dict[str, Any]:
        """Return the measurements up to now; ``folder`` contains all unfinished work."""
        self._turn_to("finish")
        return {
            "seconds": round(time.monotonic() - self._began, 3),
            "phases": {name: round(seconds, 3) for name, seconds in self._seconds.items()},
            "memory_bytes": getattr(engine, "peak_bytes", 0),
            "disk_bytes": size_of(folder),
        }

    def _turn_to(self, phase: str) -> None:
        now = time.monotonic()
        self._seconds[self._phase] = self._seconds.get(self._phase, 0.0) + now - self._at
        self._phase, self._at = phase, now


def size_of(folder: Path) -> int:
    """Return the total size of the files below a folder, in bytes."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
