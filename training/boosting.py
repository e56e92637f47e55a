"""Fit a gradient-boosted model on labelled blocks, and score it by the word F1 of its choice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import lightgbm
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from training.pages import LabelledPage

SEED = 15
SHORT_WORDS, KEPT_SHORT = 6, 0.35
"""Blocks with fewer words are most of all blocks; a part of them is kept, with more weight."""

PARAMETERS: dict[str, Any] = {
    "objective": "cross_entropy",
    "learning_rate": 0.12,
    "num_leaves": 24,
    "max_depth": 7,
    "min_data_in_leaf": 100,
    "feature_fraction": 0.3,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "max_bin": 255,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "seed": SEED,
    "verbose": -1,
}


def weights(page: LabelledPage) -> np.ndarray:
    """Return how much each block counts: its part of the F1 of its page, and a little for being there."""
    gold = float((page.labels * page.words).sum())
    return 0.003 + page.words / (gold + 0.1 * page.words.sum() + 50.0)


def fit(pages: Sequence[LabelledPage], n_trees: int, **changed: Any) -> Any:
    """Fit a model on the blocks of some pages."""
    rows = np.concatenate([page.features for page in pages])
    labels = np.concatenate([page.labels for page in pages]).astype(np.float64)
    counts = np.concatenate([page.words for page in pages])
    weight = np.concatenate([weights(page) for page in pages])
    short = counts < SHORT_WORDS
    kept = ~short | (np.random.default_rng(SEED).random(len(counts)) < KEPT_SHORT)
    weight = np.where(short, weight / KEPT_SHORT, weight)
    parameters = {**PARAMETERS, **changed}
    data = lightgbm.Dataset(
        rows[kept],
        labels[kept],
        weight=weight[kept],
        free_raw_data=True,
        params={"max_bin": parameters["max_bin"], "num_threads": 1, "verbose": -1},
    )
    return lightgbm.train(parameters, data, n_trees)


def choose(scores: np.ndarray, words: np.ndarray, least: float, most: float) -> np.ndarray:
    """Return which blocks are chosen: the cut with the greatest expected F1, within limits."""
    order = np.argsort(-scores, kind="stable")
    right = np.cumsum((scores * words)[order])
    chosen = np.cumsum(words[order])
    total = float((scores * words).sum())
    if not len(scores) or total <= 0:
        return np.zeros(len(scores), np.bool_)
    best = int(np.argmax(2 * right / (chosen + total)))
    return scores >= min(max(float(scores[order[best]]), least), most)
