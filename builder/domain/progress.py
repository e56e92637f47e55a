"""How long work says how far it is."""

from __future__ import annotations

from typing import Protocol


class Advance(Protocol):
    """Told how far a phase is; ``total`` is 0 where it is not known."""

    def __call__(self, phase: str, *, done: int, total: int, unit: str) -> None:
        """Take notice."""


def say_nothing(phase: str, *, done: int, total: int, unit: str) -> None:
    """Take no notice."""


def keep_still(notice: str) -> None:
    """Take no notice of this either."""
