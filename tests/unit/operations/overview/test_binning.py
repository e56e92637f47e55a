"""Bins of a histogram: no value is lost, and the axis shows what it must."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from builder.operations.overview.binning import N_BINS, binned

NUMBERS = st.lists(st.floats(-1e9, 1e9) | st.integers(-5, 60).map(float), max_size=60)


@given(NUMBERS, NUMBERS, st.lists(st.floats(-1e6, 1e6), max_size=2))
def test_every_value_is_in_one_bin(kept: list[float], rejected: list[float], limits: list[float]) -> None:
    """What lies outside of the axis is in an outer bin, so that the bars add up."""
    found = binned({"kept": np.array(kept), "rejected": np.array(rejected)}, include=limits)
    if not kept and not rejected:
        assert found is None
        return
    assert found is not None
    assert sum(found.counts["kept"]) == len(kept)
    assert sum(found.counts["rejected"]) == len(rejected)
    assert list(found.edges) == sorted(set(found.edges))
    assert all(found.edges[0] <= one <= found.edges[-1] for one in limits)
    assert len(found.edges) <= N_BINS + 3


def test_few_integers_have_a_bin_each() -> None:
    """A bar of the number of sentences is one number."""
    found = binned({"plain": np.array([3.0, 4.0, 4.0, 6.0])})
    assert found is not None
    assert (found.edges, found.counts["plain"]) == ((3.0, 4.0, 5.0, 6.0, 7.0), (1, 2, 0, 1))


def test_a_wide_range_has_bins_of_equal_ratio() -> None:
    """Lengths of texts go from ten to a million characters."""
    found = binned({"plain": np.geomspace(10, 1e6, 500)})
    assert found is not None
    assert found.log
    ratios = np.diff(np.log(found.edges))
    assert ratios.max() < 1.1 * ratios.min()


def test_a_sample_counts_for_all() -> None:
    """One measured document stands for as many as were not measured."""
    found = binned({"kept": np.array([1.0, 2.0]), "rejected": np.array([0.0])}, weights={"kept": 50.0})
    assert found is not None
    assert (sum(found.counts["kept"]), sum(found.counts["rejected"])) == (100, 1)


def test_values_that_are_not_numbers_are_left_out() -> None:
    """A ratio without a denominator has no place on an axis."""
    assert binned({"plain": np.array([np.nan, np.inf])}) is None
