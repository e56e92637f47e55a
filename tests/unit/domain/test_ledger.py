"""The columns of the ledger, in the code and in the schema file for readers without Python."""

from __future__ import annotations

import json

import pyarrow as pa

from builder.assets import schemas_folder
from builder.domain.ledger import CLUSTERS_SCHEMA, LEDGER_SCHEMA, OUTCOMES, REJECTED_SCHEMA

COLUMNS = (
    "record_id source path ordinal offset url outcome stage reason pointer value limit message document_id "
    "kept_id merged_into similarity split shard"
)


def test_the_ledger_has_exactly_the_promised_columns() -> None:
    """Readers rely on names and order."""
    assert LEDGER_SCHEMA.names == COLUMNS.split()
    assert REJECTED_SCHEMA.names == ["record_id", "stage", "reason", "faults", "record"]
    assert CLUSTERS_SCHEMA.names[:2] == ["kept_id", "record_id"]


def test_the_schema_file_lists_the_same_columns() -> None:
    """ledger-1 has the columns and the outcomes of the code."""
    schema = json.loads((schemas_folder() / "ledger-1.schema.json").read_bytes())
    assert list(schema["properties"]) == LEDGER_SCHEMA.names
    assert tuple(schema["properties"]["outcome"]["enum"]) == OUTCOMES
    assert schema["required"] == [field.name for field in LEDGER_SCHEMA if not field.nullable]
    names = {pa.string(): "string", pa.int64(): "integer", pa.float64(): "number"}
    for field in LEDGER_SCHEMA:
        declared = schema["properties"][field.name].get("type", "string")
        assert declared == ([names[field.type], "null"] if field.nullable else names[field.type])
