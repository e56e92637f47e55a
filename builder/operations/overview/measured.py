"""Put the values of dropped and of kept documents next to each limit that dropped something."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from builder.operations.overview.binning import binned
from builder.operations.overview.facts import MeasuredLimit
from builder.operations.overview.outcomes import MAX_LIMITS
from builder.stages.quality.rules import LIMIT_ENDS
from builder.stages.quality.signals import SIGNALS

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from builder.operations.overview.facts import PublishedRow
    from builder.operations.overview.outcomes import LedgerNumbers
    from builder.operations.overview.published import PublishedRows

KEPT_MEASURED = 1_000
"""Published documents that are measured to estimate the values of all of them."""

_LIMIT = re.compile(r"(?:min|max) (-?[0-9.]+(?:e[+-]?[0-9]+)?)", re.IGNORECASE)
_ENDS = tuple(f"_{end}" for end in LIMIT_ENDS.values())


def measured_limits(
    numbers: LedgerNumbers, published: PublishedRows, *, rows: int, stages: Collection[str]
) -> tuple[MeasuredLimit, ...]:
    """Return the limits that dropped the most records, in the order of stage and reason.

    Args:
        rows: number of published rows.
        stages: the stages whose limits are wanted.
    """
    limits = {key: one for key, one in numbers.limits.items() if key[0] in stages}
    top = sorted(limits.items(), key=lambda item: (-item[1].n, item[0]))[:MAX_LIMITS]
    signals = {key: _signal(key[1]) for key, _ in top}
    sample = _Sample(published, sorted(set(signals.values())))
    found = []
    for key, one in sorted(top):
        limit = next(iter(one.limits)) if len(one.limits) == 1 else ""
        threshold = _threshold(limit)
        kept, n_measured = sample.values(signals[key])
        values = {"rejected": np.concatenate(one.values)}
        weights = {}
        if len(kept):
            values["kept"] = kept
            weights["kept"] = rows / len(kept) if n_measured else 1.0
        bins = binned(values, include=() if threshold is None else (threshold,), weights=weights)
        if bins is not None:
            found.append(
                MeasuredLimit(
                    stage=key[0],
                    reason=key[1],
                    signal=signals[key],
                    limit=limit,
                    threshold=threshold,
                    values=bins,
                    kept_measured=n_measured,
                )
            )
    return tuple(found)


class _Sample:
    """The values of published documents: a published column, or signals of a sample of texts."""

    def __init__(self, published: PublishedRows, signals: Sequence[str]) -> None:
        self._columns = {one: published.numbers(one) for one in signals}
        missing = [one for one in signals if not len(self._columns[one]) and one in SIGNALS]
        texts = [one.text for one in _texts(published, missing)]
        self._n_texts = len(texts)
        self._measured = _measure(texts, missing)

    def values(self, signal: str) -> tuple[NDArray[np.float64], int]:
        """Return the values, and the number of measured documents if they are a sample."""
        if len(self._columns[signal]):
            return self._columns[signal], 0
        found = self._measured.get(signal, np.empty(0))
        return found, self._n_texts if len(found) else 0


def _texts(published: PublishedRows, signals: Sequence[str]) -> list[PublishedRow]:
    return published.sample(KEPT_MEASURED) if signals and published.columns.text else []


def _measure(texts: Sequence[str], signals: Sequence[str]) -> dict[str, NDArray[np.float64]]:
    if not texts:
        return {}
    from builder.stages.quality.measuring import measure_signals  # it loads kernels

    columns = measure_signals(pa.array(texts, pa.string()), list(signals))
    return {
        name: column.drop_null().cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        for name, column in columns.items()
    }


def _signal(reason: str) -> str:
    """Return the signal of a reason code: ``words_below`` is a limit of ``words``."""
    return next((reason.removesuffix(end) for end in _ENDS if reason.endswith(end)), reason)


def _threshold(limit: str) -> float | None:
    """Return the number of a limit as the ledger has it: ``min 50``, ``max 0.3`` or ``50``."""
    if match := _LIMIT.fullmatch(limit):
        return float(match[1])
    try:
        value = float(limit)
    except ValueError:
        return None
    return value if np.isfinite(value) else None
