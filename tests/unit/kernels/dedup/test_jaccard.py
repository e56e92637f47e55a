"""Exact similarities of shingle sets."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st

from builder.kernels.dedup.jaccard import fill_table, least_shared, similarity

members = st.sets(st.one_of(st.integers(1, 40), st.integers(1, 2**64 - 1)), max_size=60)


def similar(left, right, *, least=0.0):
    """Compare two sets as the clustering does: ``right`` is in the table."""
    table, mask = fill_table(np.array(sorted(right), np.uint64), np.zeros(8, np.uint64))
    return similarity(np.array(sorted(left), np.uint64), table, mask, len(right), least)


@given(st.lists(members.filter(bool), min_size=2, max_size=6))
def test_pairs_equal_the_reference(sets):
    """Every pair has the similarity of the two Python sets, to the last bit; one table serves them all."""
    arrays = [np.array(list(one), np.uint64) for one in sets]
    table = np.zeros(8, np.uint64)
    for held, members_held in zip(sets, arrays, strict=True):
        table, mask = fill_table(members_held, table)
        for other, members_other in zip(sets, arrays, strict=True):
            found = similarity(members_other, table, mask, len(held), 0.0)
            assert found == reference.jaccard(held, other)


@given(members.filter(bool), members.filter(bool), st.floats(0.0, 1.0))
def test_a_bound_hides_only_smaller_similarities(left, right, least):
    """With a bound, the result is exact at or above it, and -1 below it."""
    exact = reference.jaccard(left, right)
    assert similar(left, right, least=least) == (exact if exact >= least else -1.0)
    assert similar(left, right, least=exact) == exact


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(1, 1000))
def test_least_shared_is_the_least_number_that_reaches_the_bound(n_left, n_right, thousandths):
    """The quotient is compared as a float, as the kernel does."""
    least = thousandths / 1000
    n = least_shared(n_left, n_right, least)
    assert n / (n_left + n_right - n) >= least
    assert n == 0 or (n - 1) / (n_left + n_right - n + 1) < least


@pytest.mark.parametrize("threshold", [0.8, 0.7, 0.6, 0.1, 0.3])
def test_the_threshold_itself_is_reached(threshold):
    """A pair with exactly this similarity counts: 4 of 5 reaches 0.8, in spite of floating point."""
    share = Fraction(str(threshold))
    left = set(range(1, share.denominator + 1))
    right = set(range(1, share.numerator + 1))
    assert similar(left, right, least=threshold) == threshold


def test_members_with_equal_slots_are_all_found():
    """The hash table resolves collisions and grows."""
    left = {1 << 40 | i << 20 for i in range(500)}
    right = {1 << 40 | i << 20 for i in range(250, 750)}
    assert similar(left, right) == 250 / 750
