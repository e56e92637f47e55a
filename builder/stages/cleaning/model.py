"""Load the model that tells the main text of a text page from the rest."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from builder.stages.extraction.model import read_trees

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from builder.kernels.html.trees import Trees

PLAIN_MODEL_PATH = Path(__file__).with_name("plain_text.npz")
"""The trees and the vocabulary; ``training/`` makes the file."""


@cache
def plain_text_model() -> tuple[Trees, NDArray[np.int8]]:
    """Return the trees, and what each word of the vocabulary says about its unit."""
    with np.load(PLAIN_MODEL_PATH, allow_pickle=False) as packed:
        return read_trees(packed), packed["vocabulary"].astype(np.int8)
