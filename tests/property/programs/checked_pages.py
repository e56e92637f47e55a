"""Read mutated pages with kernels that check each index; the environment switches the checks on."""

from __future__ import annotations

import sys

from mutated_pages import mutated

from builder.stages.extraction.block_reader import BlockReader


def main(n_pages: int) -> None:
    """Read the pages, and print their number."""
    reader = BlockReader()
    n_read = 0
    for html in mutated(3, n_pages):
        reader.describe(html)
        n_read += 1
    print(f"{n_read} pages")


if __name__ == "__main__":  # pytest imports it to look for doctests
    main(int(sys.argv[1]))
