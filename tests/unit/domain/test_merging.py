"""Merging: which row of a cluster stays, and what happens to the others."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.domain.merging import NO_INSTANT, instants, priority_order, settle_merged

INT64 = st.integers(-(2**63), 2**63 - 1)
KEEP = st.sampled_from(["first", "longest", "newest"])


@given(
    st.lists(st.tuples(INT64, st.integers(0, 5)), max_size=20),
    st.sampled_from(["first", "longest", "newest"]),
)
def test_rows_are_ordered_by_the_keep_rule(rows, keep):
    """Newest is the latest first, longest is the most bytes first; equal rows keep the order of the build."""
    fetched_at = np.array([row[0] for row in rows], np.int64)
    n_bytes = np.array([row[1] for row in rows], np.int64)
    keys = {
        "first": [0] * len(rows),
        "longest": [-row[1] for row in rows],
        "newest": [-row[0] for row in rows],
    }
    expected = sorted(range(len(rows)), key=lambda i: (keys[keep][i], i))
    assert priority_order(keep, fetched_at=fetched_at, n_bytes=n_bytes).tolist() == expected


def test_null_instants_come_last():
    """A row without an instant counts as older than any other row."""
    column = pa.array([None, datetime(1, 1, 1, tzinfo=UTC)], pa.timestamp("us", "UTC"))
    fetched_at = instants(column).to_numpy()
    assert fetched_at[0] == NO_INSTANT
    assert priority_order("newest", fetched_at=fetched_at, n_bytes=np.zeros(2, np.int64)).tolist() == [1, 0]
    assert instants(pa.chunked_array([column])).to_pylist() == fetched_at.tolist()


@pytest.mark.parametrize("keep", ["newest", "oldest"])
def test_a_keep_rule_that_cannot_be_applied_is_refused(keep):
    """An unknown rule, or newest without instants, is a mistake of the caller."""
    with pytest.raises(ValueError, match="keep"):
        priority_order(keep, fetched_at=None, n_bytes=np.zeros(2, np.int64))


def test_merged_rows_are_dropped_or_tagged():
    """A row stays if it is its own keeper or takes no part; row numbers may have gaps."""
    batch = pa.RecordBatch.from_pydict({"text": ["a", "b", "c", "d"]})
    rows = np.array([4, 6, 7, 9])
    keepers = np.array([4, 4, -1, 6])
    dropped = settle_merged(batch, keepers, rows, mode="drop", stage="dedup_near")
    assert dropped.kept.column("text").to_pylist() == ["a", "c"]
    assert dropped.counts == {"merged": 2}
    assert dropped.rejected.num_rows == 0
    tagged = settle_merged(batch, keepers, rows, mode="tag", stage="dedup_near")
    assert tagged.kept.column("text").to_pylist() == ["a", "b", "c", "d"]
    assert tagged.kept.column("_cluster_dedup_near").to_pylist() == [4, 4, None, 6]
