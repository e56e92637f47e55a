"""Define the look of all charts: one colour for each meaning, in light and in dark, and the sizes of text.

The outcomes differ from each other for people with each kind of colour blindness, and all colours differ from
the background by a contrast of at least 3 (text: 4.5); tests compute both. ``docs/charts.md`` shows them.
"""

from __future__ import annotations

from typing import Final

OUTCOME_COLOURS: Final = {
    "kept": ("#0a5ea8", "#4a94dc"),
    "merged": ("#2a9d8f", "#4fcfa8"),
    "rejected": ("#d9560b", "#f2611c"),
    "failed": ("#26282e", "#e8ebf0"),
}
"""The colour of each outcome, in light and in dark."""

COLOURS: Final = {
    **OUTCOME_COLOURS,
    "plain": ("#5d6b7e", "#8c9bb0"),
    "limit": ("#a3003f", "#ff7aa8"),
    "ground": ("#ffffff", "#14171c"),
    "raised": ("#f5f6f8", "#1d2128"),
    "text": ("#1b1e24", "#e6e8ec"),
    "quiet": ("#555c68", "#a6aebb"),
    "rule": ("#d8dce2", "#343a44"),
    "link": ("#0a5ea8", "#7db8f2"),
    "removed-ground": ("#fbe3d6", "#4a2413"),
    "added-ground": ("#d7efe9", "#0f3b34"),
    "good": ("#1f7a4d", "#5fd39b"),
    "warn": ("#8a5a00", "#f0b849"),
    "bad": ("#b3261e", "#ff8f85"),
}
"""All colours by meaning, in light and in dark.

``plain`` is for what has no outcome, ``limit`` for thresholds. ``removed-ground`` and ``added-ground`` are
behind text; ``good``, ``warn`` and ``bad`` are the colours of a verdict, always next to its word.
"""

SERIES: Final = (*OUTCOME_COLOURS, "plain")
"""What a bar may show."""

CHART_WIDTH: Final = 340
"""Width of a chart in units of its drawing: it fits on a phone without shrinking its text."""
CHART_HEIGHT: Final = 205
TEXT_SIZE: Final = 11
"""Height of the text in a chart, in the same units."""


def colour_rules() -> str:
    """Return CSS custom properties for each colour: light, dark if the reader prefers it, light on paper."""
    light = _properties(0)
    dark = _properties(1)
    return (
        f":root{{color-scheme:light dark;{light}}}\n"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"
    )


def series_rules() -> str:
    """Return the CSS classes that give a shape or a text the colour of a series."""
    return "".join(f".f-{name}{{fill:var(--{name})}}.c-{name}{{color:var(--{name})}}\n" for name in SERIES)


def _properties(theme: int) -> str:
    return ";".join(f"--{name}:{colours[theme]}" for name, colours in COLOURS.items())
