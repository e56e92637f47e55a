"""Fixtures that build a small corpus in the folder of a test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from planted import STAGES

from builder import BuildResult, Recipe, build


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., BuildResult]:
    """Return a function that builds a JSONL recipe; it takes options of the recipe and of `build`."""

    def run(
        *,
        path: str = "feed/*.jsonl",
        corpus: str = "corpus",
        stages: list[Any] | None = None,
        splits: dict[str, float] | None = None,
        recipe: dict[str, Any] | None = None,
        function: Callable[..., BuildResult] = build,
        allow_code: bool = False,
        **options: Any,
    ) -> BuildResult:
        document = {
            "name": "harbour",
            "sources": [{"jsonl": {"path": path}}],
            "stages": [{s: {}} if isinstance(s, str) else s for s in (stages or STAGES)],
            "splits": splits or {"train": 0.8, "test": 0.2},
            "corpus": corpus,
            **(recipe or {}),
        }
        return function(Recipe.from_dict(document, folder=tmp_path, allow_code=allow_code), **options)

    return run
