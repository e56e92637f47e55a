"""Buffer the part of a decompressed archive in which records are searched for."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from builder.io.archive.members import Damage, Piece

_MAX_MEMBERS: Final = 4096


class Window:
    """A buffer of the decompressed archive that reaches at most to the next damage or the end of the file.

    ``data[0]`` is the byte ``offset`` of the archive. ``fill`` reads until the buffer is large enough. If it
    cannot, ``blocked`` is True, and ``damage`` is the damage after the data, or None at the end of the file.
    """

    def __init__(self, pieces: Iterable[Piece], offset: int) -> None:
        self._pieces = iter(pieces)
        self.data = bytearray()
        self.offset = offset
        self.damage: Damage | None = None
        self.blocked = False
        self._members: deque[tuple[int, int]] = deque()

    def fill(self, n_bytes: int) -> int:
        """Read until the buffer holds ``n_bytes`` or is blocked; return the bytes that it holds."""
        while len(self.data) < n_bytes and not self.blocked:
            piece = next(self._pieces, None)
            if piece is None:
                self.blocked = True
                break
            if piece.member is not None:
                self._note_member(piece.member)
            self.data += piece.data
            if piece.damage is not None:
                self.damage, self.blocked = piece.damage, True
        return len(self.data)

    def read(self, begin: int, end: int) -> bytes:
        """Return a copy of a part of the buffer; ``bytes(data[begin:end])`` would copy it twice."""
        with memoryview(self.data) as view:
            return bytes(view[begin:end])

    def drop(self, n_bytes: int) -> None:
        """Remove the first ``n_bytes`` from the buffer."""
        del self.data[:n_bytes]
        self.offset += n_bytes

    def skip_damage(self) -> None:
        """Continue after the damage, which counts as one byte."""
        self.offset += 1
        self.damage, self.blocked = None, False

    def member(self) -> int | None:
        """Return the offset, in the compressed file, of the member to which the first byte belongs."""
        while len(self._members) > 1 and self._members[1][0] <= self.offset:
            self._members.popleft()
        return self._members[0][1] if self._members else None

    def member_starts(self, begin: int, end: int) -> Iterator[int]:
        """Yield the positions in ``data``, from ``begin`` to before ``end``, at which members begin."""
        for place, _ in self._members:
            if begin <= place - self.offset < end:
                yield place - self.offset

    def last_member_start(self) -> int:
        """Return the offset, in the decompressed archive, at which the last member begins."""
        return self._members[-1][0] if self._members else 0

    def _note_member(self, member: int) -> None:
        """Note where a member begins. If the list is full, the new entry replaces the newest one."""
        place = self.offset + len(self.data)
        if self._members and (self._members[-1][0] == place or len(self._members) > _MAX_MEMBERS):
            self._members.pop()
        self._members.append((place, member))
