"""Score the blocks of a page with a gradient-boosted model, and choose the main text. Integers only."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from builder.kernels.jit import kernel

CERTAIN = 1000
"""The probability of one."""

SCALE_BITS, LIMIT_BITS, STEP_BITS = 10, 13, 3
"""A score is in 1/1024 of a logit, at most 8 logits; the table of probabilities has a place for each 8."""

N_PROBABILITIES = (2 << LIMIT_BITS) >> STEP_BITS


class Trees(NamedTuple):
    """A model in flat arrays. A leaf leads to itself, so that all rows take the same number of steps.

    Attributes:
        roots: int32[n_trees], the first node of each tree.
        depths: int32[n_trees], steps from the root to the deepest leaf.
        features: uint8[n_nodes], the feature that a node looks at.
        thresholds: uint8[n_nodes]; a row with a greater feature goes right.
        left: int32[n_nodes], the left child; the right one follows it.
        values: int32[n_nodes], what a leaf adds to the score, in 1/1024 of a logit.
        probabilities: uint16[N_PROBABILITIES], in 1/1000, for each score.
    """

    roots: Any
    depths: Any
    features: Any
    thresholds: Any
    left: Any
    values: Any
    probabilities: Any


EARLY_TREES, SURE_SCORE = 30, 3 << SCALE_BITS
"""A row that is so far from even after so many trees is not looked at any further."""


@kernel
def score(rows: Any, n_rows: Any, trees: Any, scores: Any, open_rows: Any) -> None:
    """Fill in the probability of each row, in 1/1000.

    Sums of integers do not depend on their order, so every machine gets the same scores.

    Args:
        rows: uint8[n, N_FEATURES], the features.
        n_rows: how many of them count.
        trees: the model.
        scores: int32[n], overwritten.
        open_rows: int32[n], working memory.
    """
    for i in range(n_rows):
        scores[i] = 0
        open_rows[i] = i
    early = min(EARLY_TREES, len(trees.roots))
    _add_trees(rows, n_rows, trees, scores, open_rows, 0, early)
    n_open = 0
    for i in range(n_rows):
        if abs(scores[i]) < SURE_SCORE:
            open_rows[n_open] = i
            n_open += 1
    _add_trees(rows, n_open, trees, scores, open_rows, early, len(trees.roots))
    limit = (1 << LIMIT_BITS) - 1
    for i in range(n_rows):
        place = (max(min(scores[i], limit), -limit) + limit) >> STEP_BITS
        scores[i] = trees.probabilities[place]


@kernel
def _add_trees(rows: Any, n_open: Any, trees: Any, scores: Any, open_rows: Any, first: Any, end: Any) -> None:
    """Add what some trees say of some rows.

    Four rows go down a tree together, because each step waits for memory.
    """
    features, thresholds, left, values = trees.features, trees.thresholds, trees.left, trees.values
    for tree in range(first, end):
        root = trees.roots[tree]
        depth = trees.depths[tree]
        i = 0
        while i + 4 <= n_open:
            row_a = open_rows[i]
            row_b = open_rows[i + 1]
            row_c = open_rows[i + 2]
            row_d = open_rows[i + 3]
            a = root
            b = root
            c = root
            d = root
            for _ in range(depth):
                a = left[a] + np.int32(rows[row_a, features[a]] > thresholds[a])
                b = left[b] + np.int32(rows[row_b, features[b]] > thresholds[b])
                c = left[c] + np.int32(rows[row_c, features[c]] > thresholds[c])
                d = left[d] + np.int32(rows[row_d, features[d]] > thresholds[d])
            scores[row_a] += values[a]
            scores[row_b] += values[b]
            scores[row_c] += values[c]
            scores[row_d] += values[d]
            i += 4
        while i < n_open:
            row_a = open_rows[i]
            a = root
            for _ in range(depth):
                a = left[a] + np.int32(rows[row_a, features[a]] > thresholds[a])
            scores[row_a] += values[a]
            i += 1


@kernel
def best_cut(scores: Any, words: Any, n_rows: Any, least: Any, most: Any, buckets: Any) -> Any:
    """Return the probability from which on blocks are chosen, so that the expected F1 is greatest.

    With a share of ``p`` of a block's ``w`` words in the main text, the expected F1 of a choice is
    ``2 * sum(p * w over the choice) / (sum(w over the choice) + sum(p * w over all))``.

    Args:
        scores: int32[n], in 1/1000.
        words: int64[n], words of each block.
        n_rows: how many of them count.
        least: the cut is not below it.
        most: the cut is not above it.
        buckets: int64[CERTAIN + 1], working memory.
    """
    buckets[:] = 0
    expected = np.int64(0)
    for i in range(n_rows):
        buckets[scores[i]] += words[i]
        expected += scores[i] * words[i]
    right = np.int64(0)
    chosen = np.int64(0)
    best = 0.0
    cut = np.int64(most)
    for probability in range(CERTAIN, -1, -1):
        if buckets[probability] == 0:
            continue
        right += probability * buckets[probability]
        chosen += CERTAIN * buckets[probability]
        quality = np.float64(2 * right) / np.float64(chosen + expected)
        if quality > best:
            best = quality
            cut = np.int64(probability)
    return min(max(cut, least), most)
