"""Compute exact Jaccard similarities of shingle sets, with a hash table and without sorting.

This is the proof that two candidates are near-duplicates.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from builder.kernels.bits import power_of_two
from builder.kernels.jit import array_kernel, kernel


@kernel
def least_shared(n_left: Any, n_right: Any, least: Any) -> Any:
    """Return the least number of common members with which two sets of these sizes reach ``least``."""
    n_shared: Any = max(0, np.int64(least * (n_left + n_right) / (1.0 + least)) - 2)
    while n_shared < n_left + n_right and n_shared / (n_left + n_right - n_shared) < least:
        n_shared += 1
    return n_shared


@array_kernel
def fill_table(members: Any, table: Any) -> Any:
    """Put a set into a hash table; return the table (a larger one if necessary) and its mask.

    Args:
        members: uint64[n], distinct, none 0.
        table: uint64[a power of two], overwritten.
    """
    size = power_of_two(len(members) + len(members) // 2)
    if size > len(table):
        table = np.empty(size, np.uint64)
    table[:size] = 0
    mask = np.uint64(size - 1)
    for i in range(len(members)):
        slot = members[i] & mask
        while table[slot] != 0:
            slot = (slot + np.uint64(1)) & mask
        table[slot] = members[i]
    return table, mask


@kernel
def similarity(members: Any, table: Any, mask: Any, n_other: Any, least: Any) -> Any:
    """Return the Jaccard similarity of a set and the set in the table; -1 if it is below ``least``.

    The kernel stops as soon as too many members are missing. Intersection and union are exact; their quotient
    is the float64 nearest to the true value.

    Args:
        members: uint64[n], distinct, none 0.
        n_other: number of members of the set in the table.
    """
    spare = len(members) - least_shared(len(members), n_other, least)
    missing: Any = 0
    for i in range(len(members)):
        value = members[i]
        slot = value & mask
        there = table[slot]
        while there != 0 and there != value:
            slot = (slot + np.uint64(1)) & mask
            there = table[slot]
        missing += np.int64(there == 0)
        if missing > spare:
            return -1.0
    shared = len(members) - missing
    return shared / (len(members) + n_other - shared)
