"""Golden bytes of the canonical row encoding, and types without an encoding."""

from __future__ import annotations

import datetime as dt
import decimal
import hashlib

import pyarrow as pa
import pytest

from builder.errors import ContractError
from builder.io.parquet_sink.rows import encode_rows, row_digests, row_sizes

DAY = dt.date(1970, 1, 3)
INSTANT = dt.datetime(1970, 1, 1, 0, 0, 1, 5, tzinfo=dt.UTC)


def one(value: object, kind: pa.DataType) -> str:
    data, _ = encode_rows(pa.RecordBatch.from_arrays([pa.array([value], kind)], ["a"]))
    return data.tobytes().hex()


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (None, pa.int64(), "00"),
        (None, pa.null(), "00"),
        (1, pa.int8(), "010100000000000000"),
        (-1, pa.int32(), "01ffffffffffffffff"),
        (2**64 - 1, pa.uint64(), "01ffffffffffffffff"),
        (True, pa.bool_(), "010100000000000000"),
        (1.0, pa.float32(), "01000000000000f03f"),
        (-0.0, pa.float64(), "010000000000000080"),
        (float("nan"), pa.float64(), "01000000000000f87f"),
        (1.5, pa.float16(), "01000000000000f83f"),
        ("é", pa.string(), "010200000000000000c3a9"),
        (b"", pa.binary(), "010000000000000000"),
        (b"ab", pa.binary(2), "0102000000000000006162"),
        (DAY, pa.date32(), "010200000000000000"),
        (DAY, pa.date64(), "010200000000000000"),
        (INSTANT, pa.timestamp("us", "UTC"), "0145420f0000000000"),
        (dt.timedelta(seconds=1), pa.duration("s"), "0140420f0000000000"),
        (dt.time(0, 0, 1), pa.time32("ms"), "0140420f0000000000"),
        (5, pa.time64("ns"), "010500000000000000"),
        (decimal.Decimal("-0.02"), pa.decimal128(5, 2), "01fe" + "ff" * 31),
        (decimal.Decimal("0.02"), pa.decimal256(50, 2), "0102" + "00" * 31),
        ([], pa.list_(pa.int64()), "010000000000000000"),
        ([None], pa.list_(pa.int64()), "01010000000000000000"),
        (["a"], pa.list_(pa.string(), 1), "01010000000000000001010000000000000061"),
        ({"a": None, "b": False}, pa.struct([("a", pa.int8()), ("b", pa.bool_())]), "0100010000000000000000"),
        ([("k", None)], pa.map_(pa.string(), pa.int8()), "010100000000000000010101000000000000006b00"),
    ],
)  # fmt: skip
def test_the_encoding_of_a_value_never_changes(value: object, kind: pa.DataType, expected: str) -> None:
    """Digests of published rows are computed from these bytes."""
    assert one(value, kind) == expected


def test_a_row_is_the_concatenation_of_its_columns() -> None:
    """A row's digest is the SHA-256 of its columns' encodings in the order of the schema."""
    batch = pa.RecordBatch.from_pydict({"b": ["x", None], "a": [1, 2]})
    data, offsets = encode_rows(batch)
    rows = ["01010000000000000078010100000000000000", "00010200000000000000"]  # fmt: skip
    assert data.tobytes().hex() == "".join(rows)
    assert offsets.tolist() == [0, 19, 29]
    expected = [hashlib.sha256(bytes.fromhex(row)).digest() for row in rows]
    assert [digest.tobytes() for digest in row_digests(data, offsets)] == expected


def test_a_batch_without_rows_encodes_to_nothing() -> None:
    """Also with nested columns."""
    batch = pa.RecordBatch.from_pydict({"a": pa.array([], pa.list_(pa.struct([("b", pa.string())])))})
    data, offsets = encode_rows(batch)
    assert (len(data), offsets.tolist(), len(row_sizes(batch))) == (0, [0], 0)
    assert row_digests(data, offsets).shape == (0, 32)


def test_extension_types_are_encoded_as_their_storage() -> None:
    """A UUID is its sixteen bytes."""
    plain = pa.array([b"0123456789abcdef", None], pa.binary(16))
    batches = [pa.RecordBatch.from_arrays([a], ["a"]) for a in (plain, plain.cast(pa.uuid()))]
    assert encode_rows(batches[0])[0].tobytes() == encode_rows(batches[1])[0].tobytes()


def test_type_without_an_encoding_is_refused() -> None:
    """A union has no canonical form."""
    union = pa.UnionArray.from_dense(pa.array([0], pa.int8()), pa.array([0], pa.int32()), [pa.array([1])])
    with pytest.raises(ContractError, match="cannot be encoded"):
        row_sizes(pa.RecordBatch.from_arrays([union], ["a"]))


def test_a_timestamp_out_of_range_is_refused() -> None:
    """Seconds after the year 294,000 would overflow as microseconds; under a null they are ignored."""
    far = pa.array([2**62], pa.timestamp("s"))
    with pytest.raises(ContractError, match="out of range"):
        encode_rows(pa.RecordBatch.from_arrays([far], ["a"]))
    bitmap = pa.py_buffer(b"\0")
    hidden = pa.Array.from_buffers(pa.timestamp("s"), 1, [bitmap, far.buffers()[1]])
    assert row_sizes(pa.RecordBatch.from_arrays([hidden], ["a"])).tolist() == [1]
