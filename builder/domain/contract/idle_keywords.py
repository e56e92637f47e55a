"""Find the keywords and formats of a schema that do nothing: misspelt ones, and those of another draft."""

from __future__ import annotations

import difflib
from functools import cache
from typing import TYPE_CHECKING, Any

from builder.domain.contract.dialect import DRAFTS, LATEST_DRAFT, draft_of
from builder.domain.contract.references import pointer_in, visit_subschemas
from builder.domain.fault_order import pointer_of
from builder.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_ANNOTATIONS = frozenset(
    ("$comment", "title", "description", "default", "examples", "readOnly", "writeOnly", "deprecated")
)
"""Keywords that are not meant to do anything; they are accepted in every draft."""

_DEFINITIONS = frozenset(("$defs", "definitions"))
_STRUCTURE = frozenset(("$ref", "$schema", "$id", "id", "$vocabulary"))

_HINTS = {
    "nullable": 'add "null" to the type: "type": ["string", "null"]',
    "optional": "a property is optional unless `required` lists it",
    "regex": 'use "pattern"',
    "max": 'use "maximum", "maxLength" or "maxItems"',
    "min": 'use "minimum", "minLength" or "minItems"',
}

_OF_TYPES: Mapping[frozenset[str], Sequence[str]] = {
    frozenset(("string",)): ("minLength", "maxLength", "pattern", "format"),
    frozenset(("number", "integer")): (
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
    ),
    frozenset(("array",)): ("items", "prefixItems", "contains", "minItems", "maxItems", "uniqueItems"),
    frozenset(("object",)): (
        "properties",
        "patternProperties",
        "additionalProperties",
        "propertyNames",
        "required",
        "minProperties",
        "maxProperties",
    ),
}
"""The types of values that a keyword applies to."""

_NEEDS = {"then": "if", "else": "if", "minContains": "contains", "maxContains": "contains"}
"""Keywords that do nothing without another one."""


def find_idle_keywords(schema: Any, documents: Mapping[str, Any]) -> list[Fault]:
    """Return a fault for each keyword and format that has no effect on any verdict, in the schema's order.

    Only the schema and what it refers to are read. Names that begin with ``x-`` are left out: they are meant
    for other programs.
    """
    draft = draft_of(schema, documents) or LATEST_DRAFT
    faults = []
    for node, dialect in visit_subschemas(schema, documents, draft=draft):
        where = None
        for keyword, what, advice in _idle(node, dialect, documents):
            where = pointer_in(schema, node) if where is None else where
            faults.append(Fault(where=where + pointer_of([keyword]), what=what, advice=advice))
    return sorted(faults, key=lambda fault: fault.where)


def _idle(
    node: Mapping[str, Any], draft: str, documents: Mapping[str, Any]
) -> Iterator[tuple[str, str, str]]:
    """Yield keyword, message and advice of what does nothing in one subschema."""
    known = _keywords(draft) | _own_keywords(node, documents)
    for keyword, value in node.items():
        if keyword in _ANNOTATIONS or keyword in _DEFINITIONS or keyword.startswith("x-"):
            continue
        if keyword not in known:
            yield keyword, *_unknown(keyword, draft)
        elif "$ref" in node and draft in ("4", "6", "7") and keyword not in _STRUCTURE:
            advice = "move the reference into allOf"
            yield keyword, f"does nothing next to $ref in draft {draft}", advice
        elif keyword == "format" and isinstance(value, str) and not _is_format(value, draft):
            yield keyword, f"unknown format {value!r}, which does nothing", _nearest(value, _formats(draft))
        elif keyword in _NEEDS and _NEEDS[keyword] not in node:
            yield keyword, f"does nothing without {_NEEDS[keyword]!r}", ""
        elif (types := _other_types(keyword, node)) is not None:
            advice = f"the type is {types}: change the type, or remove the keyword"
            yield keyword, "does nothing for this type", advice


def _unknown(keyword: str, draft: str) -> tuple[str, str]:
    if keyword in _HINTS:
        return "unknown keyword, which does nothing", _HINTS[keyword]
    homes = [name for name in DRAFTS.values() if keyword in _keywords(name)]
    if homes:
        uri = next(uri for uri, name in DRAFTS.items() if name == homes[0])
        what = f"draft {draft} does not have this keyword, so it does nothing"
        return what, f'it is a keyword of draft {homes[0]}: write "$schema": "{uri}"'
    return "unknown keyword, which does nothing", _nearest(keyword, sorted(_keywords(draft)))


def _nearest(name: str, names: Sequence[str]) -> str:
    plain = {_plain(one): one for one in names}
    close = difflib.get_close_matches(_plain(name), [*plain], n=1)
    return f"did you mean {plain[close[0]]!r}?" if close else ""


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


def _other_types(keyword: str, node: Mapping[str, Any]) -> str | None:
    """Return the stated types if the keyword applies to none of them."""
    stated = node.get("type")
    types = [stated] if isinstance(stated, str) else stated
    if not isinstance(types, list):
        return None
    fits = next((group for group, keywords in _OF_TYPES.items() if keyword in keywords), None)
    return None if fits is None or fits & set(types) else " or ".join(map(str, types))


@cache
def _keywords(draft: str) -> frozenset[str]:
    """Return the keywords that the metaschema of a draft declares."""
    from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]

    uri = next(uri for uri, name in DRAFTS.items() if name == draft)
    names = {"$ref"}
    for one in (uri, f"{uri}#"):
        if one in REGISTRY:
            names |= REGISTRY[one].contents.get("properties", {}).keys()
    vocabularies = uri.removesuffix("schema") + "meta/"
    for address in REGISTRY:
        if address.startswith(vocabularies):
            names |= REGISTRY[address].contents.get("properties", {}).keys()
    return frozenset(names)


def _own_keywords(node: Mapping[str, Any], documents: Mapping[str, Any]) -> frozenset[str]:
    """Return the keywords of custom metaschemas."""
    return frozenset().union(
        *(
            document.get("properties", {}).keys()
            for document in documents.values()
            if isinstance(document, dict) and document.get("$vocabulary") and document is not node
        )
    )


_FORMATS = (
    "date-time",
    "date",
    "time",
    "duration",
    "email",
    "idn-email",
    "hostname",
    "idn-hostname",
    "ipv4",
    "ipv6",
    "uri",
    "uri-reference",
    "iri",
    "iri-reference",
    "uri-template",
    "uuid",
    "json-pointer",
    "relative-json-pointer",
    "regex",
)
"""The formats of the specification, to suggest one; the validator decides what it knows."""


@cache
def _is_format(name: str, draft: str) -> bool:
    """Return whether the validator knows a format in a draft."""
    import jsonschema_rs as rs

    uri = next(uri for uri, known in DRAFTS.items() if known == draft)
    try:
        rs.validator_for(
            {"$schema": uri, "format": name}, validate_formats=True, ignore_unknown_formats=False
        )
    except (rs.ValidationError, ValueError):
        return False
    return True


def _formats(draft: str) -> list[str]:
    return [name for name in _FORMATS if _is_format(name, draft)]
