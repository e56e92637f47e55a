"""Choosing bands and rows."""

from __future__ import annotations

import math

import pytest

from builder.kernels.dedup.bands import MAX_BANDS, bands_needed, choose, found


def test_default_is_16_by_6():
    """At the default threshold the choice is the one that was measured."""
    assert choose(0.8) == (16, 6)


@pytest.mark.parametrize(
    "threshold", [0.01, 0.05, 0.1, 0.25, 0.5, 0.65, 0.7, 0.8, 0.85, 0.9, 0.95, 0.99, 1.0]
)
def test_pairs_at_the_threshold_are_found(threshold):
    """Whatever the threshold, a pair at it shares a band with at least 99 %."""
    bands, rows = choose(threshold)
    assert bands <= MAX_BANDS
    assert found(threshold, bands=bands, rows=rows) >= 0.99


def test_bands_needed_is_the_least_number():
    """One band less would find fewer than 99 %."""
    for rows in range(1, 13):
        bands = bands_needed(0.8, rows)
        assert found(0.8, bands=bands, rows=rows) >= 0.99
        assert bands == 1 or found(0.8, bands=bands - 1, rows=rows) < 0.99


def test_found_is_the_formula():
    """The probability is that of the textbook, without its loss of digits."""
    assert math.isclose(found(0.8, bands=16, rows=6), 1 - (1 - 0.8**6) ** 16, rel_tol=1e-12)
    assert math.isclose(found(0.01, bands=10, rows=10), 1e-19, rel_tol=1e-9)
    assert found(1.0, bands=1, rows=5) == 1.0


def test_what_is_given_stays():
    """A person's own bands or rows are kept, and the other is chosen to match."""
    assert choose(0.8, bands=9, rows=4) == (9, 4)
    assert choose(0.8, rows=8) == (26, 8)
    assert choose(0.8, bands=20) == (20, 7)
    assert choose(0.1, bands=1) == (1, 1)
