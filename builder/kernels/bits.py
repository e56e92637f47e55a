"""Process eight bytes at a time: unaligned loads and stores, counts of bits, and the mixing function."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils

from builder.kernels.jit import instruction, kernel

_WORD = ir.IntType(64)
_ONES, _HIGH = np.uint64(0x0101010101010101), np.uint64(0x8080808080808080)


def _place(context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
    data = context.make_array(array_type)(context, builder, array).data
    gep: Any = cgutils.gep_inbounds
    return builder.bitcast(gep(builder, data, index), _WORD.as_pointer())


def _load8(_typing: Any, array: Any, _index: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(_place(context, builder, signature.args[0], *args), align=1)

    return types.uint64(array, types.int64), generate


def _store8(_typing: Any, array: Any, _index: Any, _value: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        place = _place(context, builder, signature.args[0], args[0], args[1])
        builder.store(args[2], place, align=1)
        return context.get_dummy_value()

    return types.none(array, types.int64, types.uint64), generate


def _trailing_zeros(_typing: Any, _value: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), generate


def _count_ones(_typing: Any, _value: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.ctpop(args[0])

    return types.int64(types.uint64), generate


@instruction(_load8)
def load8(array: Any, index: Any) -> Any:
    """Return ``array[index:index + 8]`` as a little-endian uint64; compiled code does not check bounds."""
    return array[index : index + 8].view("<u8")[0]


@instruction(_store8)
def store8(array: Any, index: Any, value: Any) -> None:
    """Write a uint64 to ``array[index:index + 8]``; compiled code does not check bounds."""
    array[index : index + 8].view("<u8")[0] = value


@instruction(_trailing_zeros)
def trailing_zeros(value: Any) -> Any:
    """Return the number of zero bits below the lowest one of a uint64 that is not 0."""
    return np.int64((int(value) & -int(value)).bit_length() - 1)


@instruction(_count_ones)
def count_ones(value: Any) -> Any:
    """Return the number of one bits of a uint64."""
    return np.int64(int(value).bit_count())


@kernel
def mix(x: Any) -> Any:
    """Mix the bits of a uint64; different inputs give different outputs.

    The finaliser of SplitMix64 (Steele, Lea, Flood 2014, "Fast Splittable Pseudorandom Number Generators",
    with Stafford's constants "mix 13"). 0 stays 0.
    """
    x = np.uint64(x)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@kernel
def find_byte(data: Any, at: Any, end: Any, byte: Any) -> Any:
    """Return the position of the first such byte in ``data[at:end]``, or ``end``."""
    pattern = np.uint64(byte) * _ONES
    while at + 8 <= end:
        x = load8(data, at) ^ pattern
        # a zero byte borrows and sets its highest bit; bytes above it may be marked wrongly
        zeros = (x - _ONES) & ~x & _HIGH
        if zeros != 0:
            return at + (trailing_zeros(zeros) >> 3)
        at += 8
    while at < end and data[at] != byte:
        at += 1
    return at


@kernel
def power_of_two(n: Any) -> Any:
    """Return the least power of two that is at least ``n`` and at least 8."""
    size = 8
    while size < n:
        size *= 2
    return size
