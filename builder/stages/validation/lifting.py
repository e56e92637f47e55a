"""Take long strings out of records before the records are parsed, and write them directly into columns.

Most bytes of a crawl are in one string of each record. In Python, each string is copied four times and read
six times. A kernel finds the strings and writes them into Arrow buffers in two passes. Only the rest of the
line is parsed and checked; it has a short placeholder instead of the long string. So the contract may check
only that the value is a string: ``may_be_lifted`` returns whether that is the case. If anything in a line is
unusual, the line is put back and parsed completely.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from builder.domain.contract.contract import is_json_field
from builder.domain.contract.incoming import incoming_values, raw_records
from builder.domain.json.exact import Broken, Parsed
from builder.domain.json.text import is_faithful, parse
from builder.domain.record import RAW

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from builder.domain.contract.contract import Contract
    from builder.domain.contract.shape import Shape
    from builder.protocols import Columns

MIN_BYTES = 256
"""Shorter strings are not taken out: it would cost more than it saves.

An escaped character takes at most 12 bytes, so a string of this size has at least 21 characters.
"""

PLACEHOLDER = "x" * 20
"""The string that replaces a long string when a record is checked."""

_PARSE_WHOLE_LINE = Broken(reason="broken_json", offset=0, message="the whole line must be parsed")
_MAX_BYTES = (1 << 31) - 1

_NOTES = frozenset(
    ("$schema", "$id", "$comment", "title", "description", "examples", "default", "deprecated", "readOnly")
)
_OTHER = frozenset(
    ("type", "required", "minProperties", "maxProperties", "dependentRequired", "propertyNames", "$defs")
)
"""Keywords of an object's schema that do not check the value of a member."""

_PARTS = frozenset(("not", "if", "then", "else"))
_LISTS = frozenset(("allOf", "anyOf", "oneOf"))


@lru_cache(maxsize=16)
def names_to_lift(contract: Contract, roles: Columns) -> tuple[str, ...]:
    """List the columns of long text for which the contract checks only that the values are strings."""
    wanted = dict.fromkeys(name for name in (roles.text, roles.html) if name)
    return tuple(
        name
        for name in wanted
        if name in contract.columns.names
        and contract.columns.field(name).type == pa.string()
        and not is_json_field(contract.columns.field(name))
        and may_be_lifted(contract.schema, name)
    )


def may_be_lifted(schema: Any, name: str) -> bool:
    """Return whether a schema treats all strings of 20 or more characters in a member in the same way.

    Return False if that is not certain.

    >>> may_be_lifted({"properties": {"text": {"type": "string", "minLength": 1}}}, "text")
    True
    >>> may_be_lifted({"properties": {"text": {"type": "string", "pattern": "a"}}}, "text")
    False
    """
    if isinstance(schema, bool):
        return True
    return isinstance(schema, dict) and all(_ignores_content(schema, keyword, name) for keyword in schema)


def _ignores_content(schema: Mapping[str, Any], keyword: str, name: str) -> bool:
    """Return whether one keyword of an object's schema treats all long strings in the same way."""
    part = schema[keyword]
    if keyword in _NOTES or keyword in _OTHER or keyword.startswith("x-"):
        return True
    if keyword == "properties":
        return isinstance(part, dict) and _requires_only_a_string(part.get(name, True))
    if keyword in _LISTS:
        return isinstance(part, list) and all(may_be_lifted(one, name) for one in part)
    if keyword in _PARTS:
        return may_be_lifted(part, name)
    if keyword == "additionalProperties":
        return isinstance(part, bool) or name in schema.get("properties", {})
    return keyword == "unevaluatedProperties" and isinstance(part, bool)


def _requires_only_a_string(schema: Any) -> bool:
    """Return whether the schema of a value treats all long strings in the same way."""
    if isinstance(schema, bool):
        return True
    if not isinstance(schema, dict):
        return False
    notes = [word for word in schema if word in _NOTES or word.startswith("x-")]
    others = schema.keys() - set(notes)
    min_chars = schema.get("minLength", 0)
    return others <= {"type", "minLength"} and isinstance(min_chars, int) and min_chars <= len(PLACEHOLDER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifted(ABC):
    """The long strings that were taken out of a batch.

    Attributes:
        names: names of the members.
        is_lifted: bool[n_rows, n_names]; ``put_back`` sets a row to False.
        strings: a StringArray[n_rows] for each name; undefined where ``is_lifted`` is False.
    """

    names: tuple[str, ...]
    is_lifted: NDArray[np.bool_]
    strings: tuple[pa.StringArray, ...]

    @abstractmethod
    def values(self, shape: Shape) -> Iterator[Parsed | Broken]:
        """Yield the rest of each row; Broken if the caller must put back the strings of a row."""

    def put_back(self, row: int, shape: Shape) -> Parsed | Broken | None:
        """Return the whole row; None if no string was taken out of it."""
        if not self.is_lifted[row].any():
            return None
        self.is_lifted[row] = False
        return self._whole(row, shape)

    @abstractmethod
    def _whole(self, row: int, shape: Shape) -> Parsed | Broken:
        """Return the whole row, with its long strings."""

    def fill(self, name: str, rows: Sequence[int], column: pa.StringArray) -> pa.StringArray:
        """Replace the placeholders in a column of ``rows`` with the long strings."""
        if name not in self.names:
            return column
        which = self.names.index(name)
        strings = self.strings[which]
        if len(rows) < len(strings):
            strings = strings.take(pa.array(rows, pa.int64()))
        lifted = self.is_lifted[np.asarray(rows, np.int64), which]
        return strings if lifted.all() else pc.if_else(pa.array(lifted), strings, column)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiftedLines(Lifted):
    """Strings that were taken out of lines of JSON.

    Attributes:
        lines: LargeBinaryArray[n_rows], the original lines.
        rest: LargeBinaryArray[n_rows], the lines with placeholders.
    """

    lines: pa.LargeBinaryArray
    rest: pa.LargeBinaryArray

    def values(self, shape: Shape) -> Iterator[Parsed | Broken]:  # noqa: ARG002 - JSON has its own types
        """Parse the rest of each line."""
        for rest, lifted in zip(raw_records(self.rest), self.is_lifted.tolist(), strict=True):
            yield self._parse(rest, lifted) if any(lifted) else parse(rest)

    def _whole(self, row: int, shape: Shape) -> Parsed | Broken:  # noqa: ARG002
        return parse(self.lines[row].as_buffer().to_pybytes())

    def _parse(self, rest: bytes, lifted: Sequence[bool]) -> Parsed | Broken:
        try:
            value = orjson.loads(rest)
        except orjson.JSONDecodeError:
            return _PARSE_WHOLE_LINE
        if type(value) is not dict or not is_faithful(rest, value):
            return _PARSE_WHOLE_LINE
        for name, is_so in zip(self.names, lifted, strict=True):
            if is_so and value.get(name) != PLACEHOLDER:
                return _PARSE_WHOLE_LINE
        return Parsed(value=value)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiftedColumns(Lifted):
    """Strings that were taken out of columns.

    Attributes:
        batch: the original batch.
        rest: the batch with placeholders.
    """

    batch: pa.RecordBatch
    rest: pa.RecordBatch

    def values(self, shape: Shape) -> Iterator[Parsed | Broken]:
        """Convert the rest of each row to values."""
        return incoming_values(self.rest, shape)

    def _whole(self, row: int, shape: Shape) -> Parsed | Broken:
        return next(incoming_values(self.batch.slice(row, 1), shape))


def lift(batch: pa.RecordBatch, names: tuple[str, ...]) -> Lifted | None:
    """Take long strings out of a batch; return None if it has no long string, or one that is not UTF-8."""
    if RAW in batch.schema.names:
        return lift_lines(batch.column(RAW), names)
    return lift_columns(batch, names)


def lift_columns(batch: pa.RecordBatch, names: tuple[str, ...]) -> LiftedColumns | None:
    """Take long strings out of columns."""
    names = tuple(n for n in names if n in batch.schema.names and batch.schema.field(n).type == pa.string())
    strings = tuple(batch.column(name) for name in names)
    long = [pc.greater_equal(pc.binary_length(one), MIN_BYTES).fill_null(False) for one in strings]
    if not any(pc.any(one).as_py() for one in long) or not all(map(_is_text, strings)):
        return None
    rest = batch
    for name, one, is_long in zip(names, strings, long, strict=True):
        at = batch.schema.get_field_index(name)
        rest = rest.set_column(at, batch.schema.field(at), pc.if_else(is_long, PLACEHOLDER, one))
    is_lifted = np.column_stack([one.to_numpy(zero_copy_only=False) for one in long])
    return LiftedColumns(names=names, is_lifted=is_lifted, strings=strings, batch=batch, rest=rest)


def lift_lines(lines: pa.LargeBinaryArray, names: tuple[str, ...]) -> LiftedLines | None:
    """Take long strings out of lines of JSON."""
    from builder.kernels.text.json_strings import find_strings, write_without

    if not names or not len(lines):
        return None
    _, offset_buffer, data_buffer = lines.buffers()
    offsets = np.frombuffer(offset_buffer, np.int64)[lines.offset : lines.offset + len(lines) + 1]
    data = np.frombuffer(data_buffer or b"", np.uint8)
    starts, stops, sizes = (np.zeros((len(lines), len(names)), np.int64) for _ in range(3))
    quoted = [orjson.dumps(name)[1:-1] for name in names]
    name_offsets = np.cumsum([0, *map(len, quoted)]).astype(np.int64)
    joined = np.frombuffer(b"".join(quoted), np.uint8)
    find_strings(data, offsets, joined, name_offsets, MIN_BYTES, starts, stops, sizes)
    is_lifted = stops > 0
    if not is_lifted.any() or int(sizes[is_lifted].sum()) > _MAX_BYTES:
        return None
    strings = tuple(_strings(data, starts[:, i], stops[:, i], sizes[:, i]) for i in range(len(names)))
    if not all(map(_is_text, strings)):
        return None
    placeholder = np.frombuffer(PLACEHOLDER.encode(), np.uint8)
    n_removed = int((stops - starts)[is_lifted].sum())
    n_rest = int(offsets[-1] - offsets[0]) - n_removed + len(placeholder) * int(is_lifted.sum())
    rest = np.empty(n_rest, np.uint8)
    rest_offsets = np.empty(len(lines) + 1, np.int64)
    write_without(data, offsets, starts, stops, placeholder, rest, rest_offsets)
    buffers = [None, pa.py_buffer(rest_offsets), pa.py_buffer(rest)]
    column = pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(lines), buffers)
    return LiftedLines(names=names, is_lifted=is_lifted, strings=strings, lines=lines, rest=column)


def _strings(
    data: NDArray[np.uint8], starts: NDArray[np.int64], stops: NDArray[np.int64], sizes: NDArray[np.int64]
) -> pa.StringArray:
    from builder.kernels.text.json_strings import write_strings

    there = stops > 0
    out = np.empty(int(sizes[there].sum()) + 8, np.uint8)
    offsets = np.empty(len(starts) + 1, np.int32)
    write_strings(data, starts, stops, sizes, out, offsets)
    valid = None if there.all() else pa.py_buffer(np.packbits(there, bitorder="little"))
    buffers = [valid, pa.py_buffer(offsets), pa.py_buffer(out)]
    return pa.StringArray.from_buffers(len(starts), buffers[1], buffers[2], buffers[0])


def _is_text(strings: pa.StringArray) -> bool:
    try:
        strings.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True
