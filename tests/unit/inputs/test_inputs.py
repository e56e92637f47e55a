"""Tests of the list of inputs."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.errors import RecipeError
from builder.inputs.inputs import list_inputs
from builder.io.jsonl import JsonlSource


def test_all_sources_whose_path_does_not_exist_are_reported_at_once(tmp_path: Path) -> None:
    """A user can then fix the whole recipe before the next run."""
    (tmp_path / "here.jsonl").write_text("{}\n")
    sources = [JsonlSource(path=str(tmp_path / name)) for name in ("a.jsonl", "here.jsonl", "b/*.jsonl")]
    with pytest.raises(RecipeError) as raised:
        list_inputs(sources)
    assert [Path(fault.where).relative_to(tmp_path).parts[0] for fault in raised.value.faults] == [
        "a.jsonl",
        "b",
    ]
