"""The document of an Arrow schema: it describes the columns and nothing else, and restores the schema."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest

from builder.domain.contract.schema_document import describe_schema, restore_schema
from builder.errors import ContractError

SIMPLE = [
    pa.null(), pa.bool_(), pa.int8(), pa.uint64(), pa.float16(), pa.float64(), pa.string(), pa.large_string(),
    pa.binary(), pa.large_binary(), pa.binary(7), pa.date32(), pa.date64(), pa.time32("s"), pa.time64("ns"),
    pa.timestamp("us"), pa.timestamp("us", "UTC"), pa.timestamp("ns", "America/New_York"), pa.duration("ms"),
    pa.decimal128(38, 0), pa.decimal256(76, -3),
]  # fmt: skip
NESTED = [
    pa.list_(pa.int64()),
    pa.large_list(pa.string()),
    pa.list_(pa.field("item", pa.int8(), nullable=False), 4),
    pa.struct([pa.field("a", pa.list_(pa.struct([("b", pa.string())])), nullable=False)]),
]


@pytest.mark.parametrize("kind", [*SIMPLE, *NESTED], ids=str)
def test_a_described_schema_is_restored_unchanged(kind: pa.DataType) -> None:
    """restore(describe(x)) = x for every type that is published, through JSON."""
    schema = pa.schema([pa.field("a", kind), pa.field("b", pa.list_(kind), nullable=False)])
    assert restore_schema(json.loads(json.dumps(describe_schema(schema)))).equals(schema)


def test_metadata_and_item_names_are_left_out() -> None:
    """They are not part of the data, so they must not change a digest."""
    item = pa.field("element", pa.int64())
    noted = pa.schema([pa.field("a", pa.list_(item), metadata={"k": "v"})], metadata={"x": "y"})
    assert describe_schema(noted) == describe_schema(pa.schema([("a", pa.list_(pa.int64()))]))


def test_the_document_of_a_schema_never_changes() -> None:
    """It is part of data_digest."""
    schema = pa.schema([("at", pa.timestamp("us", "UTC")), ("tags", pa.list_(pa.string()))])
    assert describe_schema(schema) == [
        {"name": "at", "type": "timestamp[us, UTC]", "nullable": True},
        {"name": "tags", "type": "list", "nullable": True, "items": {"type": "string", "nullable": True}},
    ]


def test_unknown_types_are_refused() -> None:
    """A type that is never published has no name, and an unknown name has no type."""
    with pytest.raises(ContractError, match="cannot be published"):
        describe_schema(pa.schema([("a", pa.map_(pa.string(), pa.string()))]))
    with pytest.raises(ContractError, match="unknown type of a column: 'tensor'"):
        restore_schema([{"name": "a", "type": "tensor", "nullable": True}])
