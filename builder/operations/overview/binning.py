"""Choose bins for numbers, and count in them with arrays."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from builder.operations.overview.facts import Binned

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

N_BINS = 30
_FEW = 20
"""Integers that get a bin each."""


def binned(
    values: Mapping[str, NDArray[np.float64]],
    *,
    edges: Sequence[float] | None = None,
    include: Sequence[float] = (),
    weights: Mapping[str, float] | None = None,
    sampled_from: int | None = None,
) -> Binned | None:
    """Count values by series; None without a finite value.

    The bins cover almost all values of each series: its first and last 0.5 % may be in the outer bins. Values
    over a wide positive range get bins of equal ratio.

    Args:
        edges: the bins, if they are given.
        include: numbers that the axis must show, such as a limit.
        weights: how many values one value represents, by series.
    """
    finite = {name: one[np.isfinite(one)] for name, one in values.items()}
    whole = np.concatenate([*finite.values(), np.empty(0)])
    if not len(whole):
        return None
    log = False
    if edges is None:
        edges, log = _edges([one for one in finite.values() if len(one)], include)
    at = np.asarray(edges)
    counts = {}
    for name, one in finite.items():
        inside = np.clip(one, at[0], at[-1])
        n = np.histogram(inside, bins=at)[0]
        counts[name] = tuple(round(int(k) * (weights or {}).get(name, 1.0)) for k in n)
    return Binned(
        edges=tuple(float(one) for one in at),
        counts=counts,
        of=len(whole),
        log=log,
        sampled_from=sampled_from,
    )


def _edges(series: Sequence[NDArray[np.float64]], include: Sequence[float]) -> tuple[list[float], bool]:
    ends = [np.quantile(one, [0.005, 0.995]) for one in series]
    low = min([*(float(one[0]) for one in ends), *include])
    high = max([*(float(one[1]) for one in ends), *include])
    whole = all(bool(np.all(one == np.floor(one))) for one in series)
    if whole and high - low < _FEW:
        first = math.floor(low)
        return [float(one) for one in range(first, max(math.ceil(high), first) + 2)], False
    if low >= 1 and high / low > 50:
        edges = [float(f"{one:.3g}") for one in np.geomspace(low, high, N_BINS + 1)]
        return [edges[0], *(b for a, b in pairwise(edges) if b > a)], True
    if high <= low:
        low, high = low - 0.5, low + 0.5
    step = _round_step((high - low) / N_BINS, whole=whole)
    start = math.floor(low / step) * step
    n = max(1, math.ceil((high - start) / step + 1e-9))
    return [round(start + i * step, 12) for i in range(n + 1)], False


def _round_step(rough: float, *, whole: bool) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(one * power for one in (1.0, 2.0, 2.5, 5.0, 10.0) if one * power >= rough * 0.999)
    return max(1.0, math.ceil(step)) if whole else step
