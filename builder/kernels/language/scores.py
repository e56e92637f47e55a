"""Score the labels of a fastText model for texts, and find the two best."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from builder.kernels.jit import kernel
from builder.kernels.language.model import (
    HIERARCHICAL,
    SIGMOID_RANGE,
    SIGMOID_SIZE,
    SMALLEST,
    SOFTMAX,
)
from builder.kernels.language.subwords import add_text


@kernel
def _dot(row: Any, vector: Any) -> Any:
    """Return the product of a row of the output matrix and the mean of the rows of a text."""
    total = 0.0
    for i in range(len(vector)):
        total += np.float64(row[i]) * vector[i]
    return total


@kernel
def _rank(score: Any, label: Any, best: Any) -> Any:
    """Put a label among the two best; of equal labels, the last one wins, as in fastText.

    Args:
        best: the best label and its score, and the second.
    """
    first, first_score, second, second_score = best
    if score > first_score or (score == first_score and label > first):
        return label, score, first, first_score
    if score > second_score or (score == second_score and label > second):
        return first, first_score, label, score
    return best


@kernel
def _score_tree(matrices: Any, room: Any) -> Any:
    """Walk down the Huffman tree, to labels that can be among the two best."""
    n_labels = np.int64(len(matrices.output))
    best = (np.int64(-1), -1.0, np.int64(-1), -1.0)
    node = 2 * n_labels - 2
    probability = 1.0
    n_open = 0
    while True:
        if node < n_labels:
            best = _rank(probability, node, best)
        elif probability * matrices.slack >= best[3]:
            inner = node - n_labels
            right = 1.0 / (1.0 + math.exp(-_dot(matrices.output[inner], room.sums)))
            left = probability * (1.0 - right + SMALLEST)
            right = probability * (right + SMALLEST)
            near, far = (1, 0) if right >= left else (0, 1)
            room.nodes[n_open] = matrices.children[inner, far]
            room.reached[n_open] = min(left, right)
            n_open += 1
            node = np.int64(matrices.children[inner, near])
            probability = max(left, right)
            continue
        if n_open == 0:
            return best
        n_open -= 1
        node = np.int64(room.nodes[n_open])
        probability = room.reached[n_open]


@kernel
def _read_sigmoid(matrices: Any, x: Any) -> Any:
    """Return the sigmoid from fastText's table."""
    if x < -SIGMOID_RANGE:
        return 0.0
    if x > SIGMOID_RANGE:
        return 1.0
    return matrices.sigmoids[np.int64((x + SIGMOID_RANGE) * (SIGMOID_SIZE / SIGMOID_RANGE / 2))]


@kernel
def _score_all(matrices: Any, room: Any) -> Any:
    """Score every label, by softmax or by a sigmoid for each label."""
    n_labels = len(matrices.output)
    best = (np.int64(-1), -1.0, np.int64(-1), -1.0)
    highest = -math.inf
    for label in range(n_labels):
        room.scores[label] = _dot(matrices.output[label], room.sums)
        highest = max(highest, room.scores[label])
    total = 0.0
    if matrices.loss == SOFTMAX:
        for label in range(n_labels):
            room.scores[label] = math.exp(room.scores[label] - highest)
            total += room.scores[label]
    for label in range(n_labels):
        score = room.scores[label]
        score = score / total if matrices.loss == SOFTMAX else _read_sigmoid(matrices, score)
        best = _rank(score + SMALLEST, np.int64(label), best)
    return best


@kernel
def two_best(data: Any, starts: Any, ends: Any, model: Any, room: Any, labels: Any, scores: Any) -> None:
    """Find the two best labels of each text.

    Args:
        data: uint8[n_bytes], UTF-8.
        starts: int64[n_texts].
        ends: int64[n_texts]; text ``i`` is ``data[starts[i]:ends[i]]``.
        model: ``Model``.
        room: ``ModelRoom``.
        labels: int32[n_texts, 2], overwritten; -1 if the model has no row for any part of the text, or no
            second label.
        scores: float64[n_texts, 2], overwritten; 0 without a label. A score can be 1.00001, as in fastText.
    """
    for text in range(len(starts)):
        n_rows = add_text(data, starts[text], ends[text], model, room)
        labels[text, :] = -1
        scores[text, :] = 0.0
        if n_rows == 0:
            continue
        for i in range(len(room.sums)):
            room.sums[i] = np.float64(np.float32(room.sums[i]) * np.float32(1.0 / n_rows))
        if model.matrices.loss == HIERARCHICAL:
            best = _score_tree(model.matrices, room)
        else:
            best = _score_all(model.matrices, room)
        labels[text, 0], labels[text, 1] = best[0], best[2]
        scores[text, 0], scores[text, 1] = best[1], max(best[3], 0.0)
