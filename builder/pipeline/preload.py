"""Load the libraries of the workers before they are forked, while the program imports its other modules."""

from __future__ import annotations

from builder.engines.zygote import processors, start_arrow, start_early

PRELOAD = ("builder.pipeline.passes", "builder.release.write", "builder.engines.warm")
"""Modules that the workers of every build need."""

JUDGING = ("builder.operations.judging",)
"""Modules that the workers of ``validate`` need."""


_is_own = False
"""Whether the process is one of builder's own."""


def number_of_workers(asked: int | None) -> int:
    """Return the number of workers: the given one, else one for each core."""
    return asked or processors()


def preload(workers: int | None, modules: tuple[str, ...] = PRELOAD) -> None:
    """Start loading in the background.

    Call this only in a process of builder's own, before its other modules are imported.
    """
    global _is_own
    _is_own = True
    start_early(number_of_workers(workers), modules)
    start_arrow()


def load_compiler() -> None:
    """Load the compiler without the libraries that it would import but does not need.

    Nothing happens in a program of somebody else, which may need them with it.
    """
    if _is_own:
        import builder.engines.warm  # noqa: F401 - the import loads it
