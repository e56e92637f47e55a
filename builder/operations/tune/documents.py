"""Choose documents that a person reads to judge a limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from builder.pipeline.dropped import sample_rank

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownDocument:
    """One document: where it is from, its value, and how its text begins.

    Attributes:
        label: ``keep`` or ``drop``; None if the document has no label.
    """

    record: str
    url: str | None
    value: Any
    text: str | None
    label: str | None = None


def nearest_documents(
    rows: pa.Table,
    values: NDArray[np.float64],
    among: NDArray[np.bool_],
    *,
    bound: float,
    n: int,
) -> list[int]:
    """Return up to ``n`` rows whose values are nearest to a limit, the nearest first.

    Of equally near rows, a hash of the record id decides. Rows that begin with the same text as an earlier
    one come last.

    Args:
        among: bool[n_rows], the rows to choose from.
    """
    candidates = np.flatnonzero(among & np.isfinite(values))
    if not len(candidates):
        return []
    distance = np.abs(values[candidates] - bound)
    if len(candidates) > 50 * n:
        near = np.partition(distance, 50 * n)[50 * n]
        candidates, distance = candidates[distance <= near], distance[distance <= near]
    candidates, distance = candidates[: 5_000 * n], distance[: 5_000 * n]
    records = rows["record"].take(candidates).to_pylist()
    ranks = [sample_rank(record, seed=0) for record in records]
    order = sorted(range(len(candidates)), key=lambda i: (distance[i], ranks[i], records[i]))
    return _different(rows, [int(candidates[i]) for i in order], n=n)


def sampled_documents(rows: pa.Table, among: NDArray[np.bool_], *, n: int) -> list[int]:
    """Return up to ``n`` rows, chosen by a hash of their record ids."""
    return nearest_documents(rows, np.zeros(rows.num_rows), among, bound=0.0, n=n)


def _different(rows: pa.Table, ordered: list[int], *, n: int) -> list[int]:
    seen: set[str | None] = set()
    first: list[int] = []
    others: list[int] = []
    for row in ordered[: 50 * n]:
        text = rows["excerpt"][row].as_py()
        (others if text in seen else first).append(row)
        seen.add(text)
        if len(first) == n:
            break
    return sorted([*first, *others][:n], key=ordered.index)
