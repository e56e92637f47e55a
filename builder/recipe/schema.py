"""Generate the recipe's JSON Schema from the options that stages and sources declare."""

from __future__ import annotations

import dataclasses
import types
import typing
from typing import TYPE_CHECKING, Any

from builder.recipe.stage_entries import common_options_schema
from builder.registry import source_class, source_kinds, stage_class, stage_names

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_JSON_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean"}

_SPLIT_NAME = r"^(?!(all|guard|freeze)$)[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*$"


def recipe_schema(
    *, stages: Collection[str] | None = None, sources: Collection[str] | None = None
) -> dict[str, Any]:
    """Return the JSON Schema of a recipe, with all installed stages and sources.

    Args:
        stages: the stages whose options to describe; the classes of other stages are not loaded.
        sources: the same for sources.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://schemas.nlp-corpus-builder.org/recipe.schema.json",
        "title": "recipe",
        "description": "The file that defines a build.",
        "type": "object",
        "required": ["name", "sources", "corpus"],
        "additionalProperties": False,
        "properties": {
            "name": {
                "type": "string",
                "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,95}$",
                "description": "Short name of the dataset; the assignment of splits depends on it.",
            },
            "title": {"type": "string", "description": "Title of the dataset on the card. Default: `name`."},
            "description": {
                "type": "string",
                "description": "Plain text that describes the dataset on its card.",
            },
            "license": {"type": "string", "description": "Licence identifier of the Hugging Face Hub."},
            "language": {
                "type": "array",
                "items": {"type": "string", "pattern": "^[a-z]{2,3}$"},
                "description": "ISO 639 codes of the dataset's languages.",
            },
            "date": {"type": "string", "format": "date", "description": "Date of publication."},
            "card": {"type": "string", "description": "Markdown file with sections to include in the card."},
            "contract": {
                "type": "string",
                "description": "Name of a built-in contract, or path of a JSON Schema.",
            },
            "columns": _columns_schema(),
            "on_bad_value": _bad_value_schema(),
            **_published_columns(),
            "sources": {"type": "array", "minItems": 1, "items": _one_of(_source_schemas(sources))},
            "stages": {"type": "array", "items": _one_of(_stage_schemas(stages))},
            "splits": _splits_schema(),
            "audit": {
                "type": "object",
                "description": "What the audit keeps of records that are not published.",
                "additionalProperties": False,
                "properties": {
                    "texts": {
                        "enum": ["sample", "all", "none"],
                        "default": "sample",
                        "description": "Texts of records that stages drop: up to 1,000 of each stage and "
                        "reason, all, or none; each is cut at 20,000 characters.",
                    }
                },
            },
            "corpus": {"type": "string", "description": "Local folder for all versions of the corpus."},
        },
    }


def options_schema(options: type) -> dict[str, Any]:
    """Return the JSON Schema of one stage's or source's options, from the fields of its dataclass.

    A class can give schemas of its own in ``schemas``, by option. Its ``collected_schema`` is the schema of
    all other keys, which the option ``collects`` receives.
    """
    fields = [field for field in dataclasses.fields(options) if field.init and "help" in field.metadata]
    # only the annotations of options: other annotations name types that are not imported at run time
    annotations = {field.name: field.type for field in fields}
    hints = typing.get_type_hints(type("Options", (), {"__annotations__": annotations}))
    written = getattr(options, "schemas", {})
    schema: dict[str, Any] = {
        "type": ["object", "null"],
        "description": (options.__doc__ or "").strip().split("\n")[0],
        "additionalProperties": getattr(options, "collected_schema", False),
        "properties": {
            field.name: _field_schema(field, written.get(field.name) or _type_schema(hints[field.name]))
            for field in fields
        },
    }
    required = [field.name for field in fields if not _has_default(field)]
    if required:
        schema |= {"type": "object", "required": required}
    return schema


def _stage_schemas(wanted: Collection[str] | None) -> dict[str, Any]:
    return {
        name: _stage_schema(stage_class(name)) if wanted is None or name in wanted else {}
        for name in stage_names()
    }


def _stage_schema(stage: type) -> dict[str, Any]:
    """Return the schema of a stage's own options and of those that every stage has."""
    schema = options_schema(stage)
    return schema | {"properties": {**schema["properties"], **common_options_schema()}}


def _source_schemas(wanted: Collection[str] | None) -> dict[str, Any]:
    return {
        kind: options_schema(source_class(kind)) if wanted is None or kind in wanted else {}
        for kind in source_kinds()
    }


def _one_of(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
        "properties": properties,
    }


def _bad_value_schema() -> dict[str, Any]:
    return {
        "type": "string",
        "enum": ["nullify", "reject"],
        "description": (
            "What a bad value costs if no stage needs its column and the contract does not require "
            "it: only the cell, which becomes null and is counted (`nullify`), or the record "
            "(`reject`). "
            "Default: `nullify` for page-1, `reject` for a contract of your own."
        ),
    }


def _published_columns() -> dict[str, Any]:
    names = {"type": "array", "items": {"type": "string", "minLength": 1}}
    what = "Columns to publish in addition to those of the contract: names or dotted paths, or `all`."
    return {
        "publish": {"description": what, "anyOf": [{"const": "all"}, names]},
        "drop": {**names, "description": "Columns that are not published."},
    }


def _columns_schema() -> dict[str, Any]:
    return {
        "type": "object",
        "description": "The columns of your own contract that contain the text, HTML, URL and fetch time.",
        "additionalProperties": False,
        "properties": {
            role: {"type": ["string", "null"], "description": f"The column that contains the page's {what}."}
            for role, what in {
                "text": "text",
                "html": "HTML",
                "url": "URL",
                "fetched_at": "fetch time",
            }.items()
        }
        | {
            "id": {
                "type": "string",
                "pattern": "^[^_]",
                "description": "The published column that contains the document id. Default: `id`.",
            }
        },
    }


def _splits_schema() -> dict[str, Any]:
    return {
        "type": "object",
        "description": "Share of each split; the shares add up to 1. Default: all documents in train.",
        "minProperties": 1,
        "patternProperties": {_SPLIT_NAME: {"type": "number", "exclusiveMinimum": 0, "maximum": 1}},
        "additionalProperties": False,
    }


def _has_default(field: dataclasses.Field[Any]) -> bool:
    return field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING


def _field_schema(field: dataclasses.Field[Any], of_type: Mapping[str, Any]) -> dict[str, Any]:
    schema = {**of_type, "description": field.metadata["help"]}
    if field.metadata["choices"]:
        schema["enum"] = [*field.metadata["choices"], *([None] if field.default is None else [])]
    bounds = {"minimum": "minimum", "maximum": "maximum", "above": "exclusiveMinimum"}
    schema |= {word: field.metadata[key] for key, word in bounds.items() if field.metadata[key] is not None}
    if field.default is not dataclasses.MISSING:
        schema["default"] = field.default
    elif field.default_factory is not dataclasses.MISSING:
        schema["default"] = field.default_factory()
    return schema


def _type_schema(hint: Any) -> dict[str, Any]:
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        parts = [_type_schema(part) for part in typing.get_args(hint) if part is not types.NoneType]
        names = [part["type"] for part in parts]
        joined = {word: value for part in parts for word, value in part.items()}
        return {**joined, "type": [*names, "null"] if types.NoneType in typing.get_args(hint) else names}
    if origin is list or origin is tuple:
        return {"type": "array", "items": _type_schema(typing.get_args(hint)[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": _type_schema(typing.get_args(hint)[1])}
    return {"type": _JSON_TYPES[hint]}
