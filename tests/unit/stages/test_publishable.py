"""``publishable``: every published row meets the outgoing contract."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from builder.domain.contract.contract import Contract
from builder.domain.contract.mapping import map_schema
from builder.domain.record import PAGE_KEY, RAW, RECORD, RECORD_FIELD, record_column
from builder.errors import RecipeError
from builder.io.contracts import builtin_contract
from builder.pipeline.chain import bind_chain
from builder.protocols import Columns, Resources
from builder.recipe import Recipe
from builder.stages.publishable import Publishable, outgoing
from builder.stages.validate import Validate

PAGE = Resources(contract=builtin_contract("page-1"), columns=Columns())
DOCUMENT = [name for name in builtin_contract("document-1").columns.names if name != "id"]


def validated(resources: Resources, *records: Any) -> pa.RecordBatch:
    n_rows = len(records)
    lines = pa.array([json.dumps(record).encode() for record in records], pa.large_binary())
    record = record_column(source="s", path="a", ordinals=range(n_rows), offsets=range(n_rows))
    batch = pa.RecordBatch.from_pydict({RECORD: record, RAW: lines})
    outcome = Validate().apply(batch, resources=resources, guard=None)  # type: ignore[arg-type]
    assert outcome.rejected.num_rows == 0
    return outcome.kept


def replaced(batch: pa.RecordBatch, name: str, values: list[Any]) -> pa.RecordBatch:
    at = batch.schema.get_field_index(name)
    return batch.set_column(at, name, pa.array(values, batch.column(at).type))


def test_pages_are_published_with_the_columns_of_document_1() -> None:
    """Internal columns of the build stay too; all other columns are dropped."""
    batch = validated(PAGE, {"text": "x", "html": "<p>", "foo": 1})
    bound = Publishable().bind(batch.schema, PAGE)
    outcome = Publishable().apply(batch, resources=PAGE, guard=None)  # type: ignore[arg-type]
    assert outgoing(PAGE.contract).label == "document-1"
    assert bound.names == outcome.kept.schema.names == [RECORD, PAGE_KEY, *DOCUMENT]


def test_columns_that_stages_added_are_published() -> None:
    """A cluster column, for example, comes after the columns of the contract."""
    batch = validated(PAGE, {"text": "x"}).append_column("cluster", pa.array(["c"]))
    outcome = Publishable().apply(batch, resources=PAGE, guard=None)  # type: ignore[arg-type]
    assert outcome.kept.schema.names[-2:] == ["fetched_at", "cluster"]


def test_rows_without_text_are_rejected() -> None:
    """Null, empty text and Unicode white space have the reason ``empty_text``."""
    batch = validated(PAGE, *({"text": "x", "url": "u"} for _ in range(6)))
    batch = replaced(batch, "text", ["a", None, "", " \n", "\u3000\u00a0", " x "])
    outcome = Publishable().apply(batch, resources=PAGE, guard=None)  # type: ignore[arg-type]
    assert outcome.kept.column("text").to_pylist() == ["a", " x "]
    assert [(row["reason"], row["url"]) for row in outcome.rejected.to_pylist()] == [("empty_text", "u")] * 4


def test_changed_records_are_checked_against_the_users_contract_again() -> None:
    """A stage can change any column; the form of instants may differ, because they are in UTC."""
    schema = {
        "type": "object",
        "properties": {
            "text": {"type": "string", "minLength": 3},
            "at": {"type": "string", "format": "date-time", "pattern": "\\+02:00$"},
            "meta": {"type": "object", "properties": {"n": {"type": "integer"}}, "minProperties": 2},
        },
        "required": ["text"],
    }
    contract = Contract(
        name="own", major=1, schema=schema, documents={}, columns=map_schema(schema, {}), digest="own"
    )
    resources = Resources(contract=contract, columns=Columns(html=None, url=None, fetched_at=None))
    record = {"text": "long", "at": "2017-05-01T02:00:00+02:00", "meta": {"n": 1, "x": [2]}, "more": None}
    batch = validated(resources, record, record)
    batch = replaced(batch, "text", ["long", "no"])
    outcome = Publishable().apply(batch, resources=resources, guard=None)  # type: ignore[arg-type]
    assert outcome.kept.schema.names == [RECORD, PAGE_KEY, "text", "at", "meta", "extra"]
    assert outcome.kept.num_rows == 1
    (row,) = outcome.rejected.to_pylist()
    assert (row["stage"], row["reason"], row["pointer"]) == ("publishable", "min_length", "/text")
    assert row["reason"] in Publishable.reasons


def test_a_missing_column_is_a_fault_of_the_recipe() -> None:
    """A stage must not drop a published column or change its type."""
    schema = pa.schema([RECORD_FIELD, ("text", pa.int64())])
    with pytest.raises(RecipeError) as refused:
        Publishable().bind(schema, PAGE)
    assert len(refused.value.faults) == len(DOCUMENT)
    assert "int64" in str(refused.value)


def test_unchanged_rows_are_not_checked_again(tmp_path: Path) -> None:
    """Deduplication stages do not change rows; any other stage makes the check necessary."""
    recipe = {"name": "x", "sources": [{"jsonl": {"path": "a.jsonl"}}], "corpus": "out"}
    dropping = [{"dedup_exact": {}}, {"dedup_near": {}}]
    for stages, unchanged in ((dropping, True), ([{"repair_text": {}}, *dropping], False)):
        chain = bind_chain(Recipe.from_dict({**recipe, "stages": stages}, folder=tmp_path))
        assert chain.passes[-1].stages[-1] == Publishable(unchanged=unchanged)
