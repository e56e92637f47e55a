"""Estimated from labels how well a limit or a signal separates what to keep from what to drop.

Intervals are percentile bootstrap intervals of 95 % (Efron, Tibshirani, "An Introduction to the Bootstrap",
section 13.3) over the labelled documents, with a fixed seed: the same labels give the same intervals.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

RESAMPLES = 1_000
BOOTSTRAP_SEED = 19
LEVEL = 0.95

_CHUNK = 100
"""Resamples that are weighed at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimated:
    """A value with its interval; NaN where the labels do not define it."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """What a limit does to the labelled documents.

    Attributes:
        precision: the share of the removed documents that are labelled ``drop``.
        recall: the share of the documents labelled ``drop`` that are removed.
        keep_lost: the share of the documents labelled ``keep`` that are removed.
        n_drop: documents labelled ``drop`` that are removed.
        n_keep: documents labelled ``keep`` that are removed.
    """

    precision: Estimated
    recall: Estimated
    keep_lost: Estimated
    n_drop: int
    n_keep: int


def score_labels(removed: NDArray[np.bool_], is_drop: NDArray[np.bool_]) -> Scores:
    """Compare what a limit removes with the labels.

    Args:
        removed: bool[n_labelled].
        is_drop: bool[n_labelled], whether the label is ``drop``.
    """
    counts = np.array(
        [
            (removed & is_drop).sum(),
            (removed & ~is_drop).sum(),
            (~removed & is_drop).sum(),
            (~removed & ~is_drop).sum(),
        ],
        np.int64,
    )
    n = int(counts.sum())
    some = (
        np.random.default_rng(BOOTSTRAP_SEED).multinomial(n, counts / max(n, 1), size=RESAMPLES)
        if n
        else counts[None]
    )
    return Scores(
        precision=_share(counts, some, part=(0,), whole=(0, 1)),
        recall=_share(counts, some, part=(0,), whole=(0, 2)),
        keep_lost=_share(counts, some, part=(1,), whole=(1, 3)),
        n_drop=int(counts[0]),
        n_keep=int(counts[1]),
    )


def _share(
    counts: NDArray[np.int64], some: NDArray[np.int64], *, part: tuple[int, ...], whole: tuple[int, ...]
) -> Estimated:
    resampled = _quotients(some[:, part].sum(axis=1), some[:, whole].sum(axis=1))
    value = _quotients(counts[list(part)].sum()[None], counts[list(whole)].sum()[None])
    return _with_interval(float(value[0]), resampled)


def area_under_curve(values: NDArray[np.float64], is_drop: NDArray[np.bool_]) -> Estimated:
    """Return the chance that a document to keep has a higher value than one to drop; a tie counts half.

    0.5 says that the signal does not separate them. Below 0.5, documents to drop have the higher values.
    Documents without a value take no part.

    >>> area_under_curve(np.array([1.0, 2.0, 2.0, 3.0]), np.array([True, True, False, False])).value
    0.875
    """
    known = np.isfinite(values)
    values, is_drop = values[known], is_drop[known]
    n = len(values)
    if not n:
        return Estimated(value=np.nan, low=np.nan, high=np.nan)
    order = np.argsort(values, kind="stable")
    values, is_drop = values[order], is_drop[order]
    starts = np.flatnonzero(np.concatenate([[True], np.diff(values) > 0]))
    areas = [_areas(np.ones((1, n)), is_drop, starts)]
    random = np.random.default_rng(BOOTSTRAP_SEED)
    for _ in range(RESAMPLES // _CHUNK):
        weights = random.multinomial(n, np.full(n, 1 / n), size=_CHUNK).astype(np.float64)
        areas.append(_areas(weights, is_drop, starts))
    found = np.concatenate(areas)
    return _with_interval(float(found[0]), found[1:])


def _areas(
    weights: NDArray[np.float64], is_drop: NDArray[np.bool_], starts: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return float64[n_resamples]; ``weights`` are those of the documents in the order of their values."""
    drops = np.add.reduceat(weights * is_drop, starts, axis=1)
    keeps = np.add.reduceat(weights * ~is_drop, starts, axis=1)
    below = np.cumsum(drops, axis=1) - drops / 2
    return _quotients((keeps * below).sum(axis=1), keeps.sum(axis=1) * drops.sum(axis=1))


def _quotients(parts: NDArray[np.float64], wholes: NDArray[np.float64]) -> NDArray[np.float64]:
    found = np.full(len(parts), np.nan)
    np.divide(parts, wholes, out=found, where=np.asarray(wholes) > 0)
    return found


def _with_interval(value: float, resampled: NDArray[np.float64]) -> Estimated:
    """Return the value with its interval; resamples without a value are left out."""
    known = resampled[np.isfinite(resampled)]
    if not len(known) or not np.isfinite(value):
        return Estimated(value=value, low=np.nan, high=np.nan)
    low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimated(value=value, low=float(low), high=float(high))
