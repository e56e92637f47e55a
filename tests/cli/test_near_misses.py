"""A mistake that people make often is answered with the right command or the right value."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

RECIPE: dict[str, Any] = {"name": "t", "corpus": "out", "sources": [{"jsonl": {"path": "pages.jsonl"}}]}


@pytest.mark.parametrize(
    ("args", "status", "advice"),
    [
        (["buid", "my/recipe.yaml"], 2, "No such command 'buid'. Did you mean 'build'?"),
        (["build", "my"], 1, "is a folder, not a recipe (did you mean my/recipe.yaml?)"),
        (["check", "my/recipe.yml"], 1, "no such file (did you mean my/recipe.yaml?)"),
        (["versions", "my"], 1, "is not a corpus folder (did you mean my/corpus?)"),
        (["versions", "my/corpus@1.0.0"], 1, "no such folder (leave out the version: my/corpus)"),
        (["versions", "my/corpus/1.0.0"], 1, "my/corpus?)"),
        (["verify", "my/corpus@latest"], 1, "leave out @latest: without a version, my/corpus is its newest"),
        (["check", "my/corpus@v1.0.0"], 1, "did you mean 1.0.0?"),
        (["diff", "my/corpus"], 2, "Give two versions to compare. my/corpus has 1.0.0 only."),
        (["diff", "{lamps}/lamps"], 2, "for example: builder diff {lamps}/lamps 1.0.0 2.0.0"),
        (["diff", "{lamps}/lamps", "2.0.0"], 2, "for example: builder diff {lamps}/lamps 2.0.0 1.0.0"),
        (["diff", "my/corpus", "1.0.0", "latest"], 2, "the newest version is 1.0.0"),
        (["build", "my/recipe.yaml", "--max-rejected", "7"], 2, "write for example 0.07 or 7%"),
        (["build", "my/recipe.yaml", "--max-rejected", "150%"], 2, "write for example 0.05 or 5%"),
        (["build", "my/recipe.yaml", "--max-memory", "2"], 2, "'2' is too little memory; did you mean 2GB?"),
        (["build", "my/recipe.yaml", "--max-memory", "9MB"], 2, "use 256MB or more"),
        (
            ["check", "my/recipe.yaml", "--set", "corpus=recipe.yaml"],
            1,
            "recipe.yaml: is a file (name a folder)",
        ),
        (
            ["dedup", "my/pages/pages.jsonl", "--output", "new", "--column", "txt"],
            1,
            "did you mean --column text? the columns are url, text, fetched_at)",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_near_miss_on_the_command_line_gets_help(
    args: list[str], status: int, advice: str, run: Any, lamps: Path
) -> None:
    """The message names what was probably meant."""
    done = run(*(arg.format(lamps=lamps) for arg in args))
    assert (done.status, done.out) == (status, "")
    assert advice.format(lamps=lamps) in done.err


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        ({"language": "en"}, "language: must be a list, but is 'en' (write a list: [en])"),
        ({"language": ["English"]}, "(write en)"),
        ({"sources": "feed/*.jsonl"}, "such as - jsonl: {path: feed/*.jsonl})"),
        ({"sources": ["feed/*.warc.gz"]}, "(write it like this: - warc: {path: feed/*.warc.gz})"),
        (
            {"sources": [{"jsonl": "feed/*.jsonl"}]},
            "in braces: - jsonl: {path: feed/*.jsonl})",
        ),
        ({"sources": [{"jsonl": None}]}, "(write its options in braces: - jsonl: {path: FILES})"),
        ({"sources": {"jsonl": {"path": "a"}}}, "(write a list of entries, each with a dash: - jsonl: ...)"),
        (
            {"stages": ["dedup_near"]},
            "stages[0]: must be a mapping of options, such as {}, but is 'dedup_near' (write it",
        ),
        ({"stages": ["dedup_naer"]}, "(write it like this: - dedup_near: {})"),
        ({"stages": {"dedup_near": {}}}, "(write a list of entries, each with a dash: - dedup_near: ...)"),
        ({"stages": [{"dedup_near": {"threshold": "80%"}}]}, "(write a share, not a percentage: 0.8)"),
        ({"stages": [{"dedup_near": {"threshold": 80}}]}, "(write a share, not a percentage: 0.8)"),
        ({"splits": {"train": 98, "test": 2}}, "(write shares, not percentages: {train: 0.98, test: 0.02})"),
        ({"license": "cc-by-4"}, "(did you mean 'cc-by-4.0'? for another licence, write other)"),
        ({"license": "Apache License 2.0"}, "(did you mean 'apache-2.0'? for another licence, write other)"),
        ({"contract": "page1"}, "(did you mean page-1?)"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_a_near_miss_in_a_recipe_gets_help(
    change: dict[str, Any], advice: str, run_here: Any, start: Any, tmp_path: Path
) -> None:
    """The fault has its place in the recipe, and the value to write there."""
    shutil.copy(start.folder / "my" / "pages" / "pages.jsonl", tmp_path)
    (tmp_path / "r.yaml").write_text(json.dumps(RECIPE | change))
    done = run_here("build", "r.yaml")
    assert (done.status, done.out) == (1, "")
    assert advice in done.err


@pytest.mark.parametrize("name", ["mit", "MIT", "CC-BY-4.0", "other", "the-harbour-licence"])
def test_a_licence_that_resembles_no_other_is_accepted(name: str, run_here: Any, tmp_path: Path) -> None:
    """A card may have a licence of its own; only a name that is almost an id of the Hub is a fault."""
    (tmp_path / "r.yaml").write_text(json.dumps(RECIPE | {"license": name}))
    assert "license:" not in run_here("check", "r.yaml").err
