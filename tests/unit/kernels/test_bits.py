"""Eight bytes at a time: what the instructions do, compiled and as Python."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.kernels.bits import find_byte, load8, power_of_two, store8, trailing_zeros
from builder.kernels.jit import kernel


@kernel
def read(data, at):
    return load8(data, at)


@kernel
def write(data, at, value):
    store8(data, at, value)


@kernel
def zeros_below(value):
    return trailing_zeros(value)


@given(st.binary(min_size=8, max_size=24), st.data())
def test_eight_bytes_are_read_and_written_at_any_place(content, data):
    """Least byte first, aligned or not, and nothing beside them is touched."""
    at = data.draw(st.integers(0, len(content) - 8))
    value = read(np.frombuffer(content, np.uint8), at)
    assert int(value) == int.from_bytes(content[at : at + 8], "little")
    out = np.full(len(content), 7, np.uint8)
    write(out, at, np.uint64(value))
    assert out.tobytes() == b"\7" * at + content[at : at + 8] + b"\7" * (len(content) - at - 8)


@pytest.mark.parametrize("n", range(64))
def test_zeros_below_the_lowest_bit_are_counted(n):
    """Whatever stands above it."""
    assert zeros_below(np.uint64(1 << n)) == zeros_below(np.uint64((1 << 64) - (1 << n))) == n


@given(st.binary(max_size=40), st.data())
def test_a_byte_is_found_where_python_finds_it(content, data):
    """The first one of a range, or the end of the range."""
    at, end = sorted(data.draw(st.tuples(*[st.integers(0, len(content))] * 2)))
    byte = data.draw(st.sampled_from(content or b"x"))
    found = content.find(byte, at, end)
    assert find_byte(np.frombuffer(content, np.uint8), at, end, byte) == (end if found < 0 else found)


def test_powers_of_two():
    """The least one that is not below, and not below 8."""
    assert [power_of_two(n) for n in (0, 8, 9, 16, 17)] == [8, 8, 16, 16, 32]
