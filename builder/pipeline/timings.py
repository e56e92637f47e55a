"""What a build took: seconds by phase, memory of all processes, room on the disk; for ``run.json`` alone."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from builder.domain.progress import Progress
    from builder.protocols import Engine

_TICKS = "records"
"""The phase that tells how many records were read; it goes beside the others."""


class PhaseTimer:
    """Looks at the clock whenever a build says how far it is, and hands on what it says."""

    def __init__(self, advance: Progress) -> None:
        self._advance = advance
        self._began = self._at = time.monotonic()
        self._phase = "prepare"
        self._seconds: dict[str, float] = {}

    def __call__(self, phase: str, *, done: int, total: int, unit: str) -> None:
        """Hand on; time goes to the phase before until another one says something."""
        if phase not in (_TICKS, self._phase):
            self._turn_to(phase)
        self._advance(phase, done=done, total=total, unit=unit)

    def took(self, engine: Engine, folder: Path) -> dict[str, Any]:
        """Tell what was taken so far; ``folder`` holds all unfinished work."""
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
    """Add up the files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
