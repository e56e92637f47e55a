"""Split the chunks of a JSON file into its records, in bounded memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import orjson

from builder.domain.json.pointer import ANY_STEP, pointer_steps, pointer_to
from builder.io.reading.lines import KEPT_HEAD_BYTES
from builder.io.streams.streams import StreamFault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

REASONS = {
    "json_cut": "The file ends inside an array or object; the records before its end are read.",
    "json_pointer": "The option `records` leads to no record in this value.",
}

_ROOM = 4096
_BOM = b"\xef\xbb\xbf"
_BLANKS = b" \t\r\n\x1e"


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonRecord:
    """The unparsed bytes of a record, and its offset in the file."""

    offset: int
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonFailure:
    """A record that cannot be read, and the first bytes of it."""

    offset: int
    reason: str
    message: str
    raw: bytes = b""


JsonPiece: TypeAlias = "JsonRecord | JsonFailure"


def split_values(
    chunks: Iterable[bytes | StreamFault], *, pointer: str | None, max_bytes: int
) -> Iterator[JsonPiece]:
    """Yield the records of a file, in order.

    The file is one JSON document, or several of them, one after the other, with white space, commas or record
    separators (RFC 7464) between them. A byte order mark is skipped. A file without a value is one empty
    record.

    Args:
        chunks: the bytes of the file, in UTF-8.
        pointer: where the records of each document are; None for the document itself, or for its elements if
            it is an array.
        max_bytes: a longer record fails; no more bytes of it are held.
    """
    splitter = _Splitter(pointer=pointer, max_bytes=max_bytes)
    for chunk in chunks:
        if isinstance(chunk, StreamFault):
            yield splitter.broken(chunk)
            return
        yield from splitter.take(chunk)
    yield from splitter.finish()


class _Splitter:
    """Holds the bytes of the record that is not complete, and those that are not scanned."""

    def __init__(self, *, pointer: str | None, max_bytes: int) -> None:
        from builder.kernels.text import json_values as kernel

        steps = (ANY_STEP,) if pointer is None else pointer_steps(pointer)
        quoted = [orjson.dumps(step)[1:-1] for step in steps]
        self._kernel, self._steps, self._is_auto, self._max_bytes = kernel, steps, pointer is None, max_bytes
        self._state = np.zeros(kernel.N_STATE, np.int64)
        self._brackets = np.zeros(kernel.MAX_POINTER_STEPS, np.uint8)
        self._children = np.zeros(kernel.MAX_POINTER_STEPS, np.int64)
        self._inner = np.zeros(kernel.MAX_BRACKETS, np.uint8)
        self._key = np.zeros(max(map(len, quoted), default=0) + 1, np.uint8)
        self._names = np.frombuffer(b"".join(quoted) or b"\0", np.uint8)
        self._name_offsets = np.cumsum([0, *map(len, quoted)]).astype(np.int64)
        self._indexes = np.array([_index(step) for step in steps], np.int64)
        self._events = np.zeros((_ROOM, 4), np.int64)
        self._at = 0
        self._rest = b""
        self._held: list[bytes] = []
        self._n_held = 0
        self._failed_at = -1
        self._top_at, self._top = 0, b""

    def take(self, chunk: bytes, *, is_last: bool = False) -> Iterator[JsonPiece]:
        """Yield the records that end in a chunk."""
        data = self._rest + chunk if self._rest else chunk
        if self._at == 0 and data.startswith(_BOM):
            data, self._at = data[len(_BOM) :], len(_BOM)
        self._extend_top(data)
        array = np.frombuffer(data, np.uint8)
        at = 0
        while True:
            at = self._scan(array, at, is_last=is_last)
            n_events = int(self._state[self._kernel.S_N_EVENTS])
            for kind, start, stop, steps in self._events[:n_events].tolist():
                yield from self._event(kind, start, stop, steps, data)
            if n_events < _ROOM - 3:
                break
        yield from self._hold(data[:at])
        self._rest, self._at = data[at:], self._at + at

    def finish(self) -> Iterator[JsonPiece]:
        """Yield what is left at the end of the file."""
        yield from self.take(b"", is_last=True)
        kernel, state = self._kernel, self._state
        start = int(state[kernel.S_START])
        if state[kernel.S_MODE] in (kernel.IN_INSIDE, kernel.IN_STRING, kernel.IN_WORD, kernel.IN_LINE):
            if state[kernel.S_WANTED]:
                if self._failed_at != start:
                    yield self._record(start, b"".join(self._held))
                return
            yield self._cut()
        elif state[kernel.S_LEVEL]:
            yield self._cut()
        elif not state[kernel.S_ANY]:
            yield JsonRecord(offset=0, data=b"")

    def broken(self, fault: StreamFault) -> JsonFailure:
        """Return the record in which the stream is damaged."""
        message = f"{fault.message}; {fault.offset} bytes were decompressed before it"
        raw = b"".join(self._held)[:KEPT_HEAD_BYTES]
        offset = int(self._state[self._kernel.S_START]) if self._held else self._at
        return JsonFailure(offset=offset, reason=fault.reason, message=message, raw=raw)

    def _scan(self, array: NDArray[np.uint8], at: int, *, is_last: bool) -> int:
        stop: int = self._kernel.find_values(
            array, at, self._at, is_last, self._state, self._brackets, self._children, self._inner, self._key,
            self._names, self._name_offsets, self._indexes, self._is_auto, self._events,
        )  # fmt: skip
        return stop

    def _event(self, kind: int, start: int, stop: int, steps: int, data: bytes) -> Iterator[JsonPiece]:
        kernel = self._kernel
        if kind == kernel.EVENT_BEGIN:
            self._top_at = start
            self._top = b"" if self._is_auto else data[start - self._at :][:KEPT_HEAD_BYTES]
        elif kind == kernel.EVENT_MISS:
            yield self._missed(start, steps, self._top[: stop - start])
        else:
            held, self._held, self._n_held = self._held, [], 0
            if start == self._failed_at:
                return
            record = b"".join([*held, data[max(start - self._at, 0) : stop - self._at]]).rstrip(_BLANKS)
            yield (
                JsonRecord(offset=start, data=record)
                if len(record) <= self._max_bytes
                else self._too_long(start, record)
            )

    def _hold(self, data: bytes) -> Iterator[JsonFailure]:
        """Hold the bytes of the record that has begun; fail it once it is too long."""
        kernel, state = self._kernel, self._state
        start = int(state[kernel.S_START])
        is_open = state[kernel.S_MODE] in (kernel.IN_INSIDE, kernel.IN_STRING, kernel.IN_WORD, kernel.IN_LINE)
        if not is_open or not state[kernel.S_WANTED] or start == self._failed_at:
            return
        self._held.append(data[max(start - self._at, 0) :])
        self._n_held += len(self._held[-1])
        if self._n_held > self._max_bytes + len(_BLANKS):
            yield self._too_long(start, b"".join(self._held))
            self._held, self._n_held, self._failed_at = [], 0, start

    def _record(self, start: int, data: bytes) -> JsonPiece:
        data = data.rstrip(_BLANKS)
        if len(data) > self._max_bytes:
            return self._too_long(start, data)
        return JsonRecord(offset=start, data=data)

    def _too_long(self, start: int, record: bytes) -> JsonFailure:
        message = f"the record is longer than max_record_bytes = {self._max_bytes}"
        raw = record[: min(KEPT_HEAD_BYTES, self._max_bytes)]
        return JsonFailure(offset=start, reason="record_too_big", message=message, raw=raw)

    def _cut(self) -> JsonFailure:
        top = int(self._state[self._kernel.S_TOP])
        message = f"the file ends inside the value that begins at byte {top}; it is not complete"
        return JsonFailure(offset=self._at, reason="json_cut", message=message)

    def _extend_top(self, data: bytes) -> None:
        """Keep the first bytes of the current document, for the message if it has no record."""
        known = self._top_at + len(self._top) - self._at
        if not self._is_auto and self._top and 0 <= known < len(data):
            self._top += data[known:][: KEPT_HEAD_BYTES - len(self._top)]

    def _missed(self, start: int, steps: int, document: bytes) -> JsonFailure:
        pointer = pointer_to(self._steps)
        message = f"records: {pointer} leads to no record: {pointer_to(self._steps[: steps + 1])} is missing"
        if names := _members(document, self._steps[:steps]):
            message += f"; the members there are {', '.join(names)}"
        return JsonFailure(offset=start, reason="json_pointer", message=message, raw=document)


def _index(step: str) -> int:
    if step == ANY_STEP:
        return -2
    is_number = step.isascii() and step.isdigit() and (step == "0" or not step.startswith("0"))
    return int(step) if is_number and len(step) < 19 else -1


def _members(document: bytes, steps: tuple[str, ...]) -> list[str]:
    """Return the names of some members at a place of a document; none if it is not complete."""
    try:
        value = orjson.loads(document)
        for step in steps:
            children = value if isinstance(value, list) else list(value.values())
            is_name = isinstance(value, dict) and step != ANY_STEP
            value = value[step] if is_name else children[0 if step == ANY_STEP else int(step)]
    except (orjson.JSONDecodeError, AttributeError, LookupError):
        return []
    return [str(name)[:40] for name in list(value)[:10]] if isinstance(value, dict) else []
