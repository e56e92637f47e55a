"""Run ``validate`` without a build: from raw records to kept rows and rejections."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from builder.domain.contract.contract import Contract
from builder.domain.contract.mapping import map_schema
from builder.domain.record import RAW, RECORD_FIELD, record_column
from builder.io.contracts import builtin_contract
from builder.protocols import Columns, Outcome, Resources
from builder.stages.validate import Validate


def resources_of(contract: Contract, renames: Mapping[str, str] | None = None) -> Resources:
    return Resources(
        contract=contract, columns=Columns(), renames={"feed": renames or {}}, kinds={"feed": "jsonl"}
    )


PAGE = resources_of(builtin_contract("page-1"))


def own(schema: dict[str, Any]) -> Contract:
    text = json.dumps(schema)
    return Contract(
        name="own", major=1, schema=schema, documents={}, columns=map_schema(schema, {}), digest=text
    )


def raw(*lines: bytes) -> pa.RecordBatch:
    return with_record({RAW: pa.array(lines, pa.large_binary())}, len(lines))


def with_record(columns: dict[str, pa.Array], n_rows: int) -> pa.RecordBatch:
    record = record_column(source="feed", path="a", ordinals=range(n_rows), offsets=range(n_rows))
    schema = pa.schema([RECORD_FIELD, *((name, column.type) for name, column in columns.items())])
    return pa.RecordBatch.from_arrays([record, *columns.values()], schema=schema)


def apply(batch: pa.RecordBatch, resources: Resources = PAGE) -> Outcome:
    outcome = Validate().apply(batch, resources=resources, guard=None)  # type: ignore[arg-type]
    assert outcome.kept.num_rows + outcome.rejected.num_rows == batch.num_rows
    return outcome


def rejections(outcome: Outcome) -> list[tuple[Any, ...]]:
    keys = ("outcome", "stage", "reason", "pointer")
    return [tuple(row[key] for key in keys) for row in outcome.rejected.to_pylist()]
