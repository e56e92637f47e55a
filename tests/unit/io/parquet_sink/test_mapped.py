"""Mapped files release their memory pages."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from mapped_memory import resident_bytes

from builder.io.parquet_sink.mapped import MappedFile

N_ROWS = 1 << 20


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such table")
def test_released_pages_are_read_again_with_the_same_bytes(tmp_path: Path) -> None:
    """Any number of times, and no other memory of the process is affected."""
    data = np.random.default_rng(1).integers(0, 1 << 60, N_ROWS)
    heap = data.copy()
    batch = pa.record_batch({"x": pa.array(data)})
    path = tmp_path / "x y.arrow"
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, batch.schema) as writer:
        writer.write_batch(batch)
    mapped = MappedFile.open(str(path))
    column = mapped.batch(0, path.stat().st_size).column("x")
    for _ in range(2):
        assert (column.to_numpy() == data).all()
        assert resident_bytes(path) >= 8 * N_ROWS
        mapped.release()
        assert resident_bytes(path) < N_ROWS
    assert (heap == data).all()


def test_each_stream_of_a_file_is_a_batch(tmp_path: Path) -> None:
    """Streams of several batches are one after another; the place of each is in its range of bytes."""
    path = tmp_path / "x.arrows"
    batches = [pa.record_batch({"x": pa.array(["a" * n] * n)}) for n in range(1, 4)]
    places = []
    for batch in batches:
        with pa.OSFile(str(path), "ab") as file:
            start = file.tell()
            with pa.ipc.new_stream(file, batch.schema) as writer:
                writer.write_batch(batch)
            places.append((start, file.tell() - start))
    mapped = MappedFile.open(str(path))
    for place, batch in zip(places, batches, strict=True):
        mapped.release(*place)
        assert mapped.batch(*place).equals(batch)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such table")
def test_only_the_pages_of_the_map_are_released(tmp_path: Path) -> None:
    """The released range is exactly that of the map."""
    batch = pa.record_batch({"x": pa.array(np.arange(N_ROWS))})
    path = tmp_path / "x.arrow"
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, batch.schema) as writer:
        writer.write_batch(batch)
    mapped = MappedFile.open(str(path))
    lines = Path("/proc/self/maps").read_text().splitlines()
    (mine,) = (line.split()[0] for line in lines if line.endswith(str(path)))
    start, stop = (int(text, 16) for text in mine.split("-"))
    assert mapped.whole.address == start
    assert mapped.whole.size == path.stat().st_size
    assert start + mapped.whole.size <= stop
