"""Folders named ``key=value`` are columns of tables."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from builder import BuildResult, Recipe
from builder.inputs.partitions import partition_values

CONTRACT = {
    "type": "object",
    "required": ["text"],
    "properties": {
        "text": {"type": "string"},
        "lang": {"type": ["string", "null"]},
        "year": {"type": ["integer", "null"]},
        "final": {"type": ["boolean", "null"]},
    },
    "additionalProperties": False,
}
FOLDERS = ("lang=en/year=2017/final=true", "lang=pt%2Fbr/year=__HIVE_DEFAULT_PARTITION__/final=false")


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """Write a table as Spark does: in Parquet and in CSV, with a marker file."""
    (tmp_path / "c.schema.json").write_text(json.dumps(CONTRACT))
    for number, folder in enumerate(FOLDERS):
        text = f"The text of partition {number} is long enough."
        for kind in ("parquet", "csv"):
            (tmp_path / kind / folder).mkdir(parents=True)
            (tmp_path / kind / "_SUCCESS").touch()
        pq.write_table(pa.table({"text": [text]}), tmp_path / "parquet" / folder / "part-0.parquet")
        (tmp_path / "csv" / folder / "part-0.csv").write_text(f"text\n{text}\n")
    return tmp_path


def rows(make: Callable[..., BuildResult], kind: str, path: str, **options: Any) -> list[tuple[Any, ...]]:
    """Build a source, and return the published partitions in the order of the texts."""
    recipe = {"sources": [{kind: {"path": path, **options}}], "contract": "c.schema.json"}
    result = make(recipe=recipe, stages=["dedup_exact"], splits={"train": 1.0})
    table = pq.read_table(result.corpus / result.version / "data").sort_by("text")
    return [tuple(row[name] for name in ("lang", "year", "final")) for row in table.to_pylist()]


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_partitions_are_columns_with_the_types_of_the_contract(
    export: Path, make: Callable[..., BuildResult], kind: str
) -> None:
    """Values are percent-encoded, and null has a name of its own."""
    assert rows(make, kind, kind) == [("en", 2017, True), ("pt/br", None, False)]
    assert (export / kind / "_SUCCESS").exists(), "it is passed over"


def test_a_path_that_selects_one_partition_finds_the_same_columns(
    export: Path, make: Callable[..., BuildResult]
) -> None:
    """A table that is built in pieces has the same rows as one that is built as a whole."""
    assert rows(make, "parquet", "parquet/lang=en/year=2017/*/*.parquet") == [("en", 2017, True)]


def test_the_option_switches_it_off(export: Path, make: Callable[..., BuildResult]) -> None:
    """A folder may be called so for another reason."""
    assert rows(make, "parquet", "parquet", hive=False) == [(None, None, None)] * 2


def test_a_column_of_the_file_wins(export: Path, make: Callable[..., BuildResult]) -> None:
    """What a file says about its rows is not overwritten."""
    table = pa.table({"text": ["A text with a language of its own."], "lang": ["fr"]})
    pq.write_table(table, export / "parquet" / FOLDERS[0] / "part-1.parquet")
    assert ("fr", 2017, True) in rows(make, "parquet", "parquet")


def test_a_corpus_of_input_rule_1_gets_no_new_columns_by_an_addition(
    export: Path, make: Callable[..., BuildResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its rows would otherwise differ from those that are there."""

    def manifest_facts(self: Recipe, **options: Any) -> dict[str, Any]:
        return {name: value for name, value in facts(self, **options).items() if name != "input_rules"}

    facts = Recipe.manifest_facts
    with monkeypatch.context() as patch:
        patch.setattr(Recipe, "manifest_facts", manifest_facts)
        rows(make, "parquet", "parquet", name="table")
    table = pa.table({"text": ["A text that is added to the partition."]})
    pq.write_table(table, export / "parquet" / FOLDERS[0] / "part-1.parquet")
    assert (None, None, None) in rows(make, "parquet", "parquet", name="table")


@pytest.mark.parametrize(
    ("path", "name", "expected"),
    [
        ("/x=1/data/a=1/b.csv", "b.csv", {"a": "1"}),
        ("/x=1/data/a=1/c/b.csv", "c/b.csv", {"a": "1"}),
        ("/x=1/data/a=1/c/b.csv", "b.csv", {}),
        ("/data/a=1/b=2/c.csv", "b=2/c.csv", {"a": "1", "b": "2"}),
        ("/data/_a=1/9=2/b c=3=4/c.csv", "_a=1/9=2/b c=3=4/c.csv", {"a": "1", "b c": "3=4"}),
        ("/data/a=1.csv", "a=1.csv", {}),
        ("https://h.example/t/a=x%20y/c.csv", "a=x%20y/c.csv", {"a": "x y"}),
    ],
)
def test_only_folders_of_the_table_are_partitions(path: str, name: str, expected: dict[str, str]) -> None:
    """Rows must not depend on where the inputs are; a name must be one that a column can have."""
    assert partition_values(path, name) == expected
