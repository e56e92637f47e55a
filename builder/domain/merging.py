"""Share what all deduplication stages need: choose the keeper, and drop or tag merged rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from builder.domain.outcome import Outcome
from builder.domain.rejection import no_rejections

if TYPE_CHECKING:
    from numpy.typing import NDArray

KEEP = ("first", "longest", "newest")
"""The rules that choose which row of a cluster stays."""

MODES = ("drop", "tag")
"""What happens to a merged row."""

NO_INSTANT = np.iinfo(np.int64).min
"""Represents a null instant; it is older than every other instant."""


def priority_order(
    keep: str, *, fetched_at: NDArray[np.int64] | None, n_bytes: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return row numbers, best keeper first; equal rows keep the order of the build.

    Args:
        keep: one of ``KEEP``.
        fetched_at: int64[n_rows], instants in one common unit, ``NO_INSTANT`` for null; only ``newest``
            needs them.
        n_bytes: int64[n_rows], lengths of the texts.

    >>> priority_order("longest", fetched_at=None, n_bytes=np.array([3, 9, 9])).tolist()
    [1, 2, 0]
    """
    if keep == "first":
        return np.arange(len(n_bytes), dtype=np.int64)
    ranked = n_bytes if keep == "longest" else fetched_at
    if keep not in KEEP or ranked is None:
        raise ValueError(f"keep is {keep!r}: it must be one of {KEEP}, and 'newest' needs fetched_at")
    # ~x reverses the order of int64 without overflow; -x overflows at NO_INSTANT
    return np.argsort(~ranked, kind="stable").astype(np.int64)


def instants(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Convert a column of timestamps to int64 microseconds, ``NO_INSTANT`` for null."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    micros = column.cast(pa.timestamp("us", column.type.tz)).cast(pa.int64())
    return micros.fill_null(int(NO_INSTANT))


def cluster_field(stage: str) -> pa.Field:
    """Return the column that ``mode: tag`` adds: the row number of the keeper, or null without a keeper."""
    return pa.field(f"_cluster_{stage}", pa.int64())


def settle_merged(
    batch: pa.RecordBatch, keeper_rows: NDArray[np.int64], rows: NDArray[np.int64], *, mode: str, stage: str
) -> Outcome:
    """Drop or tag the merged rows of one batch.

    A row stays if it is its own keeper or takes no part. Merged rows are not rejections: the build counts
    them from the verdicts, so ``rejected`` is always empty.

    Args:
        keeper_rows: int64[n_rows], the values of ``Verdicts.keeper`` for the batch's rows; -1 for a row
            that takes no part.
        rows: int64[n_rows], the numbers of the batch's rows in the spool.
        mode: one of ``MODES``.
    """
    takes_no_part = keeper_rows == -1
    stays = takes_no_part | (keeper_rows == rows)
    counts = {"merged": int(np.count_nonzero(~stays))}
    if mode == "tag":
        tags = pa.array(keeper_rows, pa.int64(), mask=takes_no_part)
        batch = batch.append_column(cluster_field(stage), tags)
    elif not stays.all():
        batch = batch.filter(pa.array(stays))
    return Outcome(kept=batch, rejected=no_rejections(), counts=counts)
