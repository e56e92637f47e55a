"""Parse rows of comma-separated values with their offsets; a broken row loses only one line."""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from builder.io.reading.lines import BrokenLine, Lines, LongLine
from builder.io.streams.limits import MAX_ROW_LINES, MAX_ROW_VALUES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from builder.io.reading.csv_dialect import Dialect
    from builder.io.reading.lines import LinePiece

REASONS = {
    "csv_quotes": "The quotes of the row are not balanced.",
    "csv_width": "The number of values in the row differs from the header.",
    "csv_encoding": "The row has bytes that are not valid in the encoding.",
    "csv_lines": f"The row has over {MAX_ROW_LINES:,} lines: a quote is not closed.",
}

_Line: TypeAlias = "tuple[int, bytes | LongLine | BrokenLine]"

MAX_STEPS_AGAIN = 1 << 28
"""Steps for lines that are parsed again after a row that failed; about 5 s for a file."""

_LINE_STEPS = 32
"""Steps of a line in addition to one for each byte."""

_ENCODING_MESSAGE = "the row is not valid {}: set encoding to that of the file, such as windows-1252"

_QUOTED = re.compile(rb'"[^"]*(?:"|\Z)')


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
    that is never closed would fail the rest of the file. If too many lines of a file are parsed again, whole
    rows fail instead: quotes can be placed so that each row reaches to the limits.

    Args:
        max_bytes: limit on a row; at most twice as many bytes are held in memory.
    """
    csv.field_size_limit(max_bytes + 2)
    feed = _Feed(pieces, delimiter=dialect.delimiter, encoding=encoding, max_bytes=max_bytes)
    reader = dialect.reader(feed)
    while True:
        feed.begin()
        try:
            values = next(reader, None)
        except csv.Error as error:
            yield feed.fail_first_line("csv_quotes", dialect.advice(feed.first_line, str(error)))
        except _StoppedError as stopped:
            yield feed.fail_stopped(stopped)
        else:
            if values is None:
                return
            if feed.damaged:
                yield feed.fail_row("csv_encoding", _ENCODING_MESSAGE.format(encoding))
            elif values:
                yield feed.row(values)
            continue
        reader = dialect.reader(feed)


class _StoppedError(Exception):
    """The next line cannot be read, or makes the row too long; the row fails with this reason."""

    def __init__(self, reason: str, message: str) -> None:
        self.reason, self.message = reason, message


class _Feed:
    """Passes lines to the parser, and keeps those of the current row."""

    def __init__(self, pieces: Iterable[LinePiece], *, delimiter: str, encoding: str, max_bytes: int) -> None:
        self._ahead = _lines(pieces)
        self._back: deque[_Line] = deque()
        self._delimiter = delimiter.encode(encoding)
        self._encoding, self._max_bytes = encoding, max_bytes
        self._steps_again = 0
        self._n_delimiters, self._max_delimiters = 0, MAX_ROW_VALUES
        self._taken: list[tuple[int, bytes]] = []
        self._n_bytes = 0
        self.damaged = False

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        offset, line = self._back.popleft() if self._back else next(self._ahead)
        if not isinstance(line, bytes):
            self._back.appendleft((offset, line))
            raise self._too_long()
        self._taken.append((offset, line))
        self._n_bytes += len(line)
        if self._n_bytes > self._max_bytes and self._n_bytes - len(_end_of(line)) > self._max_bytes:
            raise self._too_long()
        if len(self._taken) > MAX_ROW_LINES:
            raise _StoppedError("csv_lines", f"the row has over {MAX_ROW_LINES} lines: a quote is not closed")
        if self._n_bytes > MAX_ROW_VALUES:
            self._check_values(line)
        try:
            return line.decode(self._encoding)
        except UnicodeDecodeError:
            self.damaged = True
            return line.decode("latin-1")  # only to find the end of the row

    def _too_long(self) -> _StoppedError:
        return _StoppedError("record_too_big", f"the row is longer than max_record_bytes = {self._max_bytes}")

    def _check_values(self, line: bytes) -> None:
        """Stop a long row that would become too many values: each takes more memory than its bytes."""
        self._n_delimiters += line.count(self._delimiter)
        if self._n_delimiters >= self._max_delimiters:
            row = b"".join(line for _, line in self._taken)
            if _QUOTED.sub(b"", row).count(self._delimiter) >= MAX_ROW_VALUES:
                raise _StoppedError("csv_width", f"the row has over {MAX_ROW_VALUES} values")
            self._max_delimiters = self._n_delimiters + MAX_ROW_VALUES

    def begin(self) -> None:
        """Start a new row."""
        self._taken, self._n_bytes, self.damaged = [], 0, False
        self._n_delimiters, self._max_delimiters = 0, MAX_ROW_VALUES

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
        """Fail the first line of the row; the others are parsed again, or fail too if that takes too long."""
        offset, line = self._taken[0]
        again = self._n_bytes - len(line) + _LINE_STEPS * (len(self._taken) - 1)
        if self._steps_again + again > MAX_STEPS_AGAIN:
            lines = f"the row and the {len(self._taken) - 1} lines after it fail together"
            return self.fail_row(reason, f"{message}; {lines}: the file has too many such rows")
        self._steps_again += again
        self._back.extendleft(reversed(self._taken[1:]))
        return BrokenRow(offset=offset, reason=reason, message=message, raw=line)

    def fail_stopped(self, stopped: _StoppedError) -> BrokenRow:
        """Fail what stopped the parser: a row that is too long, or a line that cannot be read."""
        if self._taken:
            return self.fail_first_line(stopped.reason, stopped.message)
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
        for line in io.BytesIO(piece.data):
            yield offset, line
            offset += len(line)


def _end_of(line: bytes) -> bytes:
    return b"\r\n" if line.endswith(b"\r\n") else b"\n"
