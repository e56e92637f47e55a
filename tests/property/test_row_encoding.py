"""Laws of the canonical row encoding and of the digests over it."""

from __future__ import annotations

import datetime as dt
import decimal
import io
import itertools
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import reference_rows as reference
from hypothesis import given, settings
from hypothesis import strategies as st

from builder.domain.digests import ContentDigest, OrderDigest, encoded
from builder.io.parquet_sink.rows import encode_rows, row_digests, row_sizes

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

LEAVES: dict[pa.DataType, st.SearchStrategy[Any]] = {
    pa.bool_(): st.booleans(),
    pa.int8(): st.integers(-128, 127),
    pa.int32(): st.integers(-(2**31), 2**31 - 1),
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.uint64(): st.integers(0, 2**64 - 1),
    pa.float32(): st.floats(width=32),
    pa.float64(): st.floats(),
    pa.string(): st.text(max_size=6),
    pa.large_string(): st.text(max_size=6),
    pa.binary(): st.binary(max_size=6),
    pa.binary(3): st.binary(min_size=3, max_size=3),
    pa.date32(): st.dates(),
    pa.timestamp("us", "UTC"): st.datetimes(timezones=st.just(dt.UTC)),
    pa.timestamp("ms"): st.integers(-(2**40), 2**40).map(
        lambda ms: (EPOCH + dt.timedelta(milliseconds=ms)).replace(tzinfo=None)
    ),
    pa.duration("s"): st.integers(-(10**6), 10**6).map(lambda s: dt.timedelta(seconds=s)),
    pa.decimal128(10, 2): st.decimals(-1000, 1000, places=2, allow_nan=False),
}


def types(leaf: st.SearchStrategy[pa.DataType] | None = None) -> st.SearchStrategy[pa.DataType]:
    return st.recursive(
        st.sampled_from(list(LEAVES)) if leaf is None else leaf,
        lambda inner: st.one_of(
            inner.map(pa.list_),
            inner.map(pa.large_list),
            st.tuples(inner, st.integers(1, 3)).map(lambda t: pa.list_(*t)),
            st.lists(inner, min_size=1, max_size=3).map(
                lambda parts: pa.struct([(f"f{i}", part) for i, part in enumerate(parts)])
            ),
        ),
        max_leaves=4,
    )


def values(kind: pa.DataType) -> st.SearchStrategy[Any]:
    """Draw values of a type, with nulls at every level."""
    if pa.types.is_struct(kind):
        filled = st.fixed_dictionaries({part.name: values(part.type) for part in kind})
    elif pa.types.is_fixed_size_list(kind):
        filled = st.lists(values(kind.value_type), min_size=kind.list_size, max_size=kind.list_size)
    elif pa.types.is_nested(kind):
        filled = st.lists(values(kind.value_type), max_size=3)
    else:
        filled = LEAVES[kind]
    return st.none() | filled


@st.composite
def batches(draw: st.DrawFn, *, max_rows: int = 8) -> pa.RecordBatch:
    kinds = draw(st.lists(types(), min_size=1, max_size=3))
    n_rows = draw(st.integers(0, max_rows))
    columns = [
        pa.array(draw(st.lists(values(kind), min_size=n_rows, max_size=n_rows)), kind) for kind in kinds
    ]
    return pa.RecordBatch.from_arrays(columns, names=[f"c{i}" for i in range(len(kinds))])


def encoded_rows(batch: pa.RecordBatch) -> list[bytes]:
    data, offsets = encode_rows(batch)
    return [data[a:b].tobytes() for a, b in itertools.pairwise(offsets)]


def with_garbage(array: pa.Array) -> pa.Array:
    """Return the same values, with data under the nulls of this level and of the levels below."""
    filled = _fill(array)
    nulls = pc.is_null(array)
    if pa.types.is_struct(array.type):
        parts = [with_garbage(filled.field(i)) for i in range(array.type.num_fields)]
        return pa.StructArray.from_arrays(parts, fields=list(array.type), mask=nulls)
    bitmap = pc.invert(nulls).buffers()[1] if len(array) else None
    buffers = filled.buffers()[: filled.type.num_buffers]
    children = [with_garbage(filled.values)] if pa.types.is_nested(array.type) else []
    return pa.Array.from_buffers(
        array.type, len(array), [bitmap, *buffers[1:]], null_count=-1, offset=0, children=children
    )


def _fill(array: pa.Array) -> pa.Array:
    """Replace each null by some value of its type."""
    samples = {
        pa.bool_(): True,
        pa.binary(3): b"xyz",
        pa.decimal128(10, 2): decimal.Decimal("7.25"),
        pa.date32(): dt.date(2001, 2, 3),
        pa.timestamp("us", "UTC"): EPOCH,
        pa.timestamp("ms"): EPOCH.replace(tzinfo=None),
        pa.duration("s"): dt.timedelta(seconds=5),
    }
    rows = array.to_pylist()
    return pa.array([_sample(array.type, samples) if row is None else row for row in rows], array.type)


def _sample(kind: pa.DataType, samples: dict[pa.DataType, Any]) -> Any:
    if pa.types.is_struct(kind):
        return {part.name: _sample(part.type, samples) for part in kind}
    if pa.types.is_fixed_size_list(kind):
        return [_sample(kind.value_type, samples)] * kind.list_size
    if pa.types.is_nested(kind):
        return [_sample(kind.value_type, samples)] * 2
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return "garbage"
    if pa.types.is_binary(kind):
        return b"garbage"
    return samples.get(kind, 77)


@settings(max_examples=50)
@given(batches())
def test_encoding_equals_the_reference(batch: pa.RecordBatch) -> None:
    """Every row has the bytes of the reference in plain Python, and the length that ``row_sizes`` returns."""
    expected = reference.encode_batch(batch)
    assert encoded_rows(batch) == expected
    assert row_sizes(batch).tolist() == [len(row) for row in expected]


@settings(max_examples=50)
@given(batches(), st.data())
def test_encoding_does_not_depend_on_batch_boundaries(batch: pa.RecordBatch, data: st.DataObject) -> None:
    """A slice has the encoded rows of its batch, wherever it begins and ends."""
    start = data.draw(st.integers(0, len(batch)))
    length = data.draw(st.integers(0, len(batch) - start))
    assert encoded_rows(batch.slice(start, length)) == encoded_rows(batch)[start : start + length]


@settings(max_examples=50)
@given(batches())
def test_encoding_does_not_depend_on_data_under_nulls(batch: pa.RecordBatch) -> None:
    """The bytes in the buffers under a null have no effect, at any level."""
    dirty = pa.RecordBatch.from_arrays([with_garbage(column) for column in batch.columns], batch.schema.names)
    dirty.validate(full=True)
    assert encoded_rows(dirty) == encoded_rows(batch)
    assert encoded_rows(dirty.slice(1)) == encoded_rows(batch)[1:]


@given(st.lists(st.none() | st.text(max_size=20)), st.integers(0, 5))
def test_encoding_does_not_depend_on_layouts_of_strings(texts: list[str | None], start: int) -> None:
    """Large, view, dictionary, run-end and binary types give the same rows as plain strings."""
    plain = pa.array(texts, pa.string())
    layouts = [
        plain.cast(pa.large_string()),
        plain.cast(pa.string_view()),
        plain.cast(pa.binary()),
        plain.cast(pa.binary_view()),
        plain.dictionary_encode(),
        pc.run_end_encode(plain),
    ]
    expected = encoded_rows(pa.RecordBatch.from_arrays([plain], ["a"]))
    for layout in layouts:
        batch = pa.RecordBatch.from_arrays([layout], ["a"])
        assert encoded_rows(batch) == expected
        assert encoded_rows(batch.slice(start)) == expected[start:]


@given(st.lists(st.none() | st.lists(st.none() | st.text(max_size=3), max_size=3)), st.integers(0, 5))
def test_encoding_does_not_depend_on_layouts_of_lists(
    lists: list[list[str | None] | None], start: int
) -> None:
    """Large lists, list views in any order, and dictionaries inside lists give the same rows."""
    plain = pa.array(lists, pa.list_(pa.string()))
    backwards = pa.array(range(len(lists))[::-1], pa.int64())
    views = pa.array(lists[::-1], pa.list_view(pa.string())).take(backwards)
    large_views = pa.array(lists, pa.large_list_view(pa.string()))
    layouts = [plain.cast(pa.large_list(pa.string())), views, large_views]
    values = plain.values.dictionary_encode()
    layouts.append(pa.ListArray.from_arrays(plain.offsets, values, mask=pc.is_null(plain)))
    expected = encoded_rows(pa.RecordBatch.from_arrays([plain], ["a"]))
    for layout in layouts:
        batch = pa.RecordBatch.from_arrays([layout], ["a"])
        assert encoded_rows(batch) == expected
        assert encoded_rows(batch.slice(start)) == expected[start:]


@settings(max_examples=50)
@given(batches())
def test_parquet_keeps_the_encoding_of_every_row(batch: pa.RecordBatch) -> None:
    """So a digest can be checked against the published files."""
    file = io.BytesIO()
    pq.write_table(pa.table(batch), file)
    back = pq.read_table(io.BytesIO(file.getvalue())).combine_chunks()
    rows = [row for one in back.to_batches() for row in encoded_rows(one)]
    assert rows == encoded_rows(batch)


@settings(max_examples=50)
@given(st.data())
def test_rows_that_differ_are_encoded_differently(data: st.DataObject) -> None:
    """Under one schema, two different rows never have the same bytes, and none is a prefix of another."""
    kind = data.draw(types())
    rows = data.draw(st.lists(values(kind), min_size=2, max_size=6))
    batch = pa.RecordBatch.from_arrays([pa.array(rows, kind)], ["a"])
    encoded = encoded_rows(batch)
    texts = [repr(value) for value in batch.column(0).to_pylist()]
    for (one, a), (other, b) in itertools.combinations(zip(texts, encoded, strict=True), 2):
        assert (one == other) == (a == b)
        assert a == b or not (a.startswith(b) or b.startswith(a))


@settings(max_examples=30)
@given(st.lists(st.binary(max_size=40), max_size=12), st.integers(0, 12))
def test_digests_equal_the_reference(rows: list[bytes], at: int) -> None:
    """Both digests equal the reference, wherever the rows are split into batches."""
    batch = pa.RecordBatch.from_arrays([pa.array(rows, pa.binary())], ["a"])
    expected = reference.encode_batch(batch)
    content, order = ContentDigest(), OrderDigest()
    for part in (batch.slice(0, at), batch.slice(at)):
        data, offsets = encode_rows(part)
        content = content.add(data, offsets)
        order.update(row_digests(data, offsets))
    assert content.hexdigest() == reference.content_digest(expected)
    assert order.hexdigest() == reference.order_digest(expected)


@settings(max_examples=50)
@given(st.lists(st.binary(max_size=8), max_size=8), st.lists(st.binary(max_size=8), max_size=8), st.randoms())
def test_content_digest_is_that_of_a_multiset(some: list[bytes], others: list[bytes], random: Any) -> None:
    """Order does not matter, added rows can be subtracted, and merging equals adding."""

    def digest(rows: list[bytes]) -> ContentDigest:
        return ContentDigest().add(*encoded(*rows))

    both = [*some, *others]
    random.shuffle(both)
    assert digest(both) == digest(some).merge(digest(others))
    assert digest(both).subtract(*encoded(*others)) == digest(some)
    assert digest(both).without(digest(some)) == digest(others)
    assert (digest(some) == digest(others)) == (sorted(some) == sorted(others))


def test_a_repeated_row_changes_the_content_digest() -> None:
    """A digest of a set, or an exclusive or, would lose the second row."""
    row = encode_rows(pa.RecordBatch.from_pydict({"a": ["x"]}))
    once = ContentDigest().add(*row)
    assert once.add(*row) != once
    assert np.frombuffer(once.state, np.uint16).any()
