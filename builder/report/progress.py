"""Progress on stderr: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECONDS_BETWEEN_LINES = 10.0


class Advance(Protocol):
    """What a build calls as it goes on."""

    def __call__(self, phase: str, *, done: int, total: int, unit: str) -> None:
        """Tell how far a phase is; ``total`` is 0 where it is not known."""


@contextmanager
def show_progress(*, quiet: bool = False) -> Iterator[Advance]:
    """Yield the function that shows progress; what it shows goes to stderr only."""
    if quiet:
        yield _say_nothing
    elif sys.stderr.isatty():
        with _bars() as advance:
            yield advance
    else:
        yield _Lines()


def _say_nothing(phase: str, *, done: int, total: int, unit: str) -> None:
    """Show nothing."""


@contextmanager
def _bars() -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TaskID,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description:<10}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[unit]}"),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        tasks: dict[str, tuple[TaskID, float]] = {}

        def advance(phase: str, *, done: int, total: int, unit: str) -> None:
            if phase not in tasks:
                tasks[phase] = (
                    progress.add_task(phase, total=total or None, unit=unit, rate=""),
                    time.monotonic(),
                )
            number, began = tasks[phase]
            rate = done / max(time.monotonic() - began, 1e-9)
            progress.update(number, completed=done, total=total or None, rate=f"{rate:,.0f}/s")

        yield advance


class _Lines:
    """A line when a phase begins, every ten seconds, and when it ends."""

    def __init__(self) -> None:
        self._began: dict[str, float] = {}
        self._said: dict[str, float] = {}

    def __call__(self, phase: str, *, done: int, total: int, unit: str) -> None:
        now = time.monotonic()
        began = self._began.setdefault(phase, now)
        ended = bool(total) and done >= total
        if not ended and now - self._said.get(phase, began) < _SECONDS_BETWEEN_LINES:
            return
        self._said[phase] = now
        of = f" of {total:,}" if total else ""
        rate = f" ({done / (now - began):,.0f}/s)" if now > began else ""
        print(f"{phase}: {done:,}{of} {unit}{rate}", file=sys.stderr, flush=True)
