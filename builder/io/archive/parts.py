"""Large archives that are not compressed, in parts that can be read side by side.

A part ends, and the next begins, at the first line at or behind the cut that looks like a record's beginning.
Both find it alone and alike, so each byte belongs to one part. A record that lies across the cut and
holds an archive in its body is cut there: that is what reading in parts costs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Final

from builder.io.archive import heads as heads
from builder.io.archive.members import READ_BYTES, Piece

if TYPE_CHECKING:
    from collections.abc import Iterator

    from builder.io.archive.heads import Kind

PART_BYTES: Final = 16 << 20
"""Parts are read side by side; one of this size takes about a second to extract."""


def part_bounds(stream: BinaryIO, *, start: int, stop: int | None) -> tuple[int, int | None]:
    """Return where in the file the records of a part begin and end; nowhere if none begins in it."""
    kind = _kind(stream)
    first = 0 if start == 0 else _find_start(stream, start, stop, kind=kind)
    if first is None:
        return start, start
    return first, None if stop is None else _find_start(stream, stop, None, kind=kind)


def read_part(stream: BinaryIO, *, first: int, last: int | None) -> Iterator[Piece]:
    """Read some bytes of a file that is not compressed."""
    stream.seek(first)
    at = first
    while data := stream.read(READ_BYTES if last is None else min(READ_BYTES, last - at)):
        at += len(data)
        yield Piece(data)


def _kind(stream: BinaryIO) -> Kind | None:
    stream.seek(0)
    opening = stream.read(heads.MAX_START_BYTES).lstrip(b"\r\n")
    if heads.is_start(opening, kind="warc"):
        return "warc"
    return "arc" if heads.is_start(opening, kind="arc") else None


def _find_start(stream: BinaryIO, begin: int, limit: int | None, *, kind: Kind | None) -> int | None:
    """Look for the first record's beginning at ``begin`` or behind, and before ``limit``."""
    at = begin - 1
    stream.seek(at)
    data = bytearray()
    while limit is None or at + 1 < limit:
        while len(data) < READ_BYTES + heads.MAX_START_BYTES and (more := stream.read(READ_BYTES)):
            data += more
        whole = len(data) < READ_BYTES + heads.MAX_START_BYTES
        end = len(data) if whole else len(data) - heads.MAX_START_BYTES
        found = heads.find_start(data, 1, end, kind=kind)
        if found is not None:
            return at + found if limit is None or at + found < limit else None
        if whole:
            return None
        del data[: end - 1]
        at += end - 1
    return None
