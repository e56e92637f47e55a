"""``dedup``: exact, then near, without a recipe."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builder.build.build import build
from builder.build.work import Advance, say_nothing
from builder.errors import Fault, RecipeError
from builder.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from builder.build.result import BuildResult

_KINDS = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".parquet": "parquet",
    ".csv": "csv",
    ".txt": "text",
}
_CODECS = (".gz", ".zst", ".bz2", ".lz4")


def dedup(
    files: Sequence[str | Path],
    *,
    output: str | Path,
    threshold: float = 0.8,
    column: str = "text",
    workers: int | None = None,
    max_memory: int | None = None,
    advance: Advance = say_nothing,
) -> BuildResult:
    """Remove exact and then near duplicates from files, and write a corpus of one version.

    Any records will do that have the column: the others travel along as JSON in ``extra``.

    Args:
        column: the column that is compared.
        threshold: least Jaccard similarity of near duplicates, above 0.

    Raises:
        RecipeError: if a file is not there or its kind is not known by its name.
    """
    output = Path(output).resolve()
    document: dict[str, Any] = {
        "name": output.name,
        "contract": str(_write_contract(output, column)),
        "columns": {"text": column},
        "sources": [{kind: {"path": str(path)}} for kind, path in map(_source, files)],
        "stages": [{"dedup_exact": {}}, {"dedup_near": {"threshold": threshold}}],
        "corpus": str(output),
    }
    recipe = Recipe.from_dict(document, folder=Path.cwd())
    return build(recipe, workers=workers, max_memory=max_memory, advance=advance)
