"""Estimate the time left over all phases of a build."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

BUILD_PHASES = {"hash": 0.02, "read": 0.68, "resolve": 0.10, "settle": 0.04, "write": 0.14, "ledger": 0.02}
"""Approximate shares of the phases in the time of a build; they only scale the estimate. ``run.json`` has the
seconds of each phase."""

_MIN_SHARE = 0.03
"""Share of the work before which the time left is not estimated."""


class Phases:
    """Tracks how much of all phases is done.

    A phase that was left out counts as done when a later one begins.

    Args:
        shares: the share of each phase in the time, in the order of the phases.
    """

    def __init__(self, shares: Mapping[str, float]) -> None:
        self._shares = shares
        self._done = 0.0
        self._began = time.monotonic()

    def __bool__(self) -> bool:
        return bool(self._shares)

    @property
    def elapsed_s(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._began

    def advance(self, phase: str, *, done: int, total: int) -> float:
        """Return the share of all phases that is done; it never falls.

        >>> phases = Phases({"read": 0.75, "write": 0.25})
        >>> phases.advance("read", done=1, total=3), phases.advance("write", done=1, total=2)
        (0.25, 0.875)
        >>> phases.advance("read", done=3, total=3), phases.advance("other", done=1, total=2)
        (0.875, 0.875)
        """
        if phase in self._shares:
            names = list(self._shares)
            before = sum(self._shares[name] for name in names[: names.index(phase)])
            self._done = max(self._done, before + self._shares[phase] * done / max(total, 1))
        return self._done

    def left(self) -> str:
        """Return the time left; empty while too little is done for an estimate."""
        if self._done < _MIN_SHARE:
            return ""
        return f"about {duration_text(self.elapsed_s * (1 - self._done) / self._done)} left"


def duration_text(seconds: float) -> str:
    """Format a duration.

    >>> duration_text(0.2), duration_text(59.4), duration_text(61), duration_text(7_300)
    ('1 s', '59 s', '1 min 1 s', '2 h 1 min')
    """
    n = max(1, round(seconds))
    if n < 60:
        return f"{n} s"
    return f"{n // 60} min {n % 60} s" if n < 3_600 else f"{n // 3_600} h {n % 3_600 // 60} min"
