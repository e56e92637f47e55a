"""The choice of bands and rows."""

from __future__ import annotations

import math

import pytest

from builder.kernels.dedup.bands import MAX_BANDS, bands_needed, choose, found


def test_default_is_16_by_6():
    """The published figures were measured with this choice."""
    assert choose(0.8) == (16, 6)


@pytest.mark.parametrize(
    "threshold", [0.01, 0.05, 0.1, 0.25, 0.5, 0.65, 0.7, 0.8, 0.85, 0.9, 0.95, 0.99, 1.0]
)
def test_pairs_at_the_threshold_are_found(threshold):
    """At any threshold, a pair shares a band with a probability of at least 99 %."""
    bands, rows = choose(threshold)
    assert bands <= MAX_BANDS
    assert found(threshold, bands=bands, rows=rows) >= 0.99


def test_bands_needed_is_the_least_number():
    """With one band fewer, the probability is below 99 %."""
    for rows in range(1, 13):
        bands = bands_needed(0.8, rows)
        assert found(0.8, bands=bands, rows=rows) >= 0.99
        assert bands == 1 or found(0.8, bands=bands - 1, rows=rows) < 0.99


def test_found_equals_the_formula_of_the_textbook():
    """It does not lose the digits that the formula loses in floating point."""
    assert math.isclose(found(0.8, bands=16, rows=6), 1 - (1 - 0.8**6) ** 16, rel_tol=1e-12)
    assert math.isclose(found(0.01, bands=10, rows=10), 1e-19, rel_tol=1e-9)
    assert found(1.0, bands=1, rows=5) == 1.0


def test_given_bands_or_rows_are_kept():
    """The other number is chosen to match."""
    assert choose(0.8, bands=9, rows=4) == (9, 4)
    assert choose(0.8, rows=8) == (26, 8)
    assert choose(0.8, bands=20) == (20, 7)
    assert choose(0.1, bands=1) == (1, 1)
