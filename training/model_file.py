"""Turn a trained model into the flat arrays of the package: integers only, six bytes for each node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from builder.kernels.html.trees import CERTAIN, LIMIT_BITS, N_PROBABILITIES, SCALE_BITS, STEP_BITS

if TYPE_CHECKING:
    from pathlib import Path

_NEVER = 255
"""No feature is greater, so a leaf leads to its own place, the left child."""


def pack(booster: Any) -> dict[str, np.ndarray]:
    """Return the arrays of a model.

    The two children of a node are next to each other. Each tree counts its nodes from 0. Thresholds lie
    between integers, so their integer part decides in the same way.
    """
    features: list[int] = []
    thresholds: list[int] = []
    left: list[int] = []
    values: list[int] = []
    roots: list[int] = []
    depths: list[int] = []
    for tree in booster.dump_model()["tree_info"]:
        base = len(features)
        roots.append(base)
        waiting = [(tree["tree_structure"], 0)]
        for node, depth in waiting:
            place = len(features) - base
            if "leaf_value" in node:
                features.append(0)
                thresholds.append(_NEVER)
                left.append(place)
                values.append(round(node["leaf_value"] * (1 << SCALE_BITS)))
                depths[len(roots) - 1 :] = [max([depth, *depths[len(roots) - 1 :]])]
            else:
                features.append(node["split_feature"])
                thresholds.append(min(int(node["threshold"]), _NEVER))
                left.append(len(waiting))
                values.append(0)
                waiting += [(node["left_child"], depth + 1), (node["right_child"], depth + 1)]
    return {
        "roots": np.array(roots, "<u4"),
        "depths": np.array(depths, "<u1"),
        "features": np.array(features, "<u1"),
        "thresholds": np.array(thresholds, "<u1"),
        "left": np.array(left, "<u2"),
        "values": np.array(values, "<i2"),
        "probabilities": _probabilities(),
    }


def _probabilities() -> np.ndarray:
    """Return the probability in 1/1000 for each place of the table; the middle of a step counts."""
    places = np.arange(N_PROBABILITIES)
    scores = (places << STEP_BITS) + (1 << STEP_BITS) / 2 - ((1 << LIMIT_BITS) - 1)
    return np.round(CERTAIN / (1 + np.exp(-scores / (1 << SCALE_BITS)))).astype("<u2")


def write(arrays: dict[str, np.ndarray], path: Path) -> None:
    """Write the arrays; the same arrays give the same bytes."""
    with path.open("wb") as file:
        np.savez(file, **arrays)
