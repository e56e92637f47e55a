"""A table in the output of a notebook's cell: a line for each phase, and notices above it."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, Any

from builder.progress.amounts import amount_text, rate_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from builder.progress.phases import Phases

_SECONDS_BETWEEN_UPDATES = 0.25
_SECONDS_OF_SHORT_WORK = 0.5
"""Work that ends earlier shows nothing."""


def in_notebook() -> bool:
    """Return whether this program is a cell of a notebook. Imports nothing."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return getattr(shell, "kernel", None) is not None


@contextmanager
def show_table(phases: Phases) -> Iterator[NotebookTable]:
    """Yield a function that shows progress below a cell; only the notices are left at the end."""
    table = NotebookTable(phases)
    try:
        yield table
    finally:
        table.close()


class NotebookTable:
    """The last report of each phase, and the time left over all phases."""

    def __init__(self, phases: Phases) -> None:
        self._phases = phases
        self._lines: dict[str, tuple[str, str, float | None]] = {}
        self._notes: list[str] = []
        self._began: dict[str, float] = {}
        self._shown_at = time.monotonic() + _SECONDS_OF_SHORT_WORK - _SECONDS_BETWEEN_UPDATES
        self._output: Any = None

    def __call__(self, phase: str, *, done: int, total: int, unit: str) -> None:
        """Remember a report, and show all of them a few times a second."""
        now = time.monotonic()
        began = self._began.setdefault(phase, now)
        rate = rate_text(done, unit, elapsed_s=now - began)
        share = min(1.0, done / total) if total else None
        self._lines[phase] = amount_text(done, total, unit), rate, share
        if self._phases and total:
            self._phases.advance(phase, done=done, total=total)
        if now - self._shown_at >= _SECONDS_BETWEEN_UPDATES:
            self._show()

    def note(self, text: str) -> None:
        """Show a line above the table, which stays."""
        self._notes.append(text)
        self._show()

    def close(self) -> None:
        """Remove the table; notices stay."""
        self._lines.clear()
        if self._output is not None:
            self._show()

    def _repr_html_(self) -> str:
        notes = "".join(f"<div>{escape(note)}</div>" for note in self._notes)
        rows = "".join(_row(name, *line) for name, line in self._lines.items())
        left = f"<div>{escape(self._phases.left())}</div>" if self._lines and self._phases else ""
        return notes + (f"<table>{rows}</table>" if rows else "") + left

    def __repr__(self) -> str:
        lines = [*self._notes, *(f"{name}: {amount}" for name, (amount, _, _) in self._lines.items())]
        return "\n".join(lines)

    def _show(self) -> None:
        self._shown_at = time.monotonic()
        if self._output is None:
            from IPython.display import display

            self._output = display(self, display_id=True)
        else:
            self._output.update(self)


def _row(name: str, amount: str, rate: str, share: float | None) -> str:
    bar = "" if share is None else f"<progress value='{share:.3f}' max='1'></progress>"
    cells = "".join(f"<td style='text-align:left'>{one}</td>" for one in (bar, escape(amount), escape(rate)))
    return f"<tr><th style='text-align:left'>{escape(name)}</th>{cells}</tr>"
