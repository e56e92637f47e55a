"""Arrow files by memory map, whose memory counts as ours only as long as we hold their pages."""

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
    """A file that holds one batch, which is read when it is touched."""

    batch: pa.RecordBatch
    whole: pa.Buffer

    @classmethod
    def open(cls, path: str) -> MappedBatch:
        """Map a file of Arrow IPC, not compressed."""
        with pa.memory_map(path) as mapped:
            whole = mapped.read_buffer()
        return cls(batch=pa.ipc.open_file(pa.BufferReader(whole)).get_batch(0), whole=whole)

    def release(self) -> None:
        """Let go of the pages of the file; they are read again when they are touched.

        What reads a file through a map holds every page that it has ever touched, and those around it: up to
        2 MB for a single byte. No byte can be lost, because the file is mapped to be read only. Does nothing
        but on Linux.
        """
        if sys.platform == "linux":
            start, size = ctypes.c_void_p(self.whole.address), ctypes.c_size_t(self.whole.size)
            _libc().madvise(start, size, _DONT_NEED)


@cache
def _libc() -> Any:
    return ctypes.CDLL(None)
