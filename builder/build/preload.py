"""What workers load before they are forked, begun while the rest of the program is still being imported."""

from __future__ import annotations

import os

from builder.engines.zygote import start_arrow, start_early

PRELOAD = ("builder.build.flight", "builder.build.output", "builder.kernels.warm")
"""What workers need, whatever the recipe."""


def number_of_workers(asked: int | None) -> int:
    """Return how many workers a build has: one for each core if nothing was asked for."""
    return asked or os.cpu_count() or 1


def preload(workers: int | None) -> None:
    """Begin to load; on one core it would only be in the way. For a process that is builder's own."""
    if (os.cpu_count() or 1) > 1:
        start_early(number_of_workers(workers), PRELOAD)
    start_arrow()
