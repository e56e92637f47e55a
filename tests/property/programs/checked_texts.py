"""Clean mutated texts with kernels that check each index; the environment switches the checks on."""

from __future__ import annotations

import random
import sys

import numpy as np
from mutated_texts import TITLES, mutated_text

from builder.stages.cleaning.cleaner import cleaner


def main(n_texts: int) -> None:
    """Clean texts in batches of ten; an index out of bounds ends the process."""
    draw = random.Random(15)
    for _ in range(n_texts // 10):
        parts = [mutated_text(draw).encode() for _ in range(10)]
        ends = np.cumsum([0, *map(len, parts)])
        data = np.frombuffer(b"".join(parts) or b" ", np.uint8)
        titles = [draw.choice(TITLES).encode() for _ in parts]
        cleaner().clean(data, np.stack([ends[:-1], ends[1:]], 1), titles)


if __name__ == "__main__":  # pytest imports it to look for doctests
    main(int(sys.argv[1]))
