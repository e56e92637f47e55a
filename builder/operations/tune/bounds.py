"""Choose bounds to try: round numbers near quantiles, and the bound that the labels suggest."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHARES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5)
"""Shares of the documents that the tried bounds remove, about."""

_DIGITS = 2


def bounds_to_try(values: NDArray[np.float64], *, limit: str, current: float) -> list[float]:
    """Return rising bounds that remove between nothing and half of the documents, and the current one.

    >>> bounds_to_try(np.arange(1000.0), limit="min", current=50)
    [0, 2, 9, 29, 50, 99, 200, 300, 500]
    """
    found: set[float] = {current}
    if len(values):
        shares = SHARES if limit == "min" else [1 - one for one in SHARES]
        found |= {_round_number(float(one)) for one in np.quantile(values, shares, method="lower")}
    return sorted(found)


def suggested_bound(values: NDArray[np.float64], *, n_keep: int, limit: str, max_lost: float) -> float | None:
    """Return the strictest round bound that loses at most a share of the documents to keep.

    Args:
        values: the values of the documents to keep; documents without a value are not lost.
        n_keep: all documents to keep.

    >>> suggested_bound(np.array([3.0, 51.0, 60.0, 70.0]), n_keep=4, limit="min", max_lost=0.25)
    51
    >>> suggested_bound(np.array([0.1, 0.2, 0.3456]), n_keep=3, limit="max", max_lost=0)
    0.35
    """
    if not len(values):
        return None
    n_lost = math.floor(max_lost * n_keep + 1e-9)
    ordered = np.sort(values) if limit == "min" else -np.sort(-values)
    # the first document that must stay
    last = float(ordered[min(n_lost, len(ordered) - 1)])
    step = 10.0 ** (_DIGITS - 1 - math.floor(math.log10(abs(last)))) if last else 1.0
    rounded = (math.floor(last * step + 1e-9) if limit == "min" else math.ceil(last * step - 1e-9)) / step
    return _as_written(rounded)


def _round_number(value: float) -> float:
    """Return a value with two significant digits; near 1, the distance to 1 has two.

    >>> _round_number(1234.0), _round_number(0.12345), _round_number(0.99876)
    (1200, 0.12, 0.9988)
    """
    if 0.9 < value < 1:
        return _as_written(1 - float(f"{1 - value:.{_DIGITS}g}"))
    return _as_written(float(f"{value:.{_DIGITS}g}"))


def _as_written(value: float) -> float:
    """Return a whole number as an integer, and a fraction without the noise of binary fractions."""
    return int(value) if value == int(value) else float(f"{value:.10g}")
