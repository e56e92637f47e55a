"""Load the libraries of the workers before they are forked, while the program imports its other modules."""

from __future__ import annotations

from builder.engines.zygote import processors, start_arrow, start_early

PRELOAD = ("builder.pipeline.passes", "builder.release.write", "builder.engines.warm")
"""Modules that the workers of every build need."""

JUDGING = ("builder.operations.judging",)
"""Modules that the workers of ``validate`` need."""


def number_of_workers(asked: int | None) -> int:
    """Return the number of workers: the given one, else one for each core."""
    return asked or processors()


def preload(workers: int | None, modules: tuple[str, ...] = PRELOAD) -> None:
    """Start loading in the background.

    Call this only in a process of builder's own, before its other modules are imported.
    """
    start_early(number_of_workers(workers), modules)
    start_arrow()
