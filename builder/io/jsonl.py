"""Read JSON lines, one record a line; lines are found in blocks, and ``validate`` parses them later."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import orjson
import pyarrow as pa

from builder.domain.record import RAW, record_column, with_record
from builder.domain.rejection import rejection_batch
from builder.io.charset.marked import put_back, utf8_chunks, utf16_codec
from builder.io.reading.file_source import (
    COMPRESSED,
    CONTAINERS,
    GUARD_REASONS,
    MAX_RECORD_BYTES,
    TOO_BIG,
)
from builder.io.reading.lines import KEPT_HEAD_BYTES, Lines, LongLine, block_bytes, bounded_lines, split_lines
from builder.io.reading.record_source import RecordSource
from builder.io.streams.paths import Found
from builder.io.streams.streams import REASONS, StreamFault, compression_of, read_chunks
from builder.protocols import Reading, Task
from builder.registry import option

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from builder.domain.rejection import Rejection
    from builder.io.reading.lines import LinePiece
    from builder.protocols import Guard

TASK_BYTES = 16 << 20
"""Bytes of a part; uncompressed files are read in parts of this size."""

_HEAD_BYTES = 64
"""Bytes of a file that show its form."""

_SPACE = b" \t\r\n"
_BOM = b"\xef\xbb\xbf"
_ARRAY = re.compile(rb"\[\s*(?:\{|\Z)")
"""The start of an array of objects, or of what may be one."""

_NO_LINES = pa.array([], pa.large_binary())


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonlSource(RecordSource):
    """Read files of JSON lines.

    Each line that is not blank is a record. The stage ``validate`` parses it and reports its faults. Lines
    end with LF or CR LF. A byte order mark at the start of a file is skipped; a file in UTF-16 needs one. A
    file that is one JSON array is one failed record: read it with a ``json`` source. Files may be compressed
    (``.gz``, ``.zst``, ``.bz2``, ``.lz4``). Uncompressed files over 16 MiB are read in parts, in parallel. A
    line over ``max_record_bytes`` fails without being held in memory. In a damaged compressed file, the line
    that contains the damage fails, and all lines before it are read.
    """

    kind: ClassVar[str] = "jsonl"
    rules: ClassVar[int] = 1
    suffixes: ClassVar[Sequence[str]] = tuple(
        stem + codec for stem in (".jsonl", ".ndjson") for codec in COMPRESSED
    )
    reasons: ClassVar[Mapping[str, str]] = {
        **TOO_BIG,
        **CONTAINERS,
        "json_array": "The file is a JSON array, not JSON lines; a `json` source reads it.",
        **REASONS,
        **GUARD_REASONS,
    }
    unreadable: ClassVar[frozenset[str]] = frozenset(("json_array", *REASONS, *GUARD_REASONS))

    max_record_bytes: int = option(
        MAX_RECORD_BYTES, help="Maximum bytes of a line; a longer line fails.", minimum=1
    )

    def tasks(self) -> list[Task]:
        """Split uncompressed files by their size; a file in another form than lines of UTF-8 is one task.

        Raises:
            RecipeError: as for ``inputs``, and if an option cannot be used.
        """
        self.check_values()
        return [
            task
            for found in self.inputs()
            for task in self.cut_tasks(found, part_bytes=TASK_BYTES if _is_divisible(found) else None)
        ]

    def read_file(self, task: Task, *, guard: Guard, batch_rows: int) -> Iterator[Reading]:
        """Yield the unparsed lines that begin in the task's range, in a column ``_raw``."""
        reader = _Reader(source=self, task=task, batch_rows=batch_rows)
        start = max(task.start - 1, 0)
        size = block_bytes(batch_rows)
        chunks = self._chunks(reader.found, guard, start=start, plain_bytes=size)
        if not start:
            chunks = utf8_chunks(chunks)
            first = next(chunks, b"")
            if isinstance(first, bytes) and _is_array(first):
                yield reader.array(first)
                return
            chunks = put_back([first] if first else [], chunks)
            del first
        pieces = split_lines(
            chunks, start=task.start, stop=task.stop, max_bytes=self.max_record_bytes, size_bytes=size
        )
        for piece in pieces:
            yield from reader.read(piece)


class _Reader:
    """Turns pieces into readings, and counts the records of the task."""

    def __init__(self, *, source: JsonlSource, task: Task, batch_rows: int) -> None:
        self._source, self._batch_rows = source, batch_rows
        self.found = Found(path=task.path, name=task.name, size_bytes=task.size_bytes)
        self._n_records = 0

    def read(self, piece: LinePiece) -> Iterator[Reading]:
        if isinstance(piece, Lines):
            for block, starts, ends in bounded_lines(piece):
                yield from self._lines(block, starts, ends)
            return
        if isinstance(piece, LongLine):
            failed = self._too_long(self._n_records, piece.offset, piece.head)
        else:
            fault = piece.fault
            message = f"{fault.message}; {fault.offset} bytes were decompressed before it"
            failed = self._failed(fault.reason, self._n_records, piece.offset, message, piece.head)
        yield self._reading(_NO_LINES, np.zeros(0, np.int64), [], [failed], n_records=1)

    def array(self, head: bytes) -> Reading:
        """Return the one failed record of a file that is a JSON array."""
        message = "the file is a JSON array, not JSON lines: read it with a json source, - json: {path: ...}"
        failed = self._failed("json_array", 0, 0, message, head[:KEPT_HEAD_BYTES])
        return self._reading(_NO_LINES, np.zeros(0, np.int64), [], [failed], n_records=1)

    def _lines(self, piece: Lines, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> Iterator[Reading]:
        limit = self._source.max_record_bytes
        starts, ends = _without_blank(piece.data, starts, ends, max_bytes=limit)
        n_records = len(starts)
        too_long = np.flatnonzero(ends - starts > limit)
        raw = _column(piece.data, starts, ends)
        for first in range(0, n_records, self._batch_rows):
            last = min(first + self._batch_rows, n_records)
            ordinals = self._n_records + np.arange(last - first)
            bad = too_long[(too_long >= first) & (too_long < last)]
            failures = [
                self._too_long(
                    int(ordinals[at - first]),
                    piece.offset + int(starts[at]),
                    piece.data[starts[at] : ends[at]],
                )
                for at in bad
            ]
            rows = np.delete(np.arange(first, last), bad - first)
            column = raw.slice(first, last - first) if not len(bad) else raw.take(pa.array(rows))
            yield self._reading(
                column, piece.offset + starts[rows], ordinals[rows - first], failures, n_records=last - first
            )

    def _reading(
        self,
        raw: pa.LargeBinaryArray,
        offsets: NDArray[np.int64],
        ordinals: Sequence[int] | NDArray[np.int64],
        failures: list[Rejection],
        *,
        n_records: int,
    ) -> Reading:
        record = record_column(
            source=self._source.label, path=self.found.name, ordinals=ordinals, offsets=offsets
        )
        self._n_records += n_records
        return Reading(
            batch=with_record(pa.RecordBatch.from_arrays([raw], names=[RAW]), record),
            rejected=rejection_batch(failures),
            n_records=n_records,
        )

    def _too_long(self, ordinal: int, offset: int, line: bytes) -> Rejection:
        limit = self._source.max_record_bytes
        head = line[: min(limit, KEPT_HEAD_BYTES)]
        message = f"the line is longer than max_record_bytes = {limit}"
        return self._failed("record_too_big", ordinal, offset, message, head)

    def _failed(self, reason: str, ordinal: int, offset: int, message: str, raw: bytes) -> Rejection:
        record = self._source.record(self.found, ordinal=ordinal, offset=offset)
        return self._source.failure(record, reason, message=message, raw=raw)


def _is_divisible(found: Found) -> bool:
    """Return whether parts of a file can be read independently; a file of one part is not opened."""
    if compression_of(found.name) is not None:
        return False
    if found.size_bytes <= TASK_BYTES:
        return True
    head = next(read_chunks(found.path, codec=None, stop=_HEAD_BYTES), b"")
    return isinstance(head, StreamFault) or not (utf16_codec(head) or _is_array(head))


def _is_array(head: bytes) -> bool:
    """Return whether a file is one array of objects, and not lines of which the first is an array."""
    text = head.removeprefix(_BOM)[:_HEAD_BYTES].lstrip(_SPACE)
    if not _ARRAY.match(text):
        return False
    line, _, rest = text.partition(b"\n")
    return not (rest.strip() and _is_json(line))


def _is_json(line: bytes) -> bool:
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return True


def _without_blank(
    data: bytes, starts: NDArray[np.int64], ends: NDArray[np.int64], *, max_bytes: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Remove lines of white space; only lines that begin with white space are examined one by one.

    A line over the limit is kept, so that it fails, as it does when it is too long to be held.
    """
    array = np.frombuffer(data, dtype=np.uint8)
    first = array[starts]  # of an empty line, the line feed
    suspects = np.flatnonzero((first <= 0x20) & (starts < ends) & (ends - starts <= max_bytes))
    blank = starts == ends
    for at in suspects:
        blank[at] = not data[starts[at] : ends[at]].strip(_SPACE)
    if not blank.any():
        return starts, ends
    return starts[~blank], ends[~blank]


def _column(data: bytes, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> pa.LargeBinaryArray:
    """Return the lines as an Arrow array: one copy of the block without its line ends, and offsets."""
    offsets = np.zeros(len(starts) + 1, dtype=np.int64)
    np.cumsum(ends - starts, out=offsets[1:])
    packed = (data.replace(b"\r\n", b"\n") if b"\r" in data else data).replace(b"\n", b"")
    if len(packed) != offsets[-1]:  # removed lines contained white space
        packed = b"".join(data[start:end] for start, end in zip(starts, ends, strict=True))
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(packed)]
    return pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(starts), buffers)
