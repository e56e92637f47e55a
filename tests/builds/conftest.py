"""How to build a small corpus below a test's folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from planted import STAGES

from builder import BuildResult, Recipe, build


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., BuildResult]:
    """Build a recipe of JSON lines below the test's folder; options of the recipe and of `build` alike."""

    def run(
        *,
        path: str = "feed/*.jsonl",
        corpus: str = "corpus",
        stages: list[Any] | None = None,
        splits: dict[str, float] | None = None,
        recipe: dict[str, Any] | None = None,
        function: Callable[..., BuildResult] = build,
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
        return function(Recipe.from_dict(document, folder=tmp_path), **options)

    return run
