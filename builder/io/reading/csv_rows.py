"""Parse rows of comma-separated values with their offsets; a broken row loses only one line."""

from __future__ import annotations

import csv
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from builder.io.reading.lines import BrokenLine, Lines, LongLine

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from builder.io.reading.csv_dialect import Dialect
    from builder.io.reading.lines import LinePiece

REASONS = {
    "csv_quotes": "The quotes of the row are not balanced.",
    "csv_width": "The number of values in the row differs from the header.",
    "csv_encoding": "The row has bytes that are not valid in the encoding.",
}

_Line: TypeAlias = "tuple[int, bytes | LongLine | BrokenLine]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row; ``lines`` are the lines that it was parsed from."""

    offset: int
    values: list[str | None]
    lines: list[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenRow:
    """A line or row that cannot be parsed, and the reason."""

    offset: int
    reason: str
    message: str
    raw: bytes


def read_rows(
    pieces: Iterable[LinePiece], *, dialect: Dialect, encoding: str, max_bytes: int
) -> Iterator[Row | BrokenRow]:
    """Parse lines into rows; blank lines are skipped.

    If a row cannot be parsed, its first line fails, and parsing resumes at the next line. Otherwise a quote
    that is never closed would fail the rest of the file.

    Args:
        max_bytes: limit on a row; at most twice as many bytes are held in memory.
    """
    csv.field_size_limit(max_bytes + 2)
    feed = _Feed(pieces, encoding=encoding, max_bytes=max_bytes)
    reader = dialect.reader(feed)
    while True:
        feed.begin()
        try:
            values = next(reader, None)
        except csv.Error as error:
            yield feed.fail_first_line("csv_quotes", f"{error}; {dialect.advice(feed.first_line)}")
        except _StoppedError:
            yield feed.fail_stopped()
        else:
            if values is None:
                return
            if feed.damaged:
                yield feed.fail_row("csv_encoding", f"the row is not valid {encoding}")
            elif values:
                yield feed.row(values)
            continue
        reader = dialect.reader(feed)


class _StoppedError(Exception):
    """The next line cannot be read, or makes the row too long."""


class _Feed:
    """Passes lines to the parser, and keeps those of the current row."""

    def __init__(self, pieces: Iterable[LinePiece], *, encoding: str, max_bytes: int) -> None:
        self._ahead = _lines(pieces)
        self._back: deque[_Line] = deque()
        self._encoding, self._max_bytes = encoding, max_bytes
        self._taken: list[tuple[int, bytes]] = []
        self._n_bytes = 0
        self.damaged = False

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        offset, line = self._back.popleft() if self._back else next(self._ahead)
        if not isinstance(line, bytes):
            self._back.appendleft((offset, line))
            raise _StoppedError
        self._taken.append((offset, line))
        self._n_bytes += len(line)
        if self._n_bytes > self._max_bytes and self._n_bytes - len(_end_of(line)) > self._max_bytes:
            raise _StoppedError
        try:
            return line.decode(self._encoding)
        except UnicodeDecodeError:
            self.damaged = True
            return line.decode("latin-1")  # only to find the end of the row

    def begin(self) -> None:
        """Start a new row."""
        self._taken, self._n_bytes, self.damaged = [], 0, False

    def row(self, values: list[str | None]) -> Row:
        """Return the row that was parsed."""
        return Row(offset=self._taken[0][0], values=values, lines=[line for _, line in self._taken])

    @property
    def first_line(self) -> bytes:
        """The first line of the row."""
        return self._taken[0][1]

    def fail_row(self, reason: str, message: str) -> BrokenRow:
        """Fail all lines of the row."""
        raw = b"".join(line for _, line in self._taken)
        return BrokenRow(offset=self._taken[0][0], reason=reason, message=message, raw=raw)

    def fail_first_line(self, reason: str, message: str) -> BrokenRow:
        """Fail the first line of the row; the others are parsed again."""
        offset, line = self._taken[0]
        self._back.extendleft(reversed(self._taken[1:]))
        return BrokenRow(offset=offset, reason=reason, message=message, raw=line)

    def fail_stopped(self) -> BrokenRow:
        """Fail what stopped the parser: a row that is too long, or a line that cannot be read."""
        if self._taken:
            message = f"the row is longer than max_record_bytes = {self._max_bytes}"
            return self.fail_first_line("record_too_big", message)
        offset, line = self._back.popleft()
        if isinstance(line, BrokenLine):
            fault = line.fault
            message = f"{fault.message}; {fault.offset} bytes were decompressed before it"
            return BrokenRow(offset=offset, reason=fault.reason, message=message, raw=line.head)
        raw = line.head if isinstance(line, LongLine) else line
        message = f"the line is longer than max_record_bytes = {self._max_bytes}"
        return BrokenRow(offset=offset, reason="record_too_big", message=message, raw=raw)


def _lines(pieces: Iterable[LinePiece]) -> Iterator[_Line]:
    for piece in pieces:
        if not isinstance(piece, Lines):
            yield piece.offset, piece
            continue
        offset = piece.offset
        for line in piece.data.split(b"\n")[:-1]:
            yield offset, line + b"\n"
            offset += len(line) + 1


def _end_of(line: bytes) -> bytes:
    return b"\r\n" if line.endswith(b"\r\n") else b"\n"
