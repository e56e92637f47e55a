"""Draw a share as a bar of characters."""

from __future__ import annotations

import math

from builder.domain.visible import visible
from builder.report.printer import can_print

WIDTH = 80
"""Columns of a terminal that every report fits in."""

FULL, ASCII_FULL = "█", "#"
"""The character of a bar, and the character for an output whose encoding does not have it."""


def bar(share: float, *, width: int, full: str | None = None) -> str:
    """Return a bar whose length is a share of ``width``; a share above 0 has at least one character.

    Args:
        full: the character to draw with. Default: ``FULL`` if stdout can print it, otherwise ``ASCII_FULL``.

    >>> bar(0.5, width=8, full="#"), bar(0.001, width=8, full="#"), bar(0, width=8, full="#")
    ('####', '#', '')
    """
    if full is None:
        full = FULL if can_print(FULL) else ASCII_FULL
    if share <= 0 or not math.isfinite(share):
        return ""
    return full * max(1, min(width, round(share * width)))


def cut_end(text: str, *, width: int) -> str:
    """Return a text that is at most ``width`` characters wide, with an ellipsis where it was cut.

    >>> cut_end("dedup_near", width=20), cut_end("a_long_name_of_a_stage", width=10)
    ('dedup_near', 'a_long_na…')
    """
    shown = visible(text)
    end = "…" if can_print("…") else "."
    return shown if len(shown) <= width else shown[: max(0, width - 1)] + end


def cut_start(text: str, *, width: int) -> str:
    """Return a text that is at most ``width`` characters wide; its end stays, as that of a URL.

    >>> cut_start("https://docs.example/a/b.html", width=10)
    '…/a/b.html'
    """
    shown = visible(text)
    start = "…" if can_print("…") else "."
    return shown if len(shown) <= width else start + shown[len(shown) - width + 1 :]
