"""What is held of an archive while its records are looked for."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from builder.io.archive.members import Damage, Piece

_MAX_MEMBERS: Final = 4096


class Window:
    """What is held of the decompressed archive, up to the next damage or the end.

    ``data[0]`` has the place ``offset``. ``fill`` reads on until enough is held; if it is not, then
    ``blocked``: ``wall`` is the damage that stands behind the data, or None at the end of the file.
    """

    def __init__(self, pieces: Iterable[Piece], offset: int) -> None:
        self._pieces = iter(pieces)
        self.data = bytearray()
        self.offset = offset
        self.wall: Damage | None = None
        self.blocked = False
        self._members: deque[tuple[int, int]] = deque()

    def fill(self, n_bytes: int) -> int:
        """Hold so many bytes if there are; return how many are held."""
        while len(self.data) < n_bytes and not self.blocked:
            piece = next(self._pieces, None)
            if piece is None:
                self.blocked = True
                break
            if piece.member is not None:
                self._note_member(piece.member)
            self.data += piece.data
            if piece.damage is not None:
                self.wall, self.blocked = piece.damage, True
        return len(self.data)

    def read(self, begin: int, end: int) -> bytes:
        """Copy a part of what is held, once."""
        with memoryview(self.data) as view:
            return bytes(view[begin:end])

    def drop(self, n_bytes: int) -> None:
        """Let go of the first bytes."""
        del self.data[:n_bytes]
        self.offset += n_bytes

    def pass_wall(self) -> None:
        """Go on behind the damage, which counts as one byte."""
        self.offset += 1
        self.wall, self.blocked = None, False

    def member(self) -> int | None:
        """Return where in the file the member begins that the first byte held is from."""
        while len(self._members) > 1 and self._members[1][0] <= self.offset:
            self._members.popleft()
        return self._members[0][1] if self._members else None

    def openings(self, begin: int, end: int) -> Iterator[int]:
        """Give where in what is held members begin."""
        for place, _ in self._members:
            if begin <= place - self.offset < end:
                yield place - self.offset

    def last_member_begins(self) -> int:
        """Return the place at which the data of the last member begin."""
        return self._members[-1][0] if self._members else 0

    def _note_member(self, member: int) -> None:
        """Note where a member begins; of very many small ones the last are enough."""
        place = self.offset + len(self.data)
        if self._members and (self._members[-1][0] == place or len(self._members) > _MAX_MEMBERS):
            self._members.pop()
        self._members.append((place, member))
