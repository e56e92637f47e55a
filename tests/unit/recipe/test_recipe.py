"""Recipes: all faults at once, each with its place and the nearest name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from builder import Recipe
from builder.errors import BuilderError, ContractError, RecipeError


def document(**changes: Any) -> dict[str, Any]:
    return {"name": "a", "sources": [{"jsonl": {"path": "a.jsonl"}}], "corpus": "out", **changes}


def faults(given: dict[str, Any], folder: Path) -> list[str]:
    with pytest.raises(RecipeError) as error:
        Recipe.from_dict(given, folder=folder)
    return [str(fault) for fault in error.value.faults]


def test_validate_is_the_first_stage_even_if_the_recipe_does_not_list_it(tmp_path: Path) -> None:
    """Sources give unparsed records; validate turns them into columns."""
    without = Recipe.from_dict(document(stages=[{"repair_text": {}}]), folder=tmp_path)
    with_it = Recipe.from_dict(document(stages=[{"validate": {}}, {"repair_text": None}]), folder=tmp_path)
    assert [stage.name for stage in without.stages] == ["validate", "repair_text"]
    assert without.stages == with_it.stages


def test_paths_are_relative_to_the_recipe(tmp_path: Path) -> None:
    """The current folder makes no difference; an address with a scheme is unchanged."""
    sources = [{"jsonl": {"path": "feed/*.jsonl"}}, {"jsonl": {"path": "memory://a.jsonl"}}]
    recipe = Recipe.from_dict(document(sources=sources), folder=tmp_path)
    assert [source.path for source in recipe.sources] == [str(tmp_path / "feed/*.jsonl"), "memory://a.jsonl"]  # type: ignore[attr-defined]
    assert recipe.corpus == tmp_path / "out"


def test_all_faults_are_reported_at_once(tmp_path: Path) -> None:
    """Unknown keys at every level, a wrong type, shares that do not add up."""
    given = document(
        nmae="x",
        stages=[{"dedup_near": {"treshold": 0.5, "threshold": 2}}, {"dedup_exat": {}}],
        splits={"train": 0.5},
    )
    found = "\n".join(faults(given, tmp_path))
    assert "nmae: unknown key (did you mean 'name'?)" in found
    assert "stages[0].dedup_near.treshold: unknown key (did you mean 'threshold'?)" in found
    assert "stages[0].dedup_near.threshold: 2 is greater than" in found
    assert "stages[1].dedup_exat: unknown stage (did you mean 'dedup_exact'?)" in found
    assert "splits: the shares add up to 0.5, not to 1" in found


def test_a_duplicate_stage_is_a_fault(tmp_path: Path) -> None:
    """The ledger identifies a stage by its name; validate must be first."""
    (found,) = faults(document(stages=[{"repair_text": {}}, {"repair_text": {}}]), tmp_path)
    assert found.startswith(
        "stages[1]: the name 'repair_text' is already used (give the stage another `name`"
    )
    assert faults(document(stages=[{"repair_text": {}}, {"validate": {}}]), tmp_path) == [
        "stages[1]: 'validate' must be the first stage (move it to the top of `stages`)"
    ]


def test_a_stage_can_stand_twice_with_a_name(tmp_path: Path) -> None:
    """The name is the ledger's stage, the key stays the kind."""
    stages = [{"repair_text": {"name": "first"}}, {"repair_text": {"name": "second"}}, {"repair_text": {}}]
    recipe = Recipe.from_dict(document(stages=stages), folder=tmp_path)
    assert [stage.name for stage in recipe.stages] == ["validate", "first", "second", "repair_text"]


@pytest.mark.parametrize(
    ("stage", "fault"),
    [
        (
            {"dedup_near": {"name": "dedup_url"}},
            "stages[0].dedup_near.name: the name 'dedup_url' has another",
        ),
        ({"dedup_near": {"name": "rows"}}, "stages[0].dedup_near.name: the name 'rows' has another meaning"),
        (
            {"dedup_near": {"name": "jsonl"}},
            "stages[0].dedup_near.name: the name 'jsonl' has another meaning",
        ),
        ({"dedup_near": {"name": "../x"}}, "stages[0].dedup_near.name: '../x' does not match"),
        ({"dedup_near": {"name": 7}}, "stages[0].dedup_near.name: must be text, but is 7"),
        ({"dedup_near": {"where": {"source": ["jsonl"]}}}, "stages[0].dedup_near.where.source: unknown key"),
        ({"dedup_near": {"where": {"sources": "jsonl"}}}, "where.sources: must be a list, but is 'jsonl'"),
        ({"dedup_near": {"where": {}}}, "stages[0].dedup_near.where: "),
        (
            {"dedup_near": {"where": {"sources": ["jsnol"]}}},
            "no source is called 'jsnol' (did you mean 'jsonl'?)",
        ),
        (
            {"validate": {"where": {"sources": ["jsonl"]}}},
            "stages[0].validate.where: 'validate' checks every",
        ),
    ],
    ids=str,
)
def test_a_wrong_name_or_where_is_a_fault(tmp_path: Path, stage: dict[str, Any], fault: str) -> None:
    """Names are stages of the ledger and files of the index."""
    found = faults(document(stages=[stage]), tmp_path)
    assert fault in found[0]
    assert len(found) == 1


def test_sources_are_named_by_kind_and_number(tmp_path: Path) -> None:
    """Two sources with the same explicit name are a fault."""
    twice = [{"jsonl": {"path": "a", "name": "x"}}, {"json": {"path": "b", "name": "x"}}]
    assert faults(document(sources=twice), tmp_path) == [
        "sources[1]: the name 'x' is already used (give the source another `name`)"
    ]
    recipe = Recipe.from_dict(
        document(sources=[{"jsonl": {"path": "a"}}, {"jsonl": {"path": "b"}}]), folder=tmp_path
    )
    assert [source.name for source in recipe.sources] == ["jsonl", "jsonl-2"]  # type: ignore[attr-defined]


def test_an_unknown_column_is_a_fault(tmp_path: Path) -> None:
    """The advice is the nearest column name."""
    assert faults(document(columns={"text": "txet"}), tmp_path) == [
        "columns.text: the contract has no column 'txet' (did you mean 'text'?)"
    ]


def test_an_unknown_contract_is_a_fault(tmp_path: Path) -> None:
    """The advice lists the built-in contracts."""
    with pytest.raises(ContractError, match="page-1"):
        Recipe.from_dict(document(contract="nowhere.json"), folder=tmp_path)


def test_the_public_recipe_has_no_absolute_path(tmp_path: Path) -> None:
    """A manifest does not reveal local folders, and a corpus does not depend on the place of the build."""
    given = document(sources=[{"jsonl": {"path": str(tmp_path / "deep" / "a.jsonl")}}])
    public = Recipe.from_dict(given, folder=tmp_path).public_document()
    assert public["sources"] == [{"jsonl": {"path": "deep/a.jsonl"}}]
    assert "corpus" not in public


def test_the_digest_covers_only_what_affects_rows(tmp_path: Path) -> None:
    """A new title keeps the digest; a new threshold changes it."""
    plain = Recipe.from_dict(document(), folder=tmp_path).digest()
    assert Recipe.from_dict(document(title="T", description="D"), folder=tmp_path).digest() == plain
    other = document(stages=[{"dedup_near": {"threshold": 0.7}}])
    assert Recipe.from_dict(other, folder=tmp_path).digest() != plain


@pytest.mark.parametrize(
    "text",
    [
        "name: 7\nsources: 3\n",
        "name: a\nsources: [{jsonl: 3}]\n",
        "name: a\nsources: [{3: {}}]\nstages: [3, null, [a]]\n",
        "name: a\nsources: [{jsonl: {path: a}}]\nstages: [{dedup_near: {threshold: [1]}}]\ncorpus: {}\n",
        "name: a\nsources: [{jsonl: {path: a, rename: {a: [b]}}}]\nsplits: {train: {}}\ncorpus: c\n",
        "[]",
        "null",
        "name: !!python/object:os.system a\n",
        "name: !!binary a\n",
        "name: a\nsources: [{jsonl: {path: [1]}}]\ncolumns: 5\ncontract: {a: b}\ncorpus: c\n",
    ],
)
def test_any_nonsense_is_a_recipe_error(tmp_path: Path, text: str) -> None:
    """A recipe of any types ends in a RecipeError, not in a traceback of the code that looks at it."""
    (tmp_path / "recipe.yaml").write_text(text)
    with pytest.raises(RecipeError):
        Recipe.load(tmp_path / "recipe.yaml")


def test_a_contract_with_an_impossible_address_is_an_error_in_a_sentence(tmp_path: Path) -> None:
    """The address of a contract is parsed by libraries that raise ValueError."""
    schema = {"$id": "http://[", "type": "object", "properties": {"text": {"type": "string"}}}
    (tmp_path / "c.json").write_text(json.dumps(schema))
    recipe = "name: a\ncontract: c.json\nsources: [{jsonl: {path: a}}]\ncorpus: c\n"
    (tmp_path / "recipe.yaml").write_text(recipe)
    with pytest.raises(BuilderError):
        Recipe.load(tmp_path / "recipe.yaml")
