"""Split a large uncompressed archive into parts that can be read in parallel.

A part ends, and the next begins, at the first line at or after the cut that looks like the start of a record.
The readers of both parts find the same line independently, so each byte belongs to one part. The limitation:
a record across the cut whose body contains an archive is split there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Final

from builder.io.archive import heads as heads
from builder.io.archive.members import READ_BYTES, Damage, Piece
from builder.io.streams.streams import DamagedMemberError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from builder.io.archive.heads import Kind

PART_BYTES: Final = 16 << 20
"""Bytes of a part; the text of one takes about a second to extract."""


def part_bounds(stream: BinaryIO, *, start: int, stop: int | None) -> tuple[int, int | None]:
    """Return where the records of a part begin and end; an empty range if no record begins in the part."""
    kind = _kind(stream)
    first = 0 if start == 0 else _find_start(stream, start, stop, kind=kind)
    if first is None:
        return start, start
    return first, None if stop is None else _find_start(stream, stop, None, kind=kind)


def read_part(stream: BinaryIO, *, first: int, last: int | None) -> Iterator[Piece]:
    """Read the bytes from ``first`` to before ``last`` of an uncompressed file."""
    stream.seek(first)
    at = first
    try:
        while data := stream.read(READ_BYTES if last is None else min(READ_BYTES, last - at)):
            at += len(data)
            yield Piece(data)
    except DamagedMemberError as error:
        damage = Damage(reason="member_corrupt", offset=at, length=1, message=str(error))
        yield Piece(b"", damage=damage)


def _kind(stream: BinaryIO) -> Kind | None:
    stream.seek(0)
    opening = stream.read(heads.MAX_START_BYTES).lstrip(b"\r\n")
    if heads.is_start(opening, kind="warc"):
        return "warc"
    return "arc" if heads.is_start(opening, kind="arc") else None


def _find_start(stream: BinaryIO, begin: int, limit: int | None, *, kind: Kind | None) -> int | None:
    """Return the first start of a record at or after ``begin`` and before ``limit``."""
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
