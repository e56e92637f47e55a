"""A stage that edits the text invalidates the columns that were measured on it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from builder import Recipe
from builder.domain.rejection import no_rejections
from builder.engines.guard import NullGuard
from builder.errors import RecipeError
from builder.pipeline.chain import Chain, bind_chain
from builder.pipeline.passes import apply_stages
from builder.protocols import Outcome, Resources
from builder.stages.binding.placed import place_stage
from builder.stages.binding.where import Where
from builder.stages.repair_text import RepairText


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """Write the number of characters of each text."""

    name: ClassVar[str] = "measure"
    untrusted: ClassVar[bool] = False
    measures: ClassVar[tuple[str, ...]] = ("n_chars",)

    def bind(self, schema: pa.Schema, resources: Resources) -> pa.Schema:
        return schema.append(pa.field("n_chars", pa.int64()))

    def apply(self, batch: pa.RecordBatch, *, resources: Resources, guard: Any) -> Outcome:
        lengths = pc.utf8_length(batch.column("text")).cast(pa.int64())
        return Outcome(kept=batch.append_column("n_chars", lengths), rejected=no_rejections())


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepLong:
    """Use the number of characters."""

    name: ClassVar[str] = "keep_long"
    untrusted: ClassVar[bool] = False
    uses: ClassVar[tuple[str, ...]] = ("n_chars",)

    def bind(self, schema: pa.Schema, resources: Resources) -> pa.Schema:
        schema.field("n_chars")
        return schema

    def apply(self, batch: pa.RecordBatch, *, resources: Resources, guard: Any) -> Outcome:
        return Outcome(kept=batch, rejected=no_rejections())


MEASURE, REPAIR, KEEP = Measure(), RepairText(), KeepLong()
AGAIN = place_stage(Measure(), name="again")


def bound(folder: Path, *stages: Any) -> Chain:
    document = {"name": "a", "sources": [{"jsonl": {"path": "a"}}], "corpus": "out"}
    recipe = Recipe.from_dict(document, folder=folder)
    return bind_chain(replace(recipe, stages=(*recipe.stages, *stages)))


@pytest.mark.parametrize(
    "stages",
    [
        (MEASURE, KEEP),
        (REPAIR, MEASURE, KEEP),
        (MEASURE, REPAIR, AGAIN, KEEP),
        (MEASURE, KEEP, REPAIR, AGAIN),
    ],
)
def test_a_column_that_fits_the_text_can_be_used_and_is_published(tmp_path: Path, stages: Any) -> None:
    """It was measured after the last edit."""
    chain = bound(tmp_path, *stages)
    assert chain.published.names[-1] == "n_chars"
    assert chain.dropped == {}


@pytest.mark.parametrize(
    "edit", [REPAIR, place_stage(REPAIR, name="english", where=Where.of({"language": ["en"]}))]
)
def test_a_column_that_was_measured_before_an_edit_cannot_be_used(tmp_path: Path, edit: Any) -> None:
    """Also if the edit concerns some rows only. The message names the column, the edit and the way out."""
    with pytest.raises(RecipeError) as error:
        bound(tmp_path, MEASURE, edit, KEEP)
    assert str(error.value.faults[0]) == (
        f"stages[2].keep_long: the column 'n_chars' was measured before {edit.name!r} edited the text "
        "(measure again before this stage: - measure: {name: ...})"
    )


def test_a_fault_names_the_place_in_the_recipe_as_written(tmp_path: Path) -> None:
    """A recipe need not list `validate`. It has no entry for `publishable`: the fault names the key."""
    document: dict[str, Any] = {"name": "a", "sources": [{"jsonl": {"path": "a"}}], "corpus": "out"}
    own = {"type": "object", "properties": {"body": {"type": "string"}}}
    (tmp_path / "own.json").write_text(json.dumps(own))
    for before in ([], [{"validate": {}}]):
        stages = [*before, {"repair_text": {}}]
        with pytest.raises(RecipeError) as error:
            bind_chain(
                Recipe.from_dict({**document, "contract": "own.json", "stages": stages}, folder=tmp_path)
            )
        assert str(error.value).startswith(f"stages[{len(before)}].repair_text: ")
    with pytest.raises(RecipeError) as error:
        bind_chain(Recipe.from_dict({**document, "drop": ["nope"]}, folder=tmp_path))
    assert str(error.value).startswith("drop: no column 'nope'")


def test_a_column_that_was_measured_before_the_last_edit_is_not_published(tmp_path: Path) -> None:
    """Its values are those of another text."""
    chain = bound(tmp_path, MEASURE, KEEP, REPAIR)
    assert "n_chars" not in chain.published.names
    assert chain.dropped == {"n_chars": "repair_text"}


def test_measured_again_a_column_has_the_values_of_the_new_text(tmp_path: Path) -> None:
    """The edit drops the old column, so the second stage of the kind can add it."""
    chain = bound(tmp_path, MEASURE, REPAIR, AGAIN)
    stages = chain.passes[0].stages[1:-1]
    batch = pa.RecordBatch.from_pydict({"text": ["a  \n", "bc"], "url": pa.array([None, None], pa.string())})
    kept, _ = apply_stages(batch, stages, resources=chain.resources, guard=NullGuard(), counts=Counter())
    assert kept.select(["text", "n_chars"]).to_pylist() == [
        {"text": "a", "n_chars": 1},
        {"text": "bc", "n_chars": 2},
    ]
