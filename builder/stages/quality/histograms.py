"""Count the values of signals in fixed bins, so that the counts of shards and versions can be added up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from builder.stages.quality.signals import ENTROPY, SIGNALS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pyarrow as pa

Histograms = dict[str, dict[str, Any]]
"""For each signal ``edges``, ``counts`` and ``null``; see ``count_values``."""

_SMALL = (0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05)
_SHARES = (*_SMALL, *(n / 20 for n in range(2, 20)), 0.98, 1)
_COUNTS = (0, *(digit * 10**n for n in range(7) for digit in (1, 2, 5)))
_OWN_EDGES = {
    "mean_word_length": (0, 1, 2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5, 6, 6.5, 7, 8, 9, 10, 12, 15, 20, 50),
    ENTROPY: (0, 1, 2, 3, 3.5, 4, 4.5, 5, 5.5, 6, 6.5, 7, 7.5, 8, 9, 10, 12),
}


def bin_edges(name: str) -> tuple[float, ...]:
    """Return the lower edges of the bins of a signal, ascending; the first is 0.

    >>> bin_edges("words")[:6]
    (0, 1, 2, 5, 10, 20)
    """
    return _OWN_EDGES.get(name, _COUNTS if SIGNALS[name].under is None else _SHARES)


def count_values(columns: Mapping[str, pa.Array]) -> Histograms:
    """Count values: bin ``i`` has those from ``edges[i]`` up to, but without, ``edges[i + 1]``.

    The last bin has no upper end. ``null`` counts the documents for which the signal is not defined. The sum
    of ``counts`` and ``null`` is the number of documents.

    >>> import pyarrow as pa
    >>> count_values({"words": pa.array([0, 60, 70, None])})["words"]["counts"][:8]
    [1, 0, 0, 0, 0, 0, 2, 0]
    """
    found: Histograms = {}
    for name, column in columns.items():
        edges = bin_edges(name)
        values = column.drop_null().to_numpy(zero_copy_only=False)
        places = np.searchsorted(np.asarray(edges), values, side="right") - 1
        counts = np.bincount(places, minlength=len(edges))
        found[name] = {"edges": list(edges), "counts": counts.tolist(), "null": column.null_count}
    return found


def add_histograms(some: Iterable[Histograms]) -> Histograms:
    """Add up the counts of the same bins.

    >>> add_histograms([{"a": {"edges": [0, 1], "counts": [1, 2], "null": 0}}] * 2)["a"]["counts"]
    [2, 4]
    """
    total: Histograms = {}
    for one in some:
        for name, bins in one.items():
            if name not in total:
                total[name] = {**bins, "counts": list(bins["counts"])}
            else:
                counts = zip(total[name]["counts"], bins["counts"], strict=True)
                total[name]["counts"] = [a + b for a, b in counts]
                total[name]["null"] += bins["null"]
    return total
