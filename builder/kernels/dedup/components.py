"""Find connected components: documents that share a band key, directly or through other documents."""

from __future__ import annotations

from typing import Any

import numpy as np

from builder.kernels.bits import power_of_two
from builder.kernels.jit import array_kernel, kernel

_PARTITION_BITS = 8
_PARTITIONS = 1 << _PARTITION_BITS


@kernel
def root(parent: Any, doc: Any) -> Any:
    """Return the first document of a component, and shorten the path to it."""
    while parent[doc] != doc:
        parent[doc] = parent[parent[doc]]
        doc = parent[doc]
    return doc


@array_kernel
def partition(keys: Any) -> Any:
    """Sort documents by the upper 8 bits of their keys; equal ones keep their order.

    Returns:
        The sorted keys, uint64[n_docs]; the document numbers, int32[n_docs]; and where each partition begins,
        int64[257].
    """
    shift = np.uint64(64 - _PARTITION_BITS)
    starts = np.zeros(_PARTITIONS + 1, np.int64)
    for i in range(len(keys)):
        starts[np.int64(keys[i] >> shift) + 1] += 1
    starts = np.cumsum(starts)
    fill = starts[:-1].copy()
    ordered = np.empty(len(keys), np.uint64)
    docs = np.empty(len(keys), np.int32)
    for i in range(len(keys)):
        key = keys[i]
        part = np.int64(key >> shift)
        place = np.uint64(fill[part])
        ordered[place] = key
        docs[place] = np.int32(i)
        fill[part] += 1
    return ordered, docs, starts


@array_kernel
def join_equal(keys: Any, band: Any, parent: Any, shared: Any) -> Any:
    """Join all documents that have equal keys in one band.

    The kernel processes one partition of keys at a time, so that its hash table stays in the CPU cache. The
    table holds keys and documents, so no other memory is read.

    Args:
        keys: uint64[n_docs], the keys of one band, of fewer than 2**31 documents.
        band: the number of the band.
        parent: int64[n_docs], a union-find forest whose roots are the first documents of their components;
            changed.
        shared: uint8[n_docs, n_bands / 8 rounded up]; bit ``band`` is set for each document whose key
            another document has too; changed.
    """
    ordered, docs, starts = partition(keys)
    largest = 0
    for p in range(_PARTITIONS):
        largest = max(largest, starts[p + 1] - starts[p])
    table = np.empty(power_of_two(2 * largest), np.uint64)
    firsts = np.empty(len(table), np.int32)
    byte = band >> 3
    bit = np.uint8(1 << (band & 7))
    for p in range(_PARTITIONS):
        size = power_of_two(2 * (starts[p + 1] - starts[p]))
        mask = np.uint64(size - 1)
        firsts[:size] = -1
        for i in range(starts[p], starts[p + 1]):
            key = ordered[np.uint64(i)]
            doc = docs[np.uint64(i)]
            slot = key & mask
            while firsts[slot] >= 0 and table[slot] != key:
                slot = (slot + np.uint64(1)) & mask
            first = firsts[slot]
            if first < 0:
                table[slot] = key
                firsts[slot] = doc
                continue
            shared[doc, byte] |= bit
            shared[first, byte] |= bit
            a = root(parent, first)
            b = root(parent, doc)
            parent[max(a, b)] = min(a, b)


@kernel
def join_forests(parent: Any, other: Any) -> None:
    """Merge the second forest into the first; both have the same documents, and only the first changes."""
    for doc in range(len(parent)):
        if other[doc] != doc:
            a = root(parent, doc)
            b = root(parent, other[doc])
            parent[max(a, b)] = min(a, b)


@array_kernel
def roots(parent: Any) -> Any:
    """Return int64[n_docs], the first document of each document's component."""
    out = np.empty(len(parent), np.int64)
    for doc in range(len(parent)):
        out[doc] = root(parent, doc)
    return out
