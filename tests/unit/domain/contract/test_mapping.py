"""Mapping of JSON Schema to Arrow: the columns, and the refusals with their places and advice."""

from __future__ import annotations

import io
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from builder.domain.contract.contract import HERE, is_extra_field, is_json_field
from builder.domain.contract.mapping import map_schema
from builder.errors import ContractError

INSTANT = pa.timestamp("us", "UTC")
STRING = {"type": "string"}


def closed(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def column(schema: Any, **root: Any) -> pa.Field:
    return map_schema(closed(a=schema) | root, {}).field("a")


@pytest.mark.parametrize(
    ("schema", "arrow"),
    [
        ({"type": "string"}, pa.string()),
        ({"type": "integer"}, pa.int64()),
        ({"type": "number"}, pa.float64()),
        ({"type": ["integer", "number"]}, pa.float64()),
        ({"type": "boolean"}, pa.bool_()),
        ({"type": "null"}, pa.string()),
        ({"type": ["null", "integer"]}, pa.int64()),
        ({"type": "string", "format": "date-time"}, INSTANT),
        ({"type": ["string", "null"], "format": "date"}, pa.date32()),
        ({"type": "string", "format": "uri"}, pa.string()),
        ({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]}, INSTANT),
        ({"oneOf": [{"type": "null"}, {"type": "integer"}]}, pa.int64()),
        ({"oneOf": [{"type": "string", "format": "date"}, {"type": "string", "minLength": 9}]}, pa.string()),
        ({"enum": ["a", None]}, pa.string()),
        ({"enum": [1, 2.5]}, pa.float64()),
        ({"const": True}, pa.bool_()),
        ({"type": "array", "items": {"type": "integer"}}, pa.list_(pa.int64())),
        ({"type": "array", "items": False}, pa.list_(pa.string())),
        ({"type": "array", "prefixItems": [STRING, STRING], "items": False}, pa.list_(pa.string())),
        ({"$ref": "#/$defs/x"}, pa.int64()),
        ({"$ref": "#/$defs/x", "type": "number"}, pa.int64()),
        ({"allOf": [{"type": ["string", "integer"]}, {"type": ["integer", "null"]}]}, pa.int64()),
        ({"type": "string", "not": {"const": ""}, "if": {"minLength": 2}, "then": True}, pa.string()),
        (closed(b={"type": "integer"}, c=False), pa.struct([("b", pa.int64())])),
        (
            {"allOf": [closed(b=STRING), {"properties": {"b": {"format": "date"}}}]},
            pa.struct([("b", pa.date32())]),
        ),
        (
            {"type": "object", "properties": {"b": STRING}, "unevaluatedProperties": False},
            pa.struct([("b", pa.string())]),
        ),
        (
            {"oneOf": [closed(b=STRING), closed(c=STRING)]},
            pa.struct([("b", pa.string()), ("c", pa.string())]),
        ),
    ],
)
def test_each_schema_maps_to_one_arrow_type(schema: Any, arrow: pa.DataType) -> None:
    """The cases are types, nullables, references, combinations and containers."""
    mapped = column(schema, **{"$defs": {"x": {"type": "integer"}}})
    assert (arrow, True) == (mapped.type, mapped.nullable)


def test_an_open_object_keeps_its_undeclared_members() -> None:
    """They go to ``extra`` next to the declared members; an object that declares none is JSON text."""
    schema = map_schema(
        {
            "type": "object",
            "properties": {"a": {"type": "object", "properties": {"b": STRING}}, "c": {"type": "object"}},
        },
        {},
    )
    assert schema.names == ["a", "c", "extra"]
    assert [f.name for f in schema.field("a").type] == ["b", "extra"]
    assert is_extra_field(schema.field("a").type.field("extra"))
    assert is_extra_field(schema.field("extra"))
    assert is_json_field(schema.field("c"))
    assert not is_extra_field(schema.field("c"))


@pytest.mark.parametrize(
    "part",
    [
        {"patternProperties": {"^x": STRING}, "additionalProperties": False},
        {"unevaluatedProperties": False, "if": True, "then": {"properties": {"x": STRING}}},
        {"unevaluatedProperties": False, "patternProperties": {"^x": STRING}},
    ],
)
def test_an_object_is_closed_only_if_it_allows_no_other_member(part: dict[str, Any]) -> None:
    """Members that patterns or conditions allow need a place too."""
    assert column({"type": "object", "properties": {"b": STRING}} | part).type.names == ["b", "extra"]


@pytest.mark.parametrize(
    "where", [{"type": ["string", "array"]}, {"$ref": "#/properties/a"}, {}, {"items": {}}]
)
def test_x_arrow_makes_any_place_json_text(where: dict[str, Any]) -> None:
    """``"x-arrow": "json"`` is the advice for everything that cannot be mapped."""
    mapped = column(where | {"x-arrow": "json"})
    assert (pa.string(), True) == (mapped.type, is_json_field(mapped))


@pytest.mark.parametrize(
    ("schema", "what"),
    [
        ({"type": ["string", "integer"]}, "it may be integer or string"),
        ({"anyOf": [STRING, {"type": "array", "items": STRING}]}, "it may be array or string"),
        ({}, "its type is not declared"),
        (True, "its type is not declared"),
        ({"type": "array"}, "the type of its items is not declared"),
        ({"type": "object", "additionalProperties": False}, "an object that can have no member"),
        ({"x-arrow": "text"}, '"x-arrow" can only be "json"'),
        ({"type": "object", "properties": {"extra": STRING}}, "'extra' is reserved for"),
        ({"$dynamicRef": "#x", "$dynamicAnchor": "x"}, "the target of its reference depends"),
        ({"type": "array", "items": {"$ref": "#/properties/a"}}, "it refers to itself"),
        (
            {"oneOf": [{"type": "object", "properties": {"b": STRING}}, {"type": "object"}]},
            "its type is not declared",
        ),
    ],
)
def test_what_cannot_be_mapped_is_refused(schema: Any, what: str) -> None:
    """A refusal shows the pointer, what is wrong, and what to do."""
    with pytest.raises(ContractError) as refused:
        column(schema)
    (fault,) = refused.value.faults
    assert fault.where.startswith("/properties/a")
    assert fault.what.startswith(what)
    assert fault.advice


def test_all_places_are_refused_at_once() -> None:
    """The error lists every place that cannot be mapped, so that you can fix them in one go."""
    with pytest.raises(ContractError) as refused:
        map_schema(closed(a={}, b=closed(c={"type": "array"}), d={"type": ["string", "boolean"]}), {})
    assert [fault.where for fault in refused.value.faults] == [
        "/properties/a",
        "/properties/b/properties/c",
        "/properties/d",
    ]


@pytest.mark.parametrize(
    ("schema", "where", "what"),
    [
        (closed(_a=STRING), "/properties/_a", "begins with an underscore"),
        (closed(id=STRING), "/properties/id", "reserved for the document's own id"),
        ({"type": "array"}, "/", "a record must be an object"),
        (True, "/", "declares no property"),
        ({"type": "object"}, "/", "declares no property"),
    ],
)
def test_the_root_declares_columns_without_reserved_names(schema: Any, where: str, what: str) -> None:
    """The root must be an object with properties, and the names of the build are not free."""
    with pytest.raises(ContractError) as refused:
        map_schema(schema, {}, reserved=["id"])
    assert [(where, True)] == [(fault.where, what in fault.what) for fault in refused.value.faults]


@pytest.mark.parametrize(("kind", "deepest"), [("list", 49), ("struct", 98), ("list of struct", 32)])
def test_nesting_is_mapped_as_deep_as_parquet_can_read_back(kind: str, deepest: int) -> None:
    """The deepest schema that is mapped can be read back; one level more is refused."""

    def nested(levels: int) -> dict[str, Any]:
        schema: dict[str, Any] = STRING
        for _ in range(levels):
            schema = closed(b=schema) if "struct" in kind else schema
            schema = {"type": "array", "items": schema} if "list" in kind else schema
        return schema

    columns = map_schema(closed(a=nested(deepest)), {})
    file = io.BytesIO()
    pq.write_table(pa.table([pa.nulls(1, columns.field(0).type)], schema=columns), file)
    assert pq.read_table(file).num_rows == 1
    with pytest.raises(ContractError, match="more than 99 levels deep"):
        map_schema(closed(a=nested(deepest + 1)), {})


def test_schemas_that_double_with_each_reference_are_refused() -> None:
    """A schema of 30 lines that expands to a thousand million columns is refused at once."""
    defs: dict[str, Any] = {
        f"s{i}": closed(a={"$ref": f"#/$defs/s{i + 1}"}, b={"$ref": f"#/$defs/s{i + 1}"}) for i in range(30)
    }
    with pytest.raises(ContractError, match="over 20,000 subschemas"):
        map_schema({"$ref": "#/$defs/s0", "$defs": defs | {"s30": STRING}}, {})


@pytest.mark.parametrize("draft", ["04", "06", "07"])
def test_older_drafts_ignore_keywords_next_to_a_reference(draft: str) -> None:
    """Up to draft 7, ``$ref`` replaces the whole schema that contains it."""
    schema = {
        "$schema": f"http://json-schema.org/draft-{draft}/schema#",
        "type": "object",
        "properties": {"a": {"$ref": "#/definitions/x", "type": "string"}},
        "definitions": {"x": {"type": "integer"}},
    }
    assert map_schema(schema, {}).field("a").type == pa.int64()


def test_each_relative_identifier_counts_once() -> None:
    """A reference is resolved against the identifiers of the schemas that contain it, each used once."""
    schema = {
        "$id": "root/",
        "type": "object",
        "properties": {"a": {"$id": "folder/", "$ref": "x.json"}},
    }
    documents = {HERE + "root/folder/x.json": {"type": "integer"}}
    assert map_schema(schema, documents).field("a").type == pa.int64()
