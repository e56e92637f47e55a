"""Read mutated pages with kernels that check each index; the environment switches the checks on."""

from __future__ import annotations

import sys

from mutated_pages import mutated

from builder.stages.extraction.block_reader import BlockReader

reader = BlockReader()
n_pages = 0
for html in mutated(3, int(sys.argv[1])):
    reader.describe(html)
    n_pages += 1
print(f"{n_pages} pages")
