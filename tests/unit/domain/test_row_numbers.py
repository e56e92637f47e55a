"""Rows of a build and rows of earlier versions in one array of numbers."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from builder.domain.row_numbers import BarrierOrPast, decode_old, encode_old, trace_to_first

rows = st.lists(st.integers(0, 2**40), max_size=30)


def slow_decode(number: int) -> tuple[bool, int]:
    """Count down from -2 for each row of an earlier version."""
    return (True, -2 - number) if number <= -2 else (False, 0)


def as_array(numbers: list[int]) -> np.ndarray:
    return np.asarray(numbers, np.int64)


@given(rows)
def test_what_is_encoded_is_decoded(numbers: list[int]) -> None:
    """Every row of an earlier version comes back, and none is taken for a row of the build or for none."""
    encoded = encode_old(as_array(numbers))
    is_old, decoded = decode_old(encoded)
    assert (encoded < -1).all()
    assert (is_old.all(), decoded.tolist()) == (True, numbers)


@given(st.lists(st.integers(-(2**40), 2**40), max_size=30))
def test_each_number_is_decoded_by_itself(numbers: list[int]) -> None:
    """The slow twin looks at one number at a time; -1 and rows of the build are not old rows."""
    is_old, decoded = decode_old(as_array(numbers))
    assert list(zip(is_old.tolist(), decoded.tolist(), strict=True)) == [slow_decode(n) for n in numbers]


@given(st.lists(st.integers(0, 2**40), min_size=1, max_size=20), st.data())
def test_only_rows_of_the_barrier_are_traced(firsts: list[int], data: st.DataObject) -> None:
    """A barrier's rows get their numbers in the first spool; past rows and no row stay what they are."""
    keeper = data.draw(st.lists(st.integers(-50, len(firsts) - 1)))
    traced = trace_to_first(BarrierOrPast(as_array(keeper)), as_array(firsts))
    assert traced.tolist() == [firsts[row] if row >= 0 else row for row in keeper]
