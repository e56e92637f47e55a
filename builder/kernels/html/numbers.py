"""Squeeze numbers into one byte, with integers only, so that every machine gets the same byte."""

from __future__ import annotations

from typing import Any

import numpy as np

from builder.kernels.jit import kernel

WHOLE_SHARE = 200
"""A share of one."""

CENTRE = 128
"""A signed number of 0."""


@kernel
def log_code(number: Any) -> Any:
    """Return the logarithm of a number that is not negative, with eight steps for each doubling.

    Numbers below 16 stay as they are; 2**33 is 248. The order of numbers is kept.
    """
    if number < 16:
        return np.int64(number)
    exponent = np.int64(3)
    rest = number >> 4
    while rest > 0:
        rest >>= 1
        exponent += 1
    return min(((exponent - 2) << 3) | ((number >> (exponent - 3)) & 7), np.int64(255))


@kernel
def share(part: Any, whole: Any) -> Any:
    """Return the share of a part in 1/200, at most 200; 0 of nothing."""
    if whole <= 0:
        return np.int64(0)
    return np.int64(min(part * WHOLE_SHARE // whole, WHOLE_SHARE))


@kernel
def signed(number: Any) -> Any:
    """Return 128 plus or minus half the code of a number, rounded towards 128 above 16."""
    if number >= 0:
        return CENTRE + _half(log_code(number))
    return CENTRE - _half(log_code(-number))


@kernel
def _half(value: Any) -> Any:
    return value if value < 16 else min(16 + ((value - 16) >> 1), np.int64(127))


@kernel
def capped(number: Any) -> Any:
    """Return a number that is not negative, at most 255."""
    return np.int64(min(number, 255))
