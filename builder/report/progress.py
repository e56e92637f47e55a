"""Progress on stderr: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from builder.domain.progress import ignore_progress
from builder.domain.visible import visible
from builder.report.compiling import watch_compiling
from builder.report.phases import BUILD_PHASES, Phases
from builder.report.printer import print_notice
from builder.report.table import size_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from builder.domain.progress import Progress

_SECONDS_BETWEEN_LINES = 10.0
_SECONDS_WITHOUT_RATE = 0.5
_SINGULAR = {"batches": "batch"}
_ALL = "all"
"""The name of the row with the estimate over all phases."""


def say(text: str) -> None:
    """Print a notice before the work begins."""
    print_notice(text)


@contextmanager
def show_progress(
    *, phases: Mapping[str, float] | None = None, compiles: bool = False, only_bars: bool = False
) -> Iterator[Progress]:
    """Yield a function that shows progress on stderr.

    Args:
        phases: the shares of the phases in the time, for one estimate over all of them. Default: no estimate.
        compiles: whether the work runs kernels, so that the first run compiles them.
        only_bars: whether to print nothing without a terminal, because the work is short.
    """
    with ExitStack() as stack:
        if not sys.stderr.isatty():
            if compiles:
                stack.enter_context(watch_compiling(print_notice))
            yield ignore_progress if only_bars else _Lines(Phases(phases or {}))
            return
        bars = stack.enter_context(_bars(Phases(phases or {})))
        if compiles:
            stack.enter_context(watch_compiling(bars.note))
        yield bars


@contextmanager
def show_build_progress() -> Iterator[Progress]:
    """Yield a function that shows the progress of a build, with one estimate over all phases."""
    with show_progress(phases=BUILD_PHASES, compiles=True) as advance:
        yield advance


@contextmanager
def _bars(phases: Phases) -> Iterator[_Bars]:
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
        yield _Bars(rows, phases)


class _Bars:
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
        elapsed_s = self._phases.elapsed_s
        if not total and self._phases:
            self._rows.update(self._tasks[_ALL][0], amount=_amount(done, total, unit))
            self._rows.update(self._tasks[_ALL][0], rate=_rate(done, unit, elapsed_s=elapsed_s))
            return
        if phase not in self._tasks:
            self._end(self._running)
            self._tasks[phase] = self._row(phase), time.monotonic()
        self._running = phase
        number, began = self._tasks[phase]
        rate = _rate(done, unit, elapsed_s=time.monotonic() - began)
        amount = _amount(done, total, unit)
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


class _Lines:
    """Prints a line when a phase begins, every ten seconds, and when it ends."""

    def __init__(self, phases: Phases) -> None:
        self._phases = phases
        self._began: dict[str, float] = {}
        self._said: dict[str, float] = {}

    def __call__(self, phase: str, *, done: int, total: int, unit: str) -> None:
        now = time.monotonic()
        began = self._began.setdefault(phase, now)
        ended = bool(total) and done >= total
        if self._phases and total:
            self._phases.advance(phase, done=done, total=total)
        if not ended and now - self._said.get(phase, began) < _SECONDS_BETWEEN_LINES:
            return
        self._said[phase] = now
        rate = _rate(done, unit, elapsed_s=now - began)
        left = self._phases.left() if self._phases and not ended else ""
        print_notice(
            ", ".join(part for part in (f"{phase}: {_amount(done, total, unit)}", rate, left) if part)
        )


def _amount(done: int, total: int, unit: str) -> str:
    """Format how much is done.

    >>> _amount(3, 8, "shards"), _amount(1, 1, "shards"), _amount(1200, 87_242, "bytes")
    ('3 of 8 shards', '1 shard', '1.2 kB of 87.2 kB')
    """
    if unit == "bytes":
        return size_text(done) + (f" of {size_text(total)}" if total else "")
    name = _SINGULAR.get(unit, unit.removesuffix("s")) if (total or done) == 1 else unit
    return f"{done:,} of {total:,} {name}" if done < total else f"{done:,} {name}"


def _rate(done: int, unit: str, *, elapsed_s: float) -> str:
    """Format the rate of records, bytes or rows; empty before half a second has passed."""
    if unit not in ("bytes", "records", "rows") or elapsed_s < _SECONDS_WITHOUT_RATE:
        return ""
    rate = int(done / elapsed_s)
    return f"{size_text(rate)}/s" if unit == "bytes" else f"{rate:,}/s"
