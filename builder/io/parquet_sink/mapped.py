"""Read Arrow files through a memory map, and release their pages when they are no longer needed."""

from __future__ import annotations

import ctypes
import sys
from dataclasses import dataclass
from functools import cache
from typing import Any

import pyarrow as pa

_DONT_NEED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedBatch:
    """A mapped file with one batch; its bytes are read from the disk on first access."""

    batch: pa.RecordBatch
    whole: pa.Buffer

    @classmethod
    def open(cls, path: str) -> MappedBatch:
        """Map an uncompressed Arrow IPC file."""
        with pa.memory_map(path) as mapped:
            whole = mapped.read_buffer()
        return cls(batch=pa.ipc.open_file(pa.BufferReader(whole)).get_batch(0), whole=whole)

    def release(self) -> None:
        """Release the memory pages of the file; a later access reads them again.

        A process keeps every mapped page that it has accessed, and the pages around it: up to 2 MB for a
        single byte. No data can be lost, because the map is read-only. Does nothing on systems other than
        Linux.
        """
        if sys.platform == "linux":
            start, size = ctypes.c_void_p(self.whole.address), ctypes.c_size_t(self.whole.size)
            _libc().madvise(start, size, _DONT_NEED)


@cache
def _libc() -> Any:
    return ctypes.CDLL(None)
