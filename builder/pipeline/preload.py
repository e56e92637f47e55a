"""What workers load before they are forked, begun while the rest of the program is still being imported."""

from __future__ import annotations

from builder.engines.zygote import processors, start_arrow, start_early

PRELOAD = ("builder.pipeline.passes", "builder.release.write", "builder.engines.warm")
"""What the workers of a build need, whatever the recipe."""

JUDGING = ("builder.operations.judging",)
"""What the workers of ``validate`` need."""


def number_of_workers(asked: int | None) -> int:
    """Return how many workers there are: one for each core if nothing was asked for."""
    return asked or processors()


def preload(workers: int | None, modules: tuple[str, ...] = PRELOAD) -> None:
    """Begin to load; for a process that is builder's own, before its other modules are imported."""
    start_early(number_of_workers(workers), modules)
    start_arrow()
