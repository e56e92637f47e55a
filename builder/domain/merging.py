"""What the deduplications have in common: which of two rows stays, and what becomes of the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from builder.domain.outcome import Outcome
from builder.domain.rejection import no_rejections

if TYPE_CHECKING:
    from numpy.typing import NDArray

KEEP = ("first", "longest", "newest")
"""Which row of a cluster stays."""

MODES = ("drop", "tag")
"""What becomes of a merged row."""

NO_INSTANT = np.iinfo(np.int64).min
"""Stands for a null instant; it is older than every other."""


def priority_order(
    keep: str, *, fetched_at: NDArray[np.int64] | None, n_bytes: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return row numbers, best keeper first; rows that are equal stay in the order of the build.

    Args:
        keep: one of ``KEEP``.
        fetched_at: int64[n_rows], instants in any one unit, ``NO_INSTANT`` for null; only for ``newest``.
        n_bytes: int64[n_rows], length of the text.

    >>> priority_order("longest", fetched_at=None, n_bytes=np.array([3, 9, 9])).tolist()
    [1, 2, 0]
    """
    if keep == "first":
        return np.arange(len(n_bytes), dtype=np.int64)
    ranked = n_bytes if keep == "longest" else fetched_at
    if keep not in KEEP or ranked is None:
        raise ValueError(f"keep: {keep!r} needs one of {KEEP}, and 'newest' needs fetched_at")
    # ~x turns the order of int64 around without overflow, which -x has at NO_INSTANT
    return np.argsort(~ranked, kind="stable").astype(np.int64)


def instants(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Turn a column of timestamps into int64 microseconds, ``NO_INSTANT`` for null."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    micros = column.cast(pa.timestamp("us", column.type.tz)).cast(pa.int64())
    return micros.fill_null(int(NO_INSTANT))


def cluster_field(stage: str) -> pa.Field:
    """Return the column that ``mode: tag`` adds: the row number of the keeper, null if there is none."""
    return pa.field(f"_cluster_{stage}", pa.int64())


def settle_merged(
    batch: pa.RecordBatch, keeper_rows: NDArray[np.int64], rows: NDArray[np.int64], *, mode: str, stage: str
) -> Outcome:
    """Drop the merged rows of one batch, or mark them.

    A row stays if it is its own keeper or took no part. Merged rows are no rejections: the build accounts
    for them by the verdicts, so ``rejected`` is always empty.

    Args:
        keeper_rows: int64[n_rows], what ``Verdicts.keeper`` says of the batch's rows.
        rows: int64[n_rows], the numbers of the batch's rows in the spool.
        mode: one of ``MODES``.
    """
    apart = keeper_rows == -1
    stays = apart | (keeper_rows == rows)
    counts = {"merged": int(np.count_nonzero(~stays))}
    if mode == "tag":
        tags = pa.array(keeper_rows, pa.int64(), mask=apart)
        batch = batch.append_column(cluster_field(stage), tags)
    elif not stays.all():
        batch = batch.filter(pa.array(stays))
    return Outcome(kept=batch, rejected=no_rejections(), counts=counts)
