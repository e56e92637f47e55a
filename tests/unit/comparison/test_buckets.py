"""Tests of `BucketFiles`: buckets on disk, with a buffer in memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from builder.comparison import buckets
from builder.comparison.buckets import BucketFiles


@pytest.mark.parametrize("buffered", [1, 3, 1 << 16])
def test_a_bucket_returns_its_records_in_the_order_of_adding(
    buffered: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The size of the buffer does not matter; a bucket without records is empty."""
    monkeypatch.setattr(buckets, "BUFFERED_RECORDS", buffered)
    store = BucketFiles(tmp_path / "store", np.dtype("<i8"))
    for start in range(0, 100, 10):
        records = np.arange(start, start + 10)
        store.add(records % 7, records)
    assert [store.read(number).tolist() for number in range(7)] == [
        list(range(number, 100, 7)) for number in range(7)
    ]
    assert store.read(7).tolist() == []
