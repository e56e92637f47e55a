"""Split a stream into blocks of lines, without an object for each line.

Memory is bounded: a whole file, or a line over the limit, is never held.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from builder.io.streams.streams import StreamFault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

LINES_BLOCK_BYTES = 8 << 20
"""Bytes of a block; a block of lines is yielded when it has this size."""

_MIN_BLOCK_BYTES = 1 << 20
_ROW_BYTES = 1 << 12
"""Bytes of a block for each row that the caller wants at a time."""

MAX_BLOCK_LINES = 1 << 20
"""Lines of a block, at most."""

KEPT_HEAD_BYTES = 1 << 20
"""Bytes that are kept of a line over the limit."""

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """A block of complete lines, each with its line feed; ``offset`` is the file offset of the first line."""

    offset: int
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class LongLine:
    """A line over the limit: its offset and its first bytes."""

    offset: int
    head: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenLine:
    """The incomplete last line of a damaged stream, and the damage."""

    offset: int
    head: bytes
    fault: StreamFault


LinePiece: TypeAlias = "Lines | LongLine | BrokenLine"


def block_bytes(batch_rows: int) -> int:
    """Return the bytes of a block for small or usual batches: a sample of few rows reads little of a file.

    >>> block_bytes(100), block_bytes(1_000), block_bytes(100_000)
    (1048576, 4096000, 8388608)
    """
    return max(_MIN_BLOCK_BYTES, min(batch_rows * _ROW_BYTES, LINES_BLOCK_BYTES))


def split_lines(
    chunks: Iterable[bytes | StreamFault],
    *,
    start: int = 0,
    stop: int | None = None,
    max_bytes: int,
    size_bytes: int = LINES_BLOCK_BYTES,
) -> Iterator[LinePiece]:
    """Yield the lines whose first byte is in ``start`` to before ``stop``, in order.

    Each line of a file therefore belongs to exactly one of the ranges that the file is split into. A byte
    order mark at offset 0 is skipped. A line feed is added to a last line without one. A line over
    ``max_bytes`` (without its line end) becomes a ``LongLine`` if it does not fit into a block. Inside a
    block it stays in ``Lines``, and the caller must check its length.

    Args:
        chunks: the bytes of the file from ``start - 1`` (or 0 if ``start`` is 0) to its end.
        size_bytes: the size of a block.
    """
    splitter = _Splitter(start=start, stop=stop, max_bytes=max_bytes, size_bytes=size_bytes)
    for chunk in chunks:
        yield from splitter.broken(chunk) if isinstance(chunk, StreamFault) else splitter.take(chunk)
        if splitter.done:
            return
    yield from splitter.finish()


class _Splitter:
    """Buffers the bytes, from offset ``_at``, that are not yet part of a yielded line."""

    def __init__(self, *, start: int, stop: int | None, max_bytes: int, size_bytes: int) -> None:
        self._at = max(start - 1, 0)
        self._size_bytes = size_bytes
        self._stop, self._max_bytes = stop, max_bytes
        self._pending: list[bytes] = []
        self._n_pending = 0
        self._has_feed = False
        self._skipping = start > 0
        self._first = start == 0
        self.done = stop is not None and stop <= start

    def take(self, chunk: bytes) -> Iterator[LinePiece]:
        if self._skipping:
            chunk = self._skip(chunk)
        if self.done or not chunk:
            return
        self._pending.append(chunk)
        self._n_pending += len(chunk)
        self._has_feed = self._has_feed or b"\n" in chunk
        if self._has_feed and (self._n_pending >= self._size_bytes or self._past):
            yield from self._yield_lines()
        if not (self.done or self._has_feed) and self._n_pending > self._max_bytes + len(_BOM) + 1:
            yield from self._yield_long_line()

    def broken(self, fault: StreamFault) -> Iterator[LinePiece]:
        if self._has_feed:
            yield from self._yield_lines()
        if not self.done:
            yield BrokenLine(offset=self._at, head=self._join()[:KEPT_HEAD_BYTES], fault=fault)
            self.done = True

    def finish(self) -> Iterator[LinePiece]:
        if self._n_pending:
            yield from self.take(b"" if self._join().endswith(b"\n") else b"\n")
        if self._has_feed:
            yield from self._yield_lines()

    @property
    def _past(self) -> bool:
        return self._stop is not None and self._at + self._n_pending >= self._stop

    def _skip(self, chunk: bytes) -> bytes:
        """Drop the rest of a line that belongs to the previous range or is too long."""
        end = chunk.find(b"\n") + 1
        self._at += end or len(chunk)
        self._skipping = not end
        self.done = self._stop is not None and self._at >= self._stop
        return chunk[end:] if end else b""

    def _yield_lines(self) -> Iterator[Lines]:
        """Yield the complete lines; after ``stop``, only the line that begins before it."""
        if self._past and self._stop is not None:
            data = self._join()
            last = data.find(b"\n", max(self._stop - 1 - self._at, 0)) + 1
            self.done = bool(last)
            end = last or data.rfind(b"\n") + 1
            data, rest = data[:end], data[end:]
        else:
            data, rest = self._cut()
        at = self._at
        self._keep(rest, at=at + len(data))
        yield Lines(offset=at, data=data)

    def _cut(self) -> tuple[bytes, bytes]:
        """Split the buffer after the last line feed; the bytes before it are copied once."""
        at = next(i for i in reversed(range(len(self._pending))) if b"\n" in self._pending[i])
        end = self._pending[at].rfind(b"\n") + 1
        rest = b"".join([self._pending[at][end:], *self._pending[at + 1 :]])
        self._pending = [*self._pending[:at], self._pending[at][:end]]
        return self._join(), rest

    def _yield_long_line(self) -> Iterator[LongLine]:
        past, data = self._past, self._join()
        if len(data) > self._max_bytes + 1:  # plus one: a carriage return at the end does not count
            yield LongLine(offset=self._at, head=data[: min(KEPT_HEAD_BYTES, self._max_bytes)])
            self._keep(b"", at=self._at + len(data))
            self._skipping, self.done = True, past

    def _keep(self, rest: bytes, *, at: int) -> None:
        self._at, self._pending, self._n_pending = at, [rest], len(rest)
        self._has_feed = False

    def _join(self) -> bytes:
        data = self._pending[0] if len(self._pending) == 1 else b"".join(self._pending)
        if self._first and data.startswith(_BOM):
            data = data[len(_BOM) :]
            self._at += len(_BOM)
        self._first = False
        self._pending, self._n_pending = [data], len(data)
        return data


def bounded_lines(piece: Lines) -> Iterator[tuple[Lines, NDArray[np.int64], NDArray[np.int64]]]:
    """Find where the lines of a block begin and end; the line ends (LF or CR LF) are excluded.

    A block of more than ``MAX_BLOCK_LINES`` is divided, because what is made of each line takes memory.

    Yields:
        a block, int64[n_lines] starts and int64[n_lines] ends in its data.
    """
    feeds = np.flatnonzero(np.frombuffer(piece.data, dtype=np.uint8) == 0x0A)
    if len(feeds) <= MAX_BLOCK_LINES:
        yield piece, *_bounds(piece.data, feeds)
        return
    begin = 0
    for first in range(0, len(feeds), MAX_BLOCK_LINES):
        here = feeds[first : first + MAX_BLOCK_LINES]
        end = int(here[-1]) + 1
        block = Lines(offset=piece.offset + begin, data=piece.data[begin:end])
        yield block, *_bounds(block.data, here - begin)
        begin = end


def _bounds(data: bytes, feeds: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    starts = np.empty(len(feeds), dtype=np.int64)
    starts[:1] = 0
    starts[1:] = feeds[:-1] + 1
    array = np.frombuffer(data, dtype=np.uint8)
    returns = (feeds > starts) & (array[np.maximum(feeds - 1, 0)] == 0x0D)
    return starts, feeds - returns
