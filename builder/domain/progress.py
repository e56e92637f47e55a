"""How long work says how far it is."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told how far a phase is; ``total`` is 0 where it is not known."""

    def __call__(self, phase: str, *, done: int, total: int, unit: str) -> None:
        """Take notice."""


def ignore_progress(phase: str, *, done: int, total: int, unit: str) -> None:
    """Take no notice."""


def ignore_notice(notice: str) -> None:
    """Take no notice of this either."""
