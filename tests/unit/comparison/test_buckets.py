"""BucketFiles give back what was put away, however much of it is held back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from builder.comparison import buckets
from builder.comparison.buckets import BucketFiles


@pytest.mark.parametrize("held", [1, 3, 1 << 16])
def test_records_come_back_in_their_order(held: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each bucket has its records in the order in which they came; one without records is empty."""
    monkeypatch.setattr(buckets, "HELD", held)
    store = BucketFiles(tmp_path / "store", np.dtype("<i8"))
    for start in range(0, 100, 10):
        records = np.arange(start, start + 10)
        store.add(records % 7, records)
    assert [store.read(number).tolist() for number in range(7)] == [
        list(range(number, 100, 7)) for number in range(7)
    ]
    assert store.read(7).tolist() == []
