"""Letting go of mapped files."""

from __future__ import annotations

import mmap
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from builder.io.mapped import _ranges, let_go

N_BYTES = 8 << 20


def resident_bytes(folder: Path) -> int:
    """What this process holds of the files below a folder."""
    total, ours = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if "-" in line.split()[0] and not line.split()[0].endswith(":"):
            ours = f"{folder}/" in line
        elif ours and line.startswith("Rss:"):
            total += int(line.split()[1]) * 1024
    return total


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such table")
def test_pages_are_let_go_of_and_the_bytes_stay(tmp_path: Path) -> None:
    """What is read again is what was there; nothing of ours but files that are only read is touched."""
    data = np.random.default_rng(1).integers(0, 255, N_BYTES, np.uint8)
    folder = tmp_path / "a b"
    folder.mkdir()
    (folder / "x.arrow").write_bytes(data.tobytes())
    (folder / "private").write_bytes(bytes(N_BYTES))
    heap = data.copy()
    with (folder / "private").open("r+b") as file, pa.memory_map(str(folder / "x.arrow")) as mapped:
        written = mmap.mmap(file.fileno(), N_BYTES, flags=mmap.MAP_PRIVATE)
        written[:] = data.tobytes()
        read = np.frombuffer(mapped.read_buffer(), np.uint8)
        assert (read == data).all()
        assert resident_bytes(folder) >= 2 * N_BYTES
        let_go(folder)
        assert resident_bytes(folder) < 2 * N_BYTES
        assert len(list(_ranges(str(folder)))) == 1
        assert (read == data).all()
        assert written[:] == data.tobytes()
        assert (heap == data).all()
        written.close()


def test_a_folder_that_nobody_maps_is_no_matter(tmp_path: Path) -> None:
    """Nothing happens."""
    let_go(tmp_path / "nothing")
