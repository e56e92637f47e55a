"""Read Arrow files through a memory map, and release their pages when they are no longer needed."""

from __future__ import annotations

import ctypes
import mmap
import sys
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pyarrow as pa

_DONT_NEED = 4


@dataclass(frozen=True, slots=True)
class MappedFile:
    """A mapped file of Arrow IPC streams, one after another. Its bytes are read on first access.

    The map stays as long as this value or an array of one of its batches exists.
    """

    whole: pa.Buffer
    _batches: dict[int, pa.RecordBatch] = field(default_factory=dict)

    @classmethod
    def open(cls, path: str) -> MappedFile:
        """Map a file of uncompressed streams."""
        with pa.memory_map(path) as mapped:
            return cls(mapped.read_buffer())

    def batch(self, offset: int, size: int) -> pa.RecordBatch:
        """Return the one batch of the stream at an offset; ``size`` is in bytes. Nothing is copied."""
        if offset not in self._batches:
            with pa.ipc.open_stream(pa.BufferReader(self.whole.slice(offset, size))) as stream:
                self._batches[offset] = stream.read_next_batch()
        return self._batches[offset]

    def release(self, offset: int = 0, size: int | None = None) -> None:
        """Release the memory pages of a range of bytes, or of all; a later access reads them again.

        A process keeps every mapped page that it has accessed, and the pages around it: up to 2 MB for a
        single byte. No data can be lost, because the map is read-only. Does nothing on systems other than
        Linux.
        """
        if sys.platform == "linux":
            end = self.whole.size if size is None else offset + size
            start = offset - offset % mmap.PAGESIZE
            at = ctypes.c_void_p(self.whole.address + start)
            _libc().madvise(at, ctypes.c_size_t(end - start), _DONT_NEED)


@cache
def _libc() -> Any:
    return ctypes.CDLL(None)
