"""Choose which units stay, such that main text and the rest are in runs."""

from __future__ import annotations

from typing import Any

import numpy as np

from builder.kernels.html.trees import CERTAIN
from builder.kernels.jit import kernel

_MOST_WORDS = 60
_DOUBT = 10
"""A probability is at least so far from 0 and from ``CERTAIN``."""

CHANGE_COST = 1 << 10
"""What a change between main text and the rest costs, in 1/1024 of a logit of a unit of one word."""


def _logits() -> Any:
    """Return the logit of each probability, in 1/64."""
    probabilities = np.clip(np.arange(CERTAIN + 1), _DOUBT, CERTAIN - _DOUBT) / CERTAIN
    return np.round(64 * np.log(probabilities / (1 - probabilities))).astype(np.int64)


_LOGITS = _logits()
_ROOTS = np.round(16 * np.sqrt(np.maximum(np.arange(_MOST_WORDS + 1), 1))).astype(np.int64)
"""The weight of a unit by its words: their square root, in 1/16."""


@kernel
def choose_runs(n: Any, scores: Any, words: Any, cut: Any, steps: Any, leaves: Any) -> None:
    """Fill in which units leave: the choice with the greatest sum of evidence minus the cost of changes.

    The evidence of a unit is the distance of its logit from that of the cut, times the root of its words. So
    a short line follows its neighbours unless the model is sure, and a long one decides for itself.

    Args:
        n: number of units.
        scores: int32[n], the probability that a unit is main text, in 1/1000.
        words: int64[n], words of each unit.
        cut: the probability from which on a unit would stay by itself.
        steps: uint8[n], working memory: bit 0 is whether a unit that leaves follows one that stays, bit 1
            whether one that stays follows one that stays.
        leaves: uint8[n], overwritten; 1 for a unit that leaves.
    """
    if_leaves = np.int64(0)
    if_stays = np.int64(0)
    for i in range(n):
        evidence = (_LOGITS[scores[i]] - _LOGITS[cut]) * _ROOTS[min(words[i], _MOST_WORDS)]
        from_staying = if_stays - CHANGE_COST > if_leaves
        from_leaving = if_leaves - CHANGE_COST > if_stays
        steps[i] = np.int64(from_staying) | (np.int64(not from_leaving) << 1)
        next_leaves = max(if_leaves, if_stays - CHANGE_COST)
        if_stays = max(if_stays, if_leaves - CHANGE_COST) + evidence
        if_leaves = next_leaves
    stays = np.int64(if_stays >= if_leaves)
    for i in range(n - 1, -1, -1):
        leaves[i] = 1 - stays
        stays = (np.int64(steps[i]) >> stays) & 1
