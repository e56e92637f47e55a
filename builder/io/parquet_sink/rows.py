"""Encode rows canonically; row digests, shard sizes and diffs are computed from this encoding.

The encoding depends only on the values, not on their layout in Arrow: offsets, chunks, undefined bytes under
nulls, large types, views and dictionaries have no effect. A row is the concatenation of its columns, in the
order of the schema. A null is the byte 0. Any other value is the byte 1, followed by

    integers, bool, dates (days), times, timestamps, durations (microseconds)   8 bytes, little-endian
    floats                        8 bytes of the float64; all NaN are equal, -0.0 differs from 0.0
    decimals                      32 bytes of the unscaled integer, little-endian
    strings, binary               8 bytes of length, contents
    lists, maps                   8 bytes of count, elements
    structs                       fields

With the same schema, no two different rows have the same bytes. Nanoseconds are not converted to
microseconds.
"""

from __future__ import annotations

import hashlib
import itertools
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pat

from builder.errors import ContractError, Fault
from builder.io.parquet_sink.row_nodes import (
    Blocks,
    Lists,
    Node,
    Nulls,
    Strings,
    Structs,
    Words,
    running_sum,
    spread,
    total_sizes,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

DIGEST_BYTES = 32
_DAY_MS = 86_400_000
_DECIMAL_BYTES = 32
_MICROSECONDS = {"s": 1_000_000, "ms": 1_000, "us": 1, "ns": 1}
_NAN = np.uint64(0x7FF8000000000000)


def row_sizes(batch: pa.RecordBatch) -> NDArray[np.int64]:
    """Return the encoded length of each row without encoding it.

    Returns:
        int64[n_rows].

    Raises:
        ContractError: if a column's type has no encoding (unions, intervals).
    """
    return total_sizes([_node(column) for column in batch.columns], batch.num_rows)


def encode_rows(batch: pa.RecordBatch) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Encode each row in the form that the module's docstring defines.

    Returns:
        uint8[n_bytes] and int64[n_rows + 1]; row ``i`` is ``data[offsets[i]:offsets[i + 1]]``.

    Raises:
        ContractError: if a column's type has no encoding (unions, intervals).
    """
    nodes = [_node(column) for column in batch.columns]
    offsets = running_sum(total_sizes(nodes, batch.num_rows))
    data = np.empty(int(offsets[-1]), np.uint8)
    positions = offsets[:-1].copy()
    for node in nodes:
        node.write(positions, data)
        positions += node.sizes
    return data, offsets


def row_digests(data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return the SHA-256 of each encoded row.

    Returns:
        uint8[n_rows, 32].
    """
    view = memoryview(cast("Any", data))
    bounds = offsets.tolist()
    digests = b"".join(
        hashlib.sha256(view[start:stop]).digest() for start, stop in itertools.pairwise(bounds)
    )
    return np.frombuffer(digests, np.uint8).reshape(-1, DIGEST_BYTES)


# -- Arrow arrays to nodes -------------------------------------------------------------------------


def _node(array: pa.Array) -> Node:
    for matches, make in _MAKERS:
        if matches(array.type):
            return make(array)
    what = f"a row with a column of type {array.type} cannot be encoded"
    raise ContractError(Fault(where="", what=what, advice="publish the column as JSON text"))


def _nulls(array: pa.Array) -> Node:
    return Nulls(len(array))


def _dense(array: pa.Array) -> Node:
    """Convert a layout (extension, dictionary, run-end, view) to the plain layout of the same values."""
    kind = array.type
    if isinstance(kind, pa.BaseExtensionType):
        return _node(array.storage)
    if pat.is_dictionary(kind):
        return _node(array.dictionary_decode())
    if pat.is_run_end_encoded(kind):
        return _node(pc.run_end_decode(array))
    return _node(array.cast(pa.large_string() if pat.is_string_view(kind) else pa.large_binary()))


def _integers(array: pa.Array) -> Node:
    return Words(_values(array).astype(np.int64).view(np.uint64), _valid(array))


def _bools(array: pa.Array) -> Node:
    bits = _bits(array.buffers()[1], array.offset, len(array))
    return Words(bits.astype(np.uint64), _valid(array))


def _floats(array: pa.Array) -> Node:
    floats = _values(array).astype(np.float64)
    return Words(np.where(np.isnan(floats), _NAN, floats.view(np.uint64)), _valid(array))


def _dates(array: pa.Array) -> Node:
    days = _values(array).astype(np.int64)
    if pat.is_date64(array.type):
        days //= _DAY_MS
    return Words(days.view(np.uint64), _valid(array))


def _instants(array: pa.Array) -> Node:
    scale = _MICROSECONDS[array.type.unit]
    valid = _valid(array)
    counts = np.where(valid, _values(array).astype(np.int64), 0)
    if scale > 1 and len(counts) and max(-int(counts.min()), int(counts.max())) > (1 << 63) // scale - 1:
        what = f"a value of type {array.type} is out of range: its microseconds do not fit 64 bits"
        raise ContractError(Fault(where="", what=what, advice="correct the value, or use a coarser type"))
    return Words((counts * scale).view(np.uint64), valid)


def _decimals(array: pa.Array) -> Node:
    wide = array.cast(pa.decimal256(76, array.type.scale))
    return Blocks(_fixed_bytes(wide, _DECIMAL_BYTES), _DECIMAL_BYTES, _valid(wide))


def _strings(array: pa.Array) -> Node:
    starts, lengths, valid = _spans(array)
    data = array.buffers()[2]
    return Strings(np.frombuffer(data or b"", np.uint8), starts, lengths, valid)


def _fixed_strings(array: pa.Array) -> Node:
    width = array.type.byte_width
    valid = _valid(array)
    starts = np.arange(len(array), dtype=np.int64) * width
    return Strings(_fixed_bytes(array, width), starts, width * valid.astype(np.int64), valid)


def _lists(array: pa.Array) -> Node:
    starts, lengths, valid = _spans(array)
    first = int(starts[0]) if len(starts) else 0
    stop = int((starts + lengths).max(initial=first))
    elements = _entries(array) if pat.is_map(array.type) else array.values
    return Lists(starts - first, lengths, valid, _node(elements.slice(first, stop - first)))


def _list_views(array: pa.Array) -> Node:
    """Gather the elements of list views, which may be in any order and shared; a cast ignores slices."""
    valid = _valid(array)
    lengths = np.where(valid, array.sizes.to_numpy().astype(np.int64), 0)
    starts = np.where(valid, array.offsets.to_numpy().astype(np.int64), 0)
    elements = array.values.take(pa.array(spread(starts, lengths)))
    return Lists(running_sum(lengths)[:-1], lengths, valid, _node(elements))


def _fixed_lists(array: pa.Array) -> Node:
    count = array.type.list_size
    valid = _valid(array)
    starts = np.arange(len(array), dtype=np.int64) * count
    elements = array.values.slice(array.offset * count, len(array) * count)
    return Lists(starts, count * valid.astype(np.int64), valid, _node(elements))


def _structs(array: pa.Array) -> Node:
    return Structs(_valid(array), [_node(array.field(i)) for i in range(array.type.num_fields)])


def _entries(array: pa.MapArray) -> pa.Array:
    return pa.StructArray.from_arrays([array.keys, array.items], names=["key", "value"])


_MAKERS: Sequence[tuple[Callable[[pa.DataType], bool], Callable[[Any], Node]]] = (
    (pat.is_null, _nulls),
    (pat.is_boolean, _bools),
    (pat.is_integer, _integers),
    (pat.is_floating, _floats),
    (pat.is_date, _dates),
    (lambda t: pat.is_timestamp(t) or pat.is_time(t) or pat.is_duration(t), _instants),
    (pat.is_decimal, _decimals),
    (pat.is_fixed_size_binary, _fixed_strings),
    (lambda t: pat.is_string(t) or pat.is_large_string(t), _strings),
    (lambda t: pat.is_binary(t) or pat.is_large_binary(t), _strings),
    (lambda t: pat.is_string_view(t) or pat.is_binary_view(t), _dense),
    (pat.is_fixed_size_list, _fixed_lists),
    (lambda t: pat.is_list(t) or pat.is_large_list(t) or pat.is_map(t), _lists),
    (lambda t: pat.is_list_view(t) or pat.is_large_list_view(t), _list_views),
    (pat.is_struct, _structs),
    (lambda t: pat.is_dictionary(t) or pat.is_run_end_encoded(t), _dense),
    (lambda t: isinstance(t, pa.BaseExtensionType), _dense),
)


# -- buffers ---------------------------------------------------------------------------------------


def _values(array: pa.Array) -> NDArray[Any]:
    """Return a view of the buffer of a column of numbers, dates or times."""
    kind = _STORED.get(array.type) or (np.int32 if array.type.bit_width == 32 else np.int64)
    return _view(array.buffers()[1], kind, array.offset, len(array))


_STORED = {
    **{getattr(pa, f"int{bits}")(): getattr(np, f"int{bits}") for bits in (8, 16, 32, 64)},
    **{getattr(pa, f"uint{bits}")(): getattr(np, f"uint{bits}") for bits in (8, 16, 32, 64)},
    **{getattr(pa, f"float{bits}")(): getattr(np, f"float{bits}") for bits in (16, 32, 64)},
}


def _spans(array: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Return starts, lengths and validity of strings or lists; the length of a null is 0."""
    kind = array.type
    large = pat.is_large_list(kind) or pat.is_large_string(kind) or pat.is_large_binary(kind)
    valid = _valid(array)
    if not len(array):
        return np.empty(0, np.int64), np.empty(0, np.int64), valid
    bounds = _view(array.buffers()[1], np.int64 if large else np.int32, array.offset, len(array) + 1)
    bounds = bounds.astype(np.int64)
    return bounds[:-1], np.where(valid, np.diff(bounds), 0), valid


def _fixed_bytes(array: pa.Array, width: int) -> NDArray[np.uint8]:
    return _view(array.buffers()[1], np.uint8, array.offset * width, len(array) * width)


def _valid(array: pa.Array) -> NDArray[np.bool_]:
    bitmap = array.buffers()[0]
    if bitmap is None:
        return np.ones(len(array), np.bool_)
    return _bits(bitmap, array.offset, len(array))


def _bits(buffer: pa.Buffer | None, start: int, length: int) -> NDArray[np.bool_]:
    first = start // 8
    packed = _view(buffer, np.uint8, first, (start + length + 7) // 8 - first)
    return np.unpackbits(packed, bitorder="little")[start % 8 :][:length].view(np.bool_)


def _view(buffer: Any, kind: Any, start: int, length: int) -> NDArray[Any]:
    if not length:
        return np.empty(0, kind)
    return np.frombuffer(buffer, kind, count=length, offset=start * np.dtype(kind).itemsize)
