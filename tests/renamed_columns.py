"""A corpus whose columns do not have the names of the parts that they play."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from planted import write_lines

from builder import BuildResult, Recipe, build

COLUMNS = {"text": "body", "url": "link", "fetched_at": "seen"}
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["body"],
    "properties": {
        "body": {"type": "string"},
        "link": {"type": ["string", "null"]},
        "seen": {"type": ["string", "null"], "format": "date-time"},
    },
}


def build_renamed(
    folder: Path,
    pages: Iterable[Mapping[str, Any]],
    *,
    columns: Mapping[str, str] = COLUMNS,
    stages: Iterable[Mapping[str, Any]] = ({"dedup_url": {}}, {"dedup_exact": {}}),
) -> BuildResult:
    """Build pages, whose keys are parts, into ``corpus`` below a folder, under the names of ``columns``."""
    properties = {columns[part]: SCHEMA["properties"][name] for part, name in COLUMNS.items()}  # type: ignore[index]
    schema = {**SCHEMA, "required": [columns["text"]], "properties": properties}
    (folder / "link-1.schema.json").write_text(json.dumps(schema))
    write_lines(folder / "feed/a.jsonl", [{columns[part]: v for part, v in page.items()} for page in pages])
    document = {
        "name": "links",
        "contract": "link-1.schema.json",
        "columns": dict(columns),
        "sources": [{"jsonl": {"path": "feed/*.jsonl"}}],
        "stages": [dict(stage) for stage in stages],
        "splits": {"train": 1.0},
        "corpus": "corpus",
    }
    return build(Recipe.from_dict(document, folder=folder))
