"""Progress of commands on stderr: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from builder.domain.progress import ignore_progress
from builder.progress.amounts import amount_text, rate_text
from builder.progress.compiling import watch_compiling
from builder.progress.phases import BUILD_PHASES, Phases
from builder.progress.shown import is_terminal
from builder.progress.terminal import show_bars
from builder.report.printer import print_notice

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from builder.domain.progress import Progress

_SECONDS_BETWEEN_LINES = 10.0


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
        if not is_terminal():
            if compiles:
                stack.enter_context(watch_compiling(print_notice))
            yield ignore_progress if only_bars else _Lines(Phases(phases or {}))
            return
        bars = stack.enter_context(show_bars(Phases(phases or {})))
        if compiles:
            stack.enter_context(watch_compiling(bars.note))
        yield bars


@contextmanager
def show_build_progress() -> Iterator[Progress]:
    """Yield a function that shows the progress of a build, with one estimate over all phases."""
    with show_progress(phases=BUILD_PHASES, compiles=True) as advance:
        yield advance


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
        rate = rate_text(done, unit, elapsed_s=now - began)
        left = self._phases.left() if self._phases and not ended else ""
        print_notice(
            ", ".join(part for part in (f"{phase}: {amount_text(done, total, unit)}", rate, left) if part)
        )
