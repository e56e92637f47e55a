"""Progress on stderr: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from builder.domain.progress import Progress, ignore_progress
from builder.report.printer import print_notice
from builder.report.table import size_text

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECONDS_BETWEEN_LINES = 10.0
_SECONDS_WITHOUT_RATE = 0.5
_SINGULAR = {"batches": "batch"}


def say_if_compiling() -> None:
    """Print a notice if the first run will take longer because kernels are compiled."""
    from builder.kernels.jit import needs_compiling

    if needs_compiling():
        print_notice("first run: compiling kernels, this takes some seconds once")


def say(text: str) -> None:
    """Print a notice before the work begins."""
    print_notice(text)


@contextmanager
def show_progress(*, quiet: bool = False) -> Iterator[Progress]:
    """Yield a function that shows progress on stderr."""
    if quiet:
        yield ignore_progress
    elif sys.stderr.isatty():
        with _bars() as advance:
            yield advance
    else:
        yield _Lines()


@contextmanager
def _bars() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskID,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description:<10}"),
        BarColumn(),
        TextColumn("{task.fields[amount]}"),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        tasks: dict[str, tuple[TaskID, float]] = {}

        def advance(phase: str, *, done: int, total: int, unit: str) -> None:
            if phase not in tasks:
                number = progress.add_task(phase, total=total or None, amount="", rate="")
                tasks[phase] = (number, time.monotonic())
            number, began = tasks[phase]
            progress.update(
                number,
                completed=done,
                total=total or None,
                amount=_amount(done, total, unit),
                rate=_rate(done, unit, elapsed_s=time.monotonic() - began),
            )

        yield advance


class _Lines:
    """Prints a line when a phase begins, every ten seconds, and when it ends."""

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
        rate = _rate(done, unit, elapsed_s=now - began)
        line = f"{phase}: {_amount(done, total, unit)}" + (f", {rate}" if rate else "")
        print_notice(line)


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
