"""Shared memory in which workers record their unit of work. It is readable after a worker's death."""

from __future__ import annotations

import mmap
import os
import struct
from dataclasses import dataclass

_SLOT_BYTES = 256
_STAGE_BYTES = 128
_UNIT = struct.Struct("<qqdd")
"""Number of the entry (even: no unit in progress), unit, limit in seconds, monotonic time of the entry."""
_TICKS = struct.Struct("<qq")
_STAGE_AT = _UNIT.size
_TICKS_AT = _STAGE_AT + 1 + _STAGE_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class InProgress:
    """The unit that a worker is in; ``entry`` is another number each time that a unit is entered."""

    entry: int
    stage: str
    unit: int
    limit_s: float
    since_s: float


class SharedStatus:
    """One slot per worker. Only the worker writes its slot, except ``clear``."""

    def __init__(self, fd: int, n_slots: int) -> None:
        n_bytes = n_slots * _SLOT_BYTES
        if os.fstat(fd).st_size < n_bytes:
            os.ftruncate(fd, n_bytes)
        self._map = mmap.mmap(fd, n_bytes)

    def enter(self, slot: int, *, stage: str, unit: int, limit_s: float, now_s: float) -> None:
        """Record the unit that starts. The entry's number is written last, so a torn write is ignored."""
        at = slot * _SLOT_BYTES
        (entry,) = struct.unpack_from("<q", self._map, at)
        name = stage.encode()[:_STAGE_BYTES]
        struct.pack_into(f"<B{len(name)}s", self._map, at + _STAGE_AT, len(name), name)
        struct.pack_into("<qdd", self._map, at + 8, unit, limit_s, now_s)
        struct.pack_into("<q", self._map, at, entry + 1 if entry % 2 == 0 else entry + 2)

    def leave(self, slot: int) -> None:
        """Record that no unit is in progress."""
        at = slot * _SLOT_BYTES
        (entry,) = struct.unpack_from("<q", self._map, at)
        if entry % 2:
            struct.pack_into("<q", self._map, at, entry + 1)

    def tick(self, slot: int, n_records: int, n_bytes: int) -> None:
        """Add to the finished records and bytes of the worker's task."""
        at = slot * _SLOT_BYTES + _TICKS_AT
        records, size = _TICKS.unpack_from(self._map, at)
        _TICKS.pack_into(self._map, at, records + n_records, size + n_bytes)

    def clear(self, slot: int) -> None:
        """Reset a slot before a task starts."""
        self.leave(slot)
        _TICKS.pack_into(self._map, slot * _SLOT_BYTES + _TICKS_AT, 0, 0)

    def in_progress(self, slot: int) -> InProgress | None:
        """Return the unit that the worker is in, or was in when it died."""
        at = slot * _SLOT_BYTES
        entry, unit, limit_s, since_s = _UNIT.unpack_from(self._map, at)
        n_name = self._map[at + _STAGE_AT]
        name = self._map[at + _STAGE_AT + 1 : at + _STAGE_AT + 1 + n_name]
        if entry % 2 == 0 or struct.unpack_from("<q", self._map, at) != (entry,):
            return None
        stage = name.decode(errors="replace")
        return InProgress(entry=entry, stage=stage, unit=unit, limit_s=limit_s, since_s=since_s)

    def ticks(self, slot: int) -> tuple[int, int]:
        """Return the finished records and bytes of the worker's task."""
        records, size = _TICKS.unpack_from(self._map, slot * _SLOT_BYTES + _TICKS_AT)
        return records, size

    def close(self) -> None:
        """Unmap the memory."""
        self._map.close()
