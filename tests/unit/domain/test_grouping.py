"""Grouping rows by keys of fixed width."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from builder.domain.grouping import KEY_TYPE, best_of_group, instants_of, key_words, ranks
from builder.domain.merging import NO_INSTANT

KEYS = st.lists(
    st.sampled_from([None, b"\0" * 16, b"a" * 16, b"a" * 15 + b"b", b"b" + b"a" * 15]), max_size=9
)


@given(KEYS, st.integers(0, 3), st.data())
def test_the_best_of_each_key_is_found(keys: list[bytes | None], cut: int, data: st.DataObject) -> None:
    """For any keys, chunks and ranks, the result is the row with the lowest rank among equal keys."""
    rank = np.array(data.draw(st.permutations(range(len(keys)))), dtype=np.int64)
    whole = pa.array([b"x" * 16, *keys, b"y" * 16], KEY_TYPE)[1:-1]
    words, has_key = key_words(pa.chunked_array([whole[:cut], whole[cut:]], KEY_TYPE))
    assert has_key.tolist() == [key is not None for key in keys]
    rows = np.flatnonzero(has_key)
    best = rows[best_of_group(words[rows], rank[rows])]
    expected = [
        min((r for r, other in enumerate(keys) if other == key), key=lambda r: rank[r])
        for key in keys
        if key is not None
    ]
    assert best.tolist() == expected


def test_ranks_invert_an_order() -> None:
    """The first row of the order has rank 0."""
    assert ranks(np.array([2, 0, 1])).tolist() == [1, 2, 0]


def test_rows_without_a_timestamp_column_have_no_instant() -> None:
    """The column may be missing, or may have another type."""
    batch = pa.record_batch({"a": ["x"], "b": pa.array([7], pa.timestamp("us", "UTC"))})
    assert [instants_of(batch, name).to_pylist() for name in ("a", "b", None)] == [
        [NO_INSTANT],
        [7],
        [NO_INSTANT],
    ]
