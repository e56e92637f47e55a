"""Where each record of an archive begins and ends. WARC and ARC, CRLF or LF, whole or damaged.

The law: every byte of the decompressed archive lies in a record, in padding, or in a failed span, in order
and without a gap; a stretch of a compressed file that gave nothing counts as one byte, so that no two spans
have one place. Nothing raises, and nothing over ``max_record_bytes`` is held.

A record's length is believed if another record, the end of the file, or the line ends that close a record
stand behind it. Otherwise its length is wrong, and the record ends where the next one begins: at the next
line that looks like a record's beginning. In a record that claims more than ``max_record_bytes`` such a
line is believed as well, because the bytes cannot be kept until its end is seen.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from builder.domain.rejection import MAX_RECORD_KEPT
from builder.io.archive import heads as heads
from builder.io.archive.window import Window

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from builder.io.archive.heads import Head, Kind
    from builder.io.archive.members import Piece

_SCAN_BYTES: Final = 256 << 10
_MAX_LINE_ENDS: Final = 64 << 10

_LINE_ENDS = re.compile(rb"[\r\n]+")
_CLOSING = {"warc": re.compile(rb"\r?\n\r?\n"), "arc": re.compile(rb"\r?\n")}
_LAST_LINE_ENDS = re.compile(rb"(?:\r?\n){1,2}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record. ``fault`` is ``wrong_length`` or ``truncated`` where its length is not what it says.

    ``offset`` and ``length`` are its place in the decompressed archive, head and body; ``member`` is where in
    the compressed file the member begins in which it begins.
    """

    offset: int
    length: int
    head: Head
    body: bytes
    fault: str | None = None
    member: int | None = None

    @property
    def raw(self) -> bytes:
        """The record as it came."""
        return self.head.raw + self.body


@dataclass(frozen=True, slots=True, kw_only=True)
class Padding:
    """Line ends between records."""

    offset: int
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """Bytes of which nothing can be made; ``raw`` is the beginning of them.

    ``head`` is that of the record, where it could be read.
    """

    offset: int
    length: int
    reason: str
    message: str
    raw: bytes = b""
    head: Head | None = None
    member: int | None = None


Span: TypeAlias = Record | Padding | Failed


def read_spans(pieces: Iterable[Piece], *, max_record_bytes: int, offset: int = 0) -> Iterator[Span]:
    """Split an archive into spans. Whether it is WARC or ARC is told by its first record.

    Args:
        offset: the place of the first byte, where a part of an archive is read.
    """
    return iter(_Framer(Window(pieces, offset), max_record_bytes))


def opens_to_record(data: bytes) -> bool:
    """Say whether decompressed bytes are the beginning of a member that begins with a record."""
    return heads.is_start(data.lstrip(b"\r\n"), strict=True)


class _Framer:
    def __init__(self, window: Window, max_record_bytes: int) -> None:
        self._window, self._max = window, max_record_bytes
        self._kind: Kind | None = None

    def __iter__(self) -> Iterator[Span]:
        window = self._window
        while True:
            yield from self._padding()
            if window.fill(1):
                yield self._next()
            elif window.wall is not None:
                yield self._fail(window.wall.reason, window.wall.message)
            else:
                return

    def _padding(self) -> Iterator[Padding]:
        window = self._window
        while window.fill(1) and (line_ends := _LINE_ENDS.match(window.data)):
            yield Padding(offset=window.offset, length=line_ends.end())
            window.drop(line_ends.end())

    def _next(self) -> Span:
        window = self._window
        window.fill(heads.MAX_START_BYTES)
        if not heads.is_start(window.data, kind=self._kind):
            return self._fail("bad_header", "no record begins here")
        head = self._head()
        if head is None:
            return self._fail("bad_header", "the header of this record does not end", at_end="truncated")
        self._kind = self._kind or head.kind
        if head.body_bytes is None:
            return self._misframed(head)
        end = head.n_bytes + head.body_bytes
        if head.body_bytes > self._max:
            message = f"it says that it has {head.body_bytes} bytes, and {self._max} are allowed"
            return self._fail("record_too_big", message, head=head, limit=end, at_end="truncated")
        if window.fill(end) < end or not self._ends_at(end, begin=head.n_bytes):
            return self._misframed(head)
        return self._record(head, body_end=end, span_end=end)

    def _head(self) -> Head | None:
        """Read the head that begins here; None if it has no end before the next record or the limit."""
        window = self._window
        if not window.data.startswith(b"WARC/"):
            return heads.parse_arc(window.data)
        size = 512
        while (end := heads.head_end(window.data, size)) is None:
            if heads.find_start(window.data, 1, size, kind="warc") is not None:
                return None
            if size >= heads.MAX_HEAD_BYTES or window.fill(size) < size:
                return None
            size *= 2
            window.fill(size)
        if heads.find_start(window.data, 1, end, kind="warc") is not None:
            return None
        return heads.parse_warc(window.read(0, end))

    def _record(self, head: Head, *, body_end: int, span_end: int, fault: str | None = None) -> Record:
        window = self._window
        record = Record(
            offset=window.offset,
            length=span_end,
            head=head,
            body=window.read(head.n_bytes, body_end),
            fault=fault,
            member=window.member(),
        )
        window.drop(span_end)
        return record

    def _ends_at(self, end: int, *, begin: int) -> bool:
        """Say whether what stands behind ``end`` is what may stand behind a record.

        Line ends that close a record do for evidence where something is wrong with the next one; but not if
        the next one seems to begin before, in the body from ``begin`` on.
        """
        window, at = self._window, end
        while window.fill(at + 1) > at and (line_ends := _LINE_ENDS.match(window.data, at)):
            at = line_ends.end()
            if at - end > _MAX_LINE_ENDS:
                return True
        if at < len(window.data):
            window.fill(at + heads.MAX_START_BYTES)
            if heads.is_start(window.data, at, kind=self._kind):
                return True
            if not _CLOSING[self._kind or "warc"].match(window.data, end):
                return False
            if window.blocked and heads.is_cut_start(window.data, at, kind=self._kind):
                return True
            return heads.find_start(window.data, begin, end, kind=self._kind) is None
        if window.wall is None or window.wall.reason.endswith("_truncated"):
            return True
        return window.offset + end <= window.last_member_begins()

    def _misframed(self, head: Head) -> Span:
        """End a record whose length is wrong where the next one begins."""
        window = self._window
        found = self._find_start(head.n_bytes, limit=head.n_bytes + self._max)
        if found is not None:
            line_ends = _LAST_LINE_ENDS.search(window.data, max(head.n_bytes, found - 4), found)
            body_end = line_ends.start() if line_ends else found
            return self._record(head, body_end=body_end, span_end=found, fault="wrong_length")
        if not window.blocked or window.wall is not None:
            return self._fail("wrong_length", f"it has no end within {self._max} bytes", head=head)
        end = len(window.data)
        short = head.body_bytes is not None and head.n_bytes + head.body_bytes > end
        return self._record(head, body_end=end, span_end=end, fault="truncated" if short else "wrong_length")

    def _search(self, begin: int, end: int) -> int | None:
        """Look for the next record's beginning among what is held: on a line or a member of its own."""
        data = self._window.data
        found = heads.find_start(data, begin, end, kind=self._kind)
        for place in self._window.openings(begin, end if found is None else found):
            if heads.is_start(data, place, kind=self._kind, strict=True):
                return place
        return found

    def _find_start(self, begin: int, *, limit: int) -> int | None:
        """Look for the next record's beginning without letting go of what is held."""
        window = self._window
        while begin < limit:
            n_bytes = window.fill(begin + _SCAN_BYTES + heads.MAX_START_BYTES)
            end = n_bytes if window.blocked else n_bytes - heads.MAX_START_BYTES
            found = self._search(begin, end)
            if found is not None or window.blocked:
                return found
            begin = end
        return None

    def _fail(
        self,
        reason: str,
        message: str,
        *,
        head: Head | None = None,
        limit: int | None = None,
        at_end: str | None = None,
    ) -> Failed:
        """Let go of all up to the next record's beginning, the damage, or the end.

        Args:
            limit: bytes behind which to stop in any case.
            at_end: the reason if it is the end of the file.
        """
        window = self._window
        offset, member = window.offset, window.member()
        raw, stopped_by = self._let_go(limit)
        wall = window.wall
        if stopped_by == "block" and wall is not None:
            reason, message = wall.reason, wall.message
            window.pass_wall()
        elif stopped_by == "block" and at_end is not None:
            reason, message = at_end, f"the file ends inside this record; {message}"
        elif stopped_by == "start" and limit is not None:
            reason, message = "wrong_length", f"the next record begins too early; {message}"
        return Failed(
            offset=offset,
            length=window.offset - offset,
            reason=reason,
            message=message,
            raw=raw,
            head=head,
            member=member,
        )

    def _let_go(self, limit: int | None) -> tuple[bytes, Literal["start", "block", "limit"]]:
        """Drop bytes, and return the first of them and what put an end to it."""
        window, raw = self._window, bytearray()
        left = sys.maxsize if limit is None else limit
        while True:
            n_bytes = window.fill(_SCAN_BYTES + heads.MAX_START_BYTES)
            end = n_bytes if window.blocked else n_bytes - heads.MAX_START_BYTES
            found = self._search(1, end)
            stop = min(left, n_bytes if window.blocked else end - 1) if found is None else min(left, found)
            raw += window.data[: max(0, min(stop, MAX_RECORD_KEPT - len(raw)))]
            window.drop(stop)
            left -= stop
            if not left:
                return bytes(raw), "limit"
            if found is not None:
                return bytes(raw), "start"
            if window.blocked:
                return bytes(raw), "block"
