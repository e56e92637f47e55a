"""Find where each record of an archive begins and ends: WARC or ARC, CRLF or LF, whole or damaged.

Every byte of the decompressed archive belongs to exactly one span: a record, padding, or a failed span. Spans
are in order and without gaps. A part of a compressed file that gives no bytes counts as one byte, so that
no two spans have the same offset. No input raises an exception. Of one record, no more than
``max_record_bytes`` are held in memory.

A record's declared length is accepted if it is followed by another record, by the end of the file, or by the
line ends that close a record. Otherwise the length is wrong, and the record ends at the next line that
looks like the start of a record. In a record that declares more than ``max_record_bytes``, such a line ends
the record too, because its bytes cannot be kept until the declared end is reached.
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
    """One record of an archive.

    Attributes:
        offset: first byte of the head, in the decompressed archive.
        length: bytes of head, body and closing line ends, in the decompressed archive.
        fault: ``wrong_length`` or ``truncated`` if the declared length is not the actual one.
        member: first byte, in the compressed file, of the member in which the record begins.
    """

    offset: int
    length: int
    head: Head
    body: bytes
    fault: str | None = None
    member: int | None = None

    @property
    def raw(self) -> bytes:
        """The bytes of head and body, unchanged."""
        return self.head.raw + self.body


@dataclass(frozen=True, slots=True, kw_only=True)
class Padding:
    """A run of line ends between records."""

    offset: int
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A span that cannot be read as a record.

    ``raw`` is the beginning of its bytes. ``head`` is the head of the record if it could be read.
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
    """Split an archive into spans; the first record decides whether it is WARC or ARC.

    Args:
        offset: offset of the first byte in the archive, if only a part of the archive is read.
    """
    return iter(_Framer(Window(pieces, offset), max_record_bytes))


def opens_to_record(data: bytes) -> bool:
    """Return whether the first decompressed bytes of a member are the start of a record."""
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
            elif window.damage is not None:
                yield self._fail(window.damage.reason, window.damage.message)
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
            return self._fail("bad_header", "these bytes are not the start of a record")
        head = self._head()
        if head is None:
            return self._fail("bad_header", "the record's header has no end", at_end="truncated")
        self._kind = self._kind or head.kind
        if head.body_bytes is None:
            return self._end_at_next_start(head)
        end = head.n_bytes + head.body_bytes
        if head.body_bytes > self._max:
            message = f"the record declares {head.body_bytes} bytes; max_record_bytes = {self._max}"
            return self._fail("record_too_big", message, head=head, limit=end, at_end="truncated")
        if window.fill(end) < end or not self._ends_at(end, begin=head.n_bytes):
            return self._end_at_next_start(head)
        return self._record(head, body_end=end, span_end=end)

    def _head(self) -> Head | None:
        """Read the head that begins here; return None if it has no end before the next record or limit."""
        window = self._window
        if window.data[:5].upper() != b"WARC/":
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
        """Return whether the bytes after ``end`` are bytes that may follow a record.

        If the next record is damaged, the line ends that close this record are sufficient evidence. They are
        not if a record seems to begin in the body, which starts at ``begin``.
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
        if window.damage is None or window.damage.reason.endswith("_truncated"):
            return True
        return window.offset + end <= window.last_member_start()

    def _end_at_next_start(self, head: Head) -> Span:
        """End a record of wrong length where the next one begins."""
        window = self._window
        found = self._find_start(head.n_bytes, limit=head.n_bytes + self._max)
        if found is not None:
            line_ends = _LAST_LINE_ENDS.search(window.data, max(head.n_bytes, found - 4), found)
            body_end = line_ends.start() if line_ends else found
            return self._record(head, body_end=body_end, span_end=found, fault="wrong_length")
        if not window.blocked or window.damage is not None:
            message = f"no end of the record was found within max_record_bytes = {self._max}"
            return self._fail("wrong_length", message, head=head)
        end = len(window.data)
        short = head.body_bytes is not None and head.n_bytes + head.body_bytes > end
        return self._record(head, body_end=end, span_end=end, fault="truncated" if short else "wrong_length")

    def _search(self, begin: int, end: int) -> int | None:
        """Find the next start of a record in the window: at the start of a line or of a member."""
        data = self._window.data
        found = heads.find_start(data, begin, end, kind=self._kind)
        for place in self._window.member_starts(begin, end if found is None else found):
            if heads.is_start(data, place, kind=self._kind, strict=True):
                return place
        return found

    def _find_start(self, begin: int, *, limit: int) -> int | None:
        """Find the next start of a record without dropping bytes from the window."""
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
        """Drop all bytes up to the next start of a record, the damage, or the end of the file.

        Args:
            limit: the largest number of bytes to drop.
            at_end: the reason to use if the file ends first.
        """
        window = self._window
        offset, member = window.offset, window.member()
        raw, stopped_by = self._skip(limit)
        damage = window.damage
        if stopped_by == "block" and damage is not None:
            reason, message = damage.reason, damage.message
            window.skip_damage()
        elif stopped_by == "block" and at_end is not None:
            reason, message = at_end, f"the file ends inside this record; {message}"
        elif stopped_by == "start" and limit is not None:
            reason, message = "wrong_length", f"the next record begins before the declared end; {message}"
        return Failed(
            offset=offset,
            length=window.offset - offset,
            reason=reason,
            message=message,
            raw=raw,
            head=head,
            member=member,
        )

    def _skip(self, limit: int | None) -> tuple[bytes, Literal["start", "block", "limit"]]:
        """Drop bytes; return the first of them and what ended the span."""
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
