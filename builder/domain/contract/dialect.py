"""Identify the drafts of JSON Schema, and resolve references without fetching anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from referencing import Registry, Resource

    from builder.domain.contract.subschemas import Subschemas

DRAFTS = {
    "https://json-schema.org/draft/2020-12/schema": "2020-12",
    "https://json-schema.org/draft/2019-09/schema": "2019-09",
    "http://json-schema.org/draft-07/schema": "7",
    "http://json-schema.org/draft-06/schema": "6",
    "http://json-schema.org/draft-04/schema": "4",
}
"""The values that ``$schema`` may have (a trailing ``#`` is ignored), and the name of each draft."""

LATEST_DRAFT = "2020-12"


def draft_of(schema: Any, documents: Mapping[str, Any], *, default: str = LATEST_DRAFT) -> str | None:
    """Return the draft of a schema; None if ``$schema`` names an unknown one.

    A custom metaschema counts as the draft that it is written in.
    """
    seen: set[str] = set()
    while isinstance(schema, dict) and "$schema" in schema:
        dialect = schema["$schema"]
        if not isinstance(dialect, str):
            return None
        dialect = dialect.removesuffix("#")
        if dialect in DRAFTS:
            return DRAFTS[dialect]
        if dialect in seen or dialect not in documents:
            return None
        seen.add(dialect)
        schema, default = documents[dialect], LATEST_DRAFT
    return default


def specification(draft: str) -> Subschemas:
    """Return the rules by which a draft finds identifiers, anchors and subschemas."""
    from referencing import jsonschema as drafts

    from builder.domain.contract.subschemas import lenient

    known = {
        "2020-12": drafts.DRAFT202012,
        "2019-09": drafts.DRAFT201909,
        "7": drafts.DRAFT7,
        "6": drafts.DRAFT6,
        "4": drafts.DRAFT4,
    }
    return lenient(known[draft])


def registry_of(
    documents: Mapping[str, Any], *, default: str, retrieve: Callable[[str], Any] | None = None
) -> Registry[Any]:
    """Build a registry of the metaschemas and the given documents.

    Args:
        default: the draft of documents that do not name one.
        retrieve: called with the URI of a document that is not in the registry; it returns the document or
            raises ``referencing.exceptions.NoSuchResource``. Without it, nothing else is looked up.
    """
    from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]
    from referencing import Registry

    def refuse(uri: str) -> Resource[Any]:
        if retrieve is None:
            raise no_such_document(uri)
        return as_resource(retrieve(uri), documents, default=default)

    resources = [(uri, as_resource(doc, documents, default=default)) for uri, doc in documents.items()]
    registry: Registry[Any] = Registry(retrieve=refuse)  # type: ignore[call-arg]
    return registry.with_resources([*((uri, REGISTRY[uri]) for uri in REGISTRY), *resources])


def no_such_document(uri: str) -> Exception:
    """Return the exception that tells a registry that a document does not exist."""
    from referencing.exceptions import NoSuchResource

    return NoSuchResource(ref=uri)  # type: ignore[call-arg]


def as_resource(document: Any, documents: Mapping[str, Any], *, default: str) -> Resource[Any]:
    """Wrap a document as a schema of its own draft."""
    draft = draft_of(document, documents, default=default) or default
    return specification(draft).create_resource(document)
