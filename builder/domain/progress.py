"""Define the callbacks for progress and notices."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """A function that receives the progress of a phase; ``total`` is 0 if it is unknown."""

    def __call__(self, phase: str, *, done: int, total: int, unit: str) -> None:
        """Receive one report."""


def ignore_progress(phase: str, *, done: int, total: int, unit: str) -> None:
    """Discard a report of progress."""


def ignore_notice(notice: str) -> None:
    """Discard a notice."""
