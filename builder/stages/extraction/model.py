"""Load the model that tells the main text of a page from the rest."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from builder.kernels.html.trees import Trees

MODEL_PATH = Path(__file__).with_name("main_text.npz")
"""The trees; ``training/`` makes the file."""


@cache
def main_text_model() -> Trees:
    """Return the model in the form that the kernel reads."""
    with np.load(MODEL_PATH, allow_pickle=False) as packed:
        return read_trees(packed)


def read_trees(packed: Mapping[str, NDArray[Any]]) -> Trees:
    """Unpack trees for the kernel: places of nodes count from the first tree."""
    from builder.kernels.html.trees import Trees

    roots = packed["roots"].astype(np.int32)
    n_nodes = len(packed["features"])
    sizes = np.diff(np.append(roots, n_nodes))
    return Trees(
        roots=roots,
        depths=packed["depths"].astype(np.int32),
        features=packed["features"].astype(np.uint8),
        thresholds=packed["thresholds"].astype(np.uint8),
        left=packed["left"].astype(np.int32) + np.repeat(roots, sizes),
        values=packed["values"].astype(np.int32),
        probabilities=packed["probabilities"].astype(np.uint16),
    )
