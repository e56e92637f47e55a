"""The colours of charts: contrast, and difference for each kind of colour blindness."""

from __future__ import annotations

import itertools
import math

import pytest

from builder.charts.sheet import COLOURS, OUTCOME_COLOURS

# Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB.
SIMULATIONS = {
    "full colour vision": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
# The distance in OKLab; 0.02 is just visible next to each other.
MIN_DISTANCE = 0.12
THEMES = {"light": 0, "dark": 1}


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("vision", SIMULATIONS)
def test_outcomes_differ_for_each_kind_of_colour_vision(vision: str, theme: str) -> None:
    """A reader who sees two outcomes in one colour reads the chart wrong."""
    colours = {name: pair[THEMES[theme]] for name, pair in OUTCOME_COLOURS.items()}
    near = {
        (a, b): distance
        for a, b in itertools.combinations(colours, 2)
        if (distance := math.dist(_seen(colours[a], vision), _seen(colours[b], vision))) < MIN_DISTANCE
    }
    assert near == {}


@pytest.mark.parametrize("theme", THEMES)
def test_shapes_and_text_have_enough_contrast(theme: str) -> None:
    """WCAG 2.2 asks for 3 to 1 for shapes, and 4.5 to 1 for text."""
    of = {name: pair[THEMES[theme]] for name, pair in COLOURS.items()}
    weak = [name for name in (*OUTCOME_COLOURS, "plain") if _contrast(of[name], of["ground"]) < 3]
    for name in ("text", "quiet", "link", "good", "warn", "bad", "limit"):
        weak += [
            f"{name} on {ground}" for ground in ("ground", "raised") if _contrast(of[name], of[ground]) < 4.5
        ]
    weak += [
        f"text on {one}" for one in ("removed-ground", "added-ground") if _contrast(of["text"], of[one]) < 4.5
    ]
    assert weak == []


def _linear(colour: str) -> list[float]:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]


def _contrast(one: str, other: str) -> float:
    low, high = sorted(0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in (_linear(one), _linear(other)))
    return (high + 0.05) / (low + 0.05)


def _seen(colour: str, vision: str) -> tuple[float, float, float]:
    """Return a colour in OKLab as a person with this vision sees it."""
    matrix = SIMULATIONS[vision]
    linear = _linear(colour)
    r, g, b = (min(1.0, max(0.0, sum(m * c for m, c in zip(row, linear, strict=True)))) for row in matrix)
    long = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b) ** (1 / 3)
    medium = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b) ** (1 / 3)
    short = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    )
