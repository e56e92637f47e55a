"""Score units with trees whose leaves are bits: all nodes are compared, and no step waits for another."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from builder.kernels.html.trees import LIMIT_BITS, STEP_BITS
from builder.kernels.jit import kernel
from builder.kernels.plain.layout import MARGIN

MAX_LEAVES = 16
"""A set of leaves is a number of 16 bits."""

ALL_LEAVES = (1 << MAX_LEAVES) - 1
LOWEST_BIT_FACTOR, LOWEST_BIT_SHIFT = 0x09AF, 12
"""A power of two below 2**16, times the factor, has another number for each in bits 12 to 15."""

UNITS_AT_ONCE, _STEP = 64, 16
"""Rows that go through all trees together, in steps of ``_STEP``: rows after the last are read as well."""


class LeafTrees(NamedTuple):
    """A model of trees with at most ``MAX_LEAVES`` leaves, for features in columns.

    The leaves of a tree are numbered from the left. A node knows which leaves a unit can still reach if its
    feature is greater than the threshold. The lowest leaf that is left in the end is the one that a walk
    from the root reaches.

    Attributes:
        starts: int32[n_trees + 1], the first node of each tree.
        columns: int16[n_nodes], the column that a node looks at.
        shifts: int8[n_nodes], the neighbour whose column it is.
        thresholds: uint8[n_nodes].
        leaves: uint16[n_nodes], a bit for each leaf that is left if the feature is greater.
        values: int32[n_trees, MAX_LEAVES], what a leaf adds to the score, in 1/1024 of a logit; in the order
            of the products with ``LOWEST_BIT_FACTOR``.
        probabilities: uint16[N_PROBABILITIES], in 1/1000, for each score.
    """

    starts: Any
    columns: Any
    shifts: Any
    thresholds: Any
    leaves: Any
    values: Any
    probabilities: Any


@kernel
def score_units(columns: Any, n: Any, trees: Any, left: Any, scores: Any) -> None:
    """Fill in the probability of each unit, in 1/1000.

    Sums of integers do not depend on their order, so every machine gets the same scores.

    Args:
        columns: uint8[N_COLUMNS, MARGIN + n + MARGIN + UNITS_AT_ONCE] or longer.
        n: number of units.
        trees: the model.
        left: uint16[UNITS_AT_ONCE], working memory.
        scores: int32[n], overwritten.
    """
    limit = (1 << LIMIT_BITS) - 1
    for first in range(0, n, UNITS_AT_ONCE):
        n_rows = min(UNITS_AT_ONCE, n - first)
        n_read = (n_rows + _STEP - 1) // _STEP * _STEP
        some = scores[first : first + n_rows]
        some[:] = 0
        for tree in range(len(trees.starts) - 1):
            _reach(columns, MARGIN + first, n_read, tree, trees, left)
            values = trees.values[tree]
            for i in range(n_rows):
                lowest = np.int64(left[i]) & -np.int64(left[i])
                some[i] += values[((lowest * LOWEST_BIT_FACTOR) & ALL_LEAVES) >> LOWEST_BIT_SHIFT]
        for i in range(n_rows):
            place = (max(min(some[i], limit), -limit) + limit) >> STEP_BITS
            some[i] = trees.probabilities[place]


@kernel
def _reach(columns: Any, at: Any, n_rows: Any, tree: Any, trees: Any, left: Any) -> None:
    """Write which leaves of a tree are left for some rows from ``at`` on."""
    for i in range(n_rows):
        left[i] = ALL_LEAVES
    for node in range(trees.starts[tree], trees.starts[tree + 1]):
        start = at + trees.shifts[node]
        column = columns[trees.columns[node], start : start + n_rows]
        threshold = trees.thresholds[node]
        greater = trees.leaves[node]
        for i in range(n_rows):
            left[i] &= greater if column[i] > threshold else np.uint16(ALL_LEAVES)
