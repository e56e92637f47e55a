"""Keywords and formats of a contract that do nothing are found, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from builder.domain.contract.dialect import DRAFTS
from builder.domain.contract.idle_keywords import find_idle_keywords
from builder.io.contracts import builtin_contract

DRAFT_4 = "http://json-schema.org/draft-04/schema#"
DRAFT_7 = "http://json-schema.org/draft-07/schema#"


def found(schema: Any, **documents: Any) -> dict[str, str]:
    return {f.where: f.advice for f in find_idle_keywords(schema, documents)}


def test_misspelt_keywords_and_formats_are_named_with_the_nearest_one() -> None:
    """The case is that of a user who found nothing wrong until the data was published."""
    schema = {
        "type": "object",
        "properties": {
            "text": {"type": "string", "minlength": 30},
            "when": {"type": "string", "format": "datetime", "nullable": True},
        },
        "require": ["text"],
    }
    assert found(schema) == {
        "/properties/text/minlength": "did you mean 'minLength'?",
        "/properties/when/format": "did you mean 'date-time'?",
        "/properties/when/nullable": 'add "null" to the type: "type": ["string", "null"]',
        "/require": "did you mean 'required'?",
    }


@pytest.mark.parametrize(
    ("keyword", "advice"),
    [
        ("max_length", "did you mean 'maxLength'?"),
        ("additionalproperties", "did you mean 'additionalProperties'?"),
        ("enums", "did you mean 'enum'?"),
        ("patern", "did you mean 'pattern'?"),
        ("exclusiveMin", "did you mean 'exclusiveMinimum'?"),
        ("zzz", ""),
    ],
)
def test_an_unknown_keyword_is_found_at_any_depth(keyword: str, advice: str) -> None:
    """Also in definitions, combinations and items."""
    part = {keyword: 1}
    schema = {"allOf": [{"items": {"$ref": "#/$defs/a"}}], "$defs": {"a": {"properties": {"b": part}}}}
    assert found(schema) == {f"/$defs/a/properties/b/{keyword}": advice}


@pytest.mark.parametrize("name", ["datetime", "url", "int64", "Date", "guid"])
def test_an_unknown_format_is_found(name: str) -> None:
    """A validator ignores it, as the specification says."""
    assert list(found({"format": name})) == ["/format"]


def test_a_keyword_of_another_draft_is_found_with_that_draft() -> None:
    """In draft 4, `const` is a word like any other."""
    assert found({"$schema": DRAFT_4, "const": 1})["/const"].startswith("it is a keyword of draft 2020-12")
    assert list(found({"$schema": DRAFT_7, "dependentRequired": {"a": ["b"]}})) == ["/dependentRequired"]
    assert list(found({"additionalItems": False})) == ["/additionalItems"]
    assert list(found({"$schema": DRAFT_4, "format": "uuid"})) == ["/format"]


def test_keywords_next_to_a_reference_do_nothing_before_2019() -> None:
    """From draft 2019-09 on they are judged."""
    schema = {
        "properties": {"a": {"$ref": "#/definitions/b", "minLength": 3, "title": "A"}},
        "definitions": {"b": {}},
    }
    assert list(found({"$schema": DRAFT_7, **schema})) == ["/properties/a/minLength"]
    assert found(schema) == {}


@pytest.mark.parametrize(
    ("schema", "where"),
    [
        ({"type": "integer", "minLength": 3}, "/minLength"),
        ({"type": ["array", "null"], "properties": {}}, "/properties"),
        ({"then": {"minLength": 1}}, "/then"),
        ({"minContains": 2}, "/minContains"),
    ],
)
def test_a_keyword_that_applies_to_no_value_is_found(schema: Any, where: str) -> None:
    """It cannot refuse anything."""
    assert list(found(schema)) == [where]


def test_other_documents_are_read_where_they_are_used() -> None:
    """A document of another program has words that are no business of the contract."""
    other = {"openapi": "3.1.0", "definitions": {"a": {"minlength": 1}, "b": {"maxlength": 1}}}
    schema = {"properties": {"x": {"$ref": "https://contract.invalid/here/other.json#/definitions/a"}}}
    assert list(found(schema, **{"https://contract.invalid/here/other.json": other})) == ["…/minlength"]


@pytest.mark.parametrize("name", ["page-1", "document-1"])
def test_built_in_contracts_have_none(name: str) -> None:
    """Their words all do something."""
    contract = builtin_contract(name)
    assert find_idle_keywords(contract.schema, contract.documents) == []


@pytest.mark.parametrize("uri", DRAFTS)
def test_annotations_and_extensions_are_left_out(uri: str) -> None:
    """They are not meant to do anything, in any draft."""
    words = ["title", "description", "default", "examples", "$comment", "readOnly", "deprecated", "x-arrow"]
    schema = {"$schema": uri, **dict.fromkeys(words, "json"), "$defs": {}, "definitions": {}}
    assert find_idle_keywords(schema, {}) == []


def test_every_keyword_that_can_reject_a_record_is_known() -> None:
    """A keyword that judges is never reported, in the newest draft that has it."""
    schema: dict[str, Any] = {
        "type": "object",
        "required": [],
        "minProperties": 0,
        "maxProperties": 9,
        "propertyNames": {},
        "additionalProperties": True,
        "unevaluatedProperties": True,
        "dependentRequired": {},
        "dependentSchemas": {},
        "properties": {
            "s": {"type": "string", "minLength": 0, "maxLength": 9, "pattern": "a", "format": "uri"},
            "n": {"minimum": 0, "maximum": 9, "exclusiveMinimum": 0, "exclusiveMaximum": 9, "multipleOf": 1},
            "a": {
                "prefixItems": [{}],
                "items": {},
                "contains": {},
                "minContains": 0,
                "minItems": 0,
                "maxItems": 9,
                "uniqueItems": True,
                "unevaluatedItems": True,
            },
            "c": {
                "enum": [1],
                "const": 1,
                "anyOf": [{}],
                "oneOf": [{}],
                "allOf": [{}],
                "not": {"type": "null"},
            },
            "d": {
                "contentEncoding": "base64",
                "contentMediaType": "text/html",
                "if": {},
                "then": {},
                "else": {},
            },
        },
    }
    assert find_idle_keywords(schema, {}) == []
