"""Reference implementations, in plain Python, of the canonical row encoding and its digests."""

from __future__ import annotations

import hashlib
import math
import struct

import blake3
import pyarrow as pa
import pyarrow.types as pat

MICROSECONDS = {"s": 1_000_000, "ms": 1_000, "us": 1, "ns": 1}


def encode_row(row: dict[str, pa.Scalar]) -> bytes:
    """Encode the columns of one row and concatenate them."""
    return b"".join(encode_value(value) for value in row.values())


def encode_value(value: pa.Scalar) -> bytes:
    """Encode one scalar: 0 for null, otherwise 1 and the contents."""
    kind = value.type
    if pat.is_dictionary(kind):
        return encode_value(value.value)
    if isinstance(kind, pa.BaseExtensionType):
        return encode_value(value.value)
    if not value.is_valid:
        return b"\0"
    return b"\1" + contents(value, kind)


def contents(value: pa.Scalar, kind: pa.DataType) -> bytes:
    if pat.is_boolean(kind) or pat.is_integer(kind):
        return (int(value.as_py()) % (1 << 64)).to_bytes(8, "little")
    if pat.is_floating(kind):
        number = float(value.as_py())
        return struct.pack("<Q", 0x7FF8000000000000) if math.isnan(number) else struct.pack("<d", number)
    if pat.is_date(kind):
        number = value.value if pat.is_date32(kind) else value.value // 86_400_000
        return number.to_bytes(8, "little", signed=True)
    if pat.is_timestamp(kind) or pat.is_time(kind) or pat.is_duration(kind):
        return (value.value * MICROSECONDS[kind.unit]).to_bytes(8, "little", signed=True)
    if pat.is_decimal(kind):
        unscaled = int(value.as_py().scaleb(kind.scale)) if value.as_py() else 0
        return unscaled.to_bytes(32, "little", signed=True)
    if pat.is_struct(kind):
        return b"".join(encode_value(value[i]) for i in range(kind.num_fields))
    if pat.is_map(kind):
        keys, items = (value.values.field(i) for i in (0, 1))
        entries = [encode_value(k) + encode_value(i) for k, i in zip(keys, items, strict=True)]
        return len(entries).to_bytes(8, "little") + b"".join(b"\1" + entry for entry in entries)
    if hasattr(value, "values"):
        items = [encode_value(item) for item in value.values]
        return len(items).to_bytes(8, "little") + b"".join(items)
    text = value.as_py()
    data = text.encode() if isinstance(text, str) else text
    return len(data).to_bytes(8, "little") + data


def encode_batch(batch: pa.RecordBatch) -> list[bytes]:
    """Encode each row of a batch."""
    rows = range(len(batch))
    return [encode_row({str(j): column[i] for j, column in enumerate(batch.columns)}) for i in rows]


def content_digest(rows: list[bytes]) -> str:
    """Compute LtHash16, one word at a time."""
    words = [0] * 1024
    for row in rows:
        stretched = blake3.blake3(row).digest(length=2048)
        for i in range(1024):
            words[i] = (words[i] + int.from_bytes(stretched[2 * i : 2 * i + 2], "little")) % 65536
    return hashlib.sha256(b"".join(word.to_bytes(2, "little") for word in words)).hexdigest()


def order_digest(rows: list[bytes]) -> str:
    """Compute SHA-256 over the SHA-256 of each row."""
    return hashlib.sha256(b"".join(hashlib.sha256(row).digest() for row in rows)).hexdigest()


def cut_ranges(
    hashes: list[int],
    sizes: list[int],
    *,
    min_bytes: int,
    max_bytes: int,
) -> list[tuple[int, int]]:
    """Cut rows into shards one by one, as the rule says."""
    ranges, start, held = [], 0, 0
    target = (max_bytes - min_bytes) / 4
    for i, (number, size) in enumerate(zip(hashes, sizes, strict=True)):
        if i > start and held + size > max_bytes:
            ranges.append((start, i))
            start, held = i, 0
        held += size
        if held >= min_bytes and float(number) * 2.0**-64 * target < size:
            ranges.append((start, i + 1))
            start, held = i + 1, 0
    if start < len(sizes):
        ranges.append((start, len(sizes)))
    return ranges
