"""Load the model that tells the main text of a text page from the rest."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from builder.kernels.plain.classes import ClassWords
    from builder.kernels.plain.leaves import LeafTrees

PLAIN_MODEL_PATH = Path(__file__).with_name("plain_text.npz")
"""The trees and the vocabulary; ``training/`` makes the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainModel:
    """The model of ``clean_text``.

    Attributes:
        trees: they give the probability that a unit is main text.
        vocabulary: int8[1 << VOCABULARY_BITS], what each word says about its unit.
        classes: what words and shapes say about the class of a unit that leaves.
    """

    trees: LeafTrees
    vocabulary: NDArray[np.int8]
    classes: ClassWords


def read_plain_model(packed: Mapping[str, NDArray[Any]]) -> PlainModel:
    """Unpack a model for the kernels."""
    from builder.kernels.plain.classes import ClassWords

    return PlainModel(
        trees=_leaf_trees(packed),
        vocabulary=packed["vocabulary"].astype(np.int8),
        classes=ClassWords(
            words=packed["class_words"].astype(np.int8), shapes=packed["class_shapes"].astype(np.int16)
        ),
    )


def _leaf_trees(packed: Mapping[str, NDArray[Any]]) -> LeafTrees:
    """Number the leaves of each tree from the left, and list for each node those that a right turn leaves."""
    from builder.kernels.plain import leaves
    from builder.kernels.plain.features import FEATURE_COLUMNS, FEATURE_SHIFTS

    bounds = [*packed["roots"].tolist(), len(packed["features"])]
    features, thresholds, left, values = (
        packed[name].tolist() for name in ("features", "thresholds", "left", "values")
    )
    nodes: list[tuple[int, int, int]] = []
    starts, table = [0], np.zeros((len(bounds) - 1, leaves.MAX_LEAVES), np.int32)
    for tree, root in enumerate(bounds[:-1]):
        n_leaves = 0

        def number(node: int, root: int = root, tree: int = tree) -> int:
            """Number the leaves below a node, add it to ``nodes``, and return the bits of its leaves."""
            nonlocal n_leaves
            child = left[root + node]
            if child == node:
                product = ((1 << n_leaves) * leaves.LOWEST_BIT_FACTOR) & leaves.ALL_LEAVES
                table[tree, product >> leaves.LOWEST_BIT_SHIFT] = values[root + node]
                n_leaves += 1
                return 1 << (n_leaves - 1)
            below = number(child)
            nodes.append((features[root + node], thresholds[root + node], leaves.ALL_LEAVES & ~below))
            return below | number(child + 1)

        number(0)
        starts.append(len(nodes))
    taken = np.array(nodes, np.int64).reshape(-1, 3)
    return leaves.LeafTrees(
        starts=np.array(starts, np.int32),
        columns=np.array(FEATURE_COLUMNS, np.int16)[taken[:, 0]],
        shifts=np.array(FEATURE_SHIFTS, np.int8)[taken[:, 0]],
        thresholds=taken[:, 1].astype(np.uint8),
        leaves=taken[:, 2].astype(np.uint16),
        values=table,
        probabilities=packed["probabilities"].astype(np.uint16),
    )


@cache
def plain_text_model() -> PlainModel:
    """Return the model of the package."""
    with np.load(PLAIN_MODEL_PATH, allow_pickle=False) as packed:
        return read_plain_model(packed)
