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


@kernel
def score(rows: Any, n_rows: Any, trees: Any, scores: Any) -> None:
    """Fill in the probability of each row, in 1/1000.

    Four rows go down a tree together, because each step waits for memory. Sums of integers do not depend on
    their order, so every machine gets the same scores.

    Args:
        rows: uint8[n, N_FEATURES], the features.
        n_rows: how many of them count.
        trees: the model.
        scores: int32[n], overwritten.
    """
    features, thresholds, left, values = trees.features, trees.thresholds, trees.left, trees.values
    scores[:n_rows] = 0
    for tree in range(len(trees.roots)):
        root = trees.roots[tree]
        depth = trees.depths[tree]
        i = 0
        while i + 4 <= n_rows:
            a = root
            b = root
            c = root
            d = root
            for _ in range(depth):
                a = left[a] + np.int32(rows[i, features[a]] > thresholds[a])
                b = left[b] + np.int32(rows[i + 1, features[b]] > thresholds[b])
                c = left[c] + np.int32(rows[i + 2, features[c]] > thresholds[c])
                d = left[d] + np.int32(rows[i + 3, features[d]] > thresholds[d])
            scores[i] += values[a]
            scores[i + 1] += values[b]
            scores[i + 2] += values[c]
            scores[i + 3] += values[d]
            i += 4
        while i < n_rows:
            a = root
            for _ in range(depth):
                a = left[a] + np.int32(rows[i, features[a]] > thresholds[a])
            scores[i] += values[a]
            i += 1
    limit = (1 << LIMIT_BITS) - 1
    for i in range(n_rows):
        place = (max(min(scores[i], limit), -limit) + limit) >> STEP_BITS
        scores[i] = trees.probabilities[place]


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
