"""Bound the bytes of a row of a Parquet row group before it is decoded.

A dictionary stores a value once, and each row that repeats it takes some bits. So a file of a few kilobytes
can have rows that take gigabytes, all valid. The footer does not say how long the values of a dictionary are,
but its page does.
"""

from __future__ import annotations

import struct
import sys
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    import pyarrow.parquet as pq

MAX_SCANNED_BYTES = 8 << 20
"""A larger dictionary is not scanned; writers close a dictionary at 1 MiB. Its size is then the bound."""

_SAMPLE_VALUES = 32
_SHORT_BYTES = 256
"""The values of a page are short if the first ones, with their lengths, have fewer bytes on average."""

_LENGTH = struct.Struct("<I")
_HEADER_BYTES = 4 << 10
_CODECS = {"SNAPPY": "snappy", "GZIP": "gzip", "ZSTD": "zstd", "BROTLI": "brotli", "LZ4_RAW": "lz4_raw"}
_STRINGS = "BYTE_ARRAY"
_PREFIXED = "DELTA_BYTE_ARRAY"


def largest_row(stream: BinaryIO, file: pq.ParquetFile, group: int) -> int:
    """Return the bytes that one row can take at most in the dictionaries of a row group.

    Columns without a dictionary count 0: their values take the bytes that the footer declares. Values that
    share a prefix with the one before count as all bytes of their column. Values in lists count as if each
    row had the mean number of them.
    """
    row_group = file.metadata.row_group(group)
    total = 0
    for index in range(row_group.num_columns):
        column = row_group.column(index)
        if column.physical_type != _STRINGS:
            continue
        try:
            largest = _largest_value(stream, column)
        except (ValueError, pa.ArrowException):  # the reader will report the damage, if it is one
            largest = column.total_uncompressed_size
        per_row = max(1, -(-column.num_values // max(row_group.num_rows, 1)))
        total += max(largest, 0) * per_row
    return total


def _largest_value(stream: BinaryIO, column: Any) -> int:
    if _PREFIXED in column.encodings:
        return int(column.total_uncompressed_size)
    if not column.has_dictionary_page or column.dictionary_page_offset is None:
        return 0
    stream.seek(column.dictionary_page_offset)
    header = stream.read(_HEADER_BYTES)
    n_header, fields = _page_header(header)
    n_bytes, n_stored = fields.get(2, 0), fields.get(3, 0)
    codec = _CODECS.get(column.compression)
    if not 0 <= n_bytes <= MAX_SCANNED_BYTES or not 0 <= n_stored <= 2 * MAX_SCANNED_BYTES:
        return n_bytes
    stream.seek(column.dictionary_page_offset + n_header)
    page = stream.read(n_stored)
    if codec is not None:
        page = pa.decompress(page, decompressed_size=n_bytes, codec=codec, asbytes=True)
    elif column.compression != "UNCOMPRESSED":
        return n_bytes
    return _largest_in(page)


def _largest_in(page: bytes) -> int:
    """Return the length of the longest value of a dictionary page: lengths of four bytes, and values.

    Text has no null bytes, and the last two bytes of a length below 64 KiB are null. So most pages of many
    short values show at once where these begin. If those places are not one chain, or if the values are long,
    they are found one by one.
    """
    at, largest = _step(page, 0, n_values=_SAMPLE_VALUES)
    if at < _SAMPLE_VALUES * _SHORT_BYTES and (found := _largest_short(page)) is not None:
        return found
    return max(largest, _step(page, at)[1])


def _step(page: bytes, at: int, *, n_values: int = sys.maxsize) -> tuple[int, int]:
    """Return where the values that follow ``at`` end, and the length of the longest one."""
    largest = 0
    last = len(page) - 4
    for _ in range(n_values):
        if at > last:
            break
        (n_bytes,) = _LENGTH.unpack_from(page, at)
        largest = max(n_bytes, largest)
        at += 4 + n_bytes
    return at, largest


def _largest_short(page: bytes) -> int | None:
    """Return the length of the longest value of a page of text; None if it does not show."""
    data = np.frombuffer(page, dtype=np.uint8)
    null = data == 0
    begins = np.flatnonzero(null[2:-2] & null[3:-1] & ~null[4:]) + 4
    if len(begins) == 0:
        return None
    lengths = data[begins - 4] + (data[begins - 3].astype(np.int64) << 8)
    ends = begins + lengths
    is_chain = begins[0] == 4 and ends[-1] == len(page) and np.array_equal(begins[1:], ends[:-1] + 4)
    return int(lengths.max()) if is_chain else None


def _page_header(data: bytes) -> tuple[int, dict[int, int]]:
    """Read the length and the numbers of a page header, which is a struct of Thrift's compact protocol.

    Raises:
        ValueError: if the data are not such a struct.
    """
    try:
        return _struct(data, 0, depth=0)
    except IndexError:
        raise ValueError("the header of a dictionary page cannot be read") from None


def _struct(data: bytes, at: int, *, depth: int) -> tuple[int, dict[int, int]]:
    """Return the end of a struct, and its integers by field number."""
    fields: dict[int, int] = {}
    number = 0
    while (head := data[at]) != 0:
        at += 1
        kind = head & 15
        if head >> 4:
            number += head >> 4
        else:
            at, number = _zigzag(data, at)
        if kind in (4, 5, 6):
            at, fields[number] = _zigzag(data, at)
        elif kind == 3:
            at += 1
        elif kind == 12 and depth < 4:
            at, _ = _struct(data, at, depth=depth + 1)
        elif kind == 8:
            at, length = _varint(data, at)
            at += length
        elif kind not in (1, 2):
            raise ValueError(f"the header of a dictionary page has a field of type {kind}")
    return at + 1, fields


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while data[at] & 0x80:
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if shift > 63:
            raise ValueError("a number in the header of a dictionary page is too long")
    return at + 1, value | data[at] << shift


def _zigzag(data: bytes, at: int) -> tuple[int, int]:
    at, value = _varint(data, at)
    return at, (value >> 1) ^ -(value & 1)
