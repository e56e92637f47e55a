"""Choose the engine of a build: this machine, or a Ray cluster."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from builder.engines.local import LocalEngine
from builder.errors import Fault, RecipeError
from builder.pipeline.preload import PRELOAD, number_of_workers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from builder.domain.progress import Progress
    from builder.engines.ray import RayEngine
    from builder.inputs.inputs import Input
    from builder.recipe import Recipe

ENGINES = ("local", "ray")

MEMORY_SHARE = 0.6
"""Default share of the machine's memory that all workers together may use. A hostile file then ends only its
worker, not the machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOptions:
    """What a user says about the engine; see ``build``."""

    name: str
    ray_address: str | None
    workers: int | None
    max_memory: int | None


def choose_engine(
    asked: EngineOptions,
    *,
    recipe: Recipe,
    inputs: Sequence[Input],
    folder: Path,
    versions: Callable[[], Mapping[str, str]],
    advance: Progress,
) -> LocalEngine | RayEngine:
    """Return the engine that was asked for; it is not started.

    Args:
        folder: the folder of unfinished work.
        versions: returns the versions of the libraries that may affect the bytes of a version.

    Raises:
        RecipeError: if the engine does not exist, or an address is given for an engine without addresses.
    """
    if asked.name not in ENGINES:
        what = f"{asked.name!r} is not an engine"
        raise RecipeError(Fault(where="--engine", what=what, advice=f"use {' or '.join(ENGINES)}"))
    if asked.ray_address is not None and asked.name != "ray":
        what = f"the engine {asked.name} has no address"
        raise RecipeError(Fault(where="--ray-address", what=what, advice="add --engine ray"))
    count = _counter(advance)
    if asked.name == "ray":
        from builder.engines.ray import RayEngine

        return RayEngine(
            address=asked.ray_address,
            workers=asked.workers,
            memory_bytes=asked.max_memory,
            folder=folder,
            files=_one_file_of_each_source(inputs),
            variables=recipe.variables,
            versions=versions,
            on_progress=count,
            preload=PRELOAD,
        )
    n_workers = number_of_workers(asked.workers)
    memory_bytes = asked.max_memory or int(_physical_memory() * MEMORY_SHARE)
    return LocalEngine(
        workers=n_workers, memory_bytes=memory_bytes // n_workers, on_progress=count, preload=PRELOAD
    )


def _counter(advance: Progress) -> Callable[[int, int], None]:
    n_records = 0

    def count(more_records: int, more_bytes: int) -> None:  # noqa: ARG001 - the engine passes both
        nonlocal n_records
        n_records += more_records
        advance("records", done=n_records, total=0, unit="records")

    return count


def _one_file_of_each_source(inputs: Sequence[Input]) -> dict[str, int]:
    """Return a local file of each source with its size, which every node must see at the same path."""
    found: dict[str, tuple[str, int]] = {}
    for one in inputs:
        if one.source not in found and Path(one.address).is_file():
            found[one.source] = (one.address, one.n_bytes)
    return dict(found.values())


def _physical_memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
