"""Bars on a terminal: one for each phase, and one over all phases."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from builder.domain.visible import visible
from builder.progress.amounts import amount_text, rate_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from builder.progress.phases import Phases

_ALL = "all"
"""The name of the row with the estimate over all phases."""


@contextmanager
def show_bars(phases: Phases) -> Iterator[Bars]:
    """Yield a function that shows progress as bars on stderr; they vanish at the end."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Rows

    columns = (
        TextColumn("{task.description:<10}"),
        BarColumn(),
        TextColumn("{task.fields[amount]}"),
        TextColumn("{task.fields[rate]}"),
        TextColumn("{task.fields[left]}"),
    )
    with Rows(*columns, console=Console(stderr=True), transient=True) as rows:
        yield Bars(rows, phases)


class Bars:
    """A bar for each phase, and one over all phases with the time left.

    A phase ends when the next one begins. The number of records has no total, so it has no bar: it is shown
    in the row over all phases.
    """

    def __init__(self, rows: Any, phases: Phases) -> None:
        self._rows, self._phases = rows, phases
        self._tasks: dict[str, tuple[Any, float]] = {}
        self._running = ""
        if phases:
            self._tasks[_ALL] = self._row(_ALL), time.monotonic()

    def __call__(self, phase: str, *, done: int, total: int, unit: str) -> None:
        """Show a report in the bar of its phase."""
        elapsed_s = self._phases.elapsed_s
        if not total and self._phases:
            self._rows.update(self._tasks[_ALL][0], amount=amount_text(done, total, unit))
            self._rows.update(self._tasks[_ALL][0], rate=rate_text(done, unit, elapsed_s=elapsed_s))
            return
        if phase not in self._tasks:
            self._end(self._running)
            self._tasks[phase] = self._row(phase), time.monotonic()
        self._running = phase
        number, began = self._tasks[phase]
        rate = rate_text(done, unit, elapsed_s=time.monotonic() - began)
        amount = amount_text(done, total, unit)
        self._rows.update(number, completed=done, total=total or None, amount=amount, rate=rate)
        if self._phases:
            share = self._phases.advance(phase, done=done, total=total)
            self._rows.update(self._tasks[_ALL][0], completed=share, total=1.0, left=self._phases.left())

    def note(self, text: str) -> None:
        """Print a line above the bars."""
        self._rows.console.print(visible(text), markup=False, highlight=False)

    def _row(self, name: str) -> Any:
        return self._rows.add_task(name, total=1.0 if name == _ALL else None, amount="", rate="", left="")

    def _end(self, phase: str) -> None:
        if phase in self._tasks:
            number = self._tasks[phase][0]
            task = next(task for task in self._rows.tasks if task.id == number)
            self._rows.update(number, completed=task.completed, total=task.completed or 1)
