"""Follow every reference of a schema once, to report a missing document before a record is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from builder.domain.contract.contract import HERE, OUTSIDE, ROOT_URI
from builder.domain.contract.dialect import draft_of, no_such_document, registry_of, specification
from builder.domain.fault_order import pointer_of
from builder.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")


def root_resolver(
    schema: Any,
    documents: Mapping[str, Any],
    *,
    draft: str,
    retrieve: Callable[[str], Any] | None = None,
) -> Any:
    """Return the resolver of references at the root of a schema."""
    root = specification(draft).create_resource(schema)
    registry = registry_of(documents, default=draft, retrieve=retrieve).with_resource(ROOT_URI, root)
    return registry.crawl().resolver(base_uri=ROOT_URI).in_subresource(root)


def follow_references(
    schema: Any, documents: Mapping[str, Any], *, draft: str, retrieve: Callable[[str], Any] | None = None
) -> list[Fault]:
    """Follow every reference in a schema and in what it refers to; return a fault for each that fails.

    Args:
        retrieve: as for ``registry_of``; it may be called more than once for the same document.
    """
    from referencing.exceptions import CannotDetermineSpecification, NoSuchResource, Unresolvable

    missing: list[str] = []

    def ask(uri: str) -> Any:
        try:
            if retrieve is not None:
                return retrieve(uri)
        except NoSuchResource:
            pass
        missing.append(uri)
        raise no_such_document(uri)

    faults: dict[str, Fault] = {}
    seen: dict[int, Any] = {}
    stack = [(schema, root_resolver(schema, documents, draft=draft, retrieve=ask), draft)]
    while stack:
        node, resolver, dialect = stack.pop()
        if not isinstance(node, dict) or id(node) in seen:
            continue
        seen[id(node)] = node
        for keyword in REFERENCES:
            reference = node.get(keyword)
            if not isinstance(reference, str):
                continue
            missing.clear()
            try:
                found = resolver.lookup(reference)
            except (Unresolvable, CannotDetermineSpecification):
                where = pointer_in(schema, node) + "/" + keyword
                faults[reference] = _refusal(reference, where, uri=missing[0] if missing else "")
                continue
            stack.append((found.contents, found.resolver, _target_draft(found, documents, dialect)))
        stack.extend(_children(node, resolver, documents, dialect))
    return [faults[reference] for reference in sorted(faults)]


def pointer_in(document: Any, node: Any) -> str:
    """Return the JSON pointer of an object in a document; ``…`` if it is in another document."""
    stack: list[tuple[Any, tuple[str | int, ...]]] = [(document, ())]
    while stack:
        here, path = stack.pop()
        if here is node:
            return pointer_of(path)
        items = here.items() if isinstance(here, dict) else enumerate(here) if isinstance(here, list) else ()
        stack.extend((child, (*path, step)) for step, child in items)
    return "…"


def _children(
    node: dict[str, Any], resolver: Any, documents: Mapping[str, Any], dialect: str
) -> Iterator[tuple[Any, Any, str]]:
    try:
        children: Sequence[Any] = list(specification(dialect).subresources_of(node))
    except (AttributeError, TypeError):  # the target of a reference may not look like a schema
        return
    for child in children:
        draft = draft_of(child, documents, default=dialect) or dialect
        yield child, resolver.in_subresource(specification(draft).create_resource(child)), draft


def _target_draft(found: Any, documents: Mapping[str, Any], dialect: str) -> str:
    """Return the draft of the document that a reference leads to."""
    whole = found.resolver.lookup("#").contents
    return draft_of(whole, documents, default=dialect) or dialect


def _refusal(reference: str, where: str, *, uri: str) -> Fault:
    """Return the fault with its advice; ``uri`` is that of a missing document, empty if none is missing."""
    if not uri:
        advice = "the document has no such place: correct the part after #"
    elif uri.lower().startswith("file:"):
        advice = (
            "file: references are never followed: write a path below the schema's folder, or use --schemas"
        )
    elif uri.startswith(HERE):
        advice = "the file is neither below the schema's folder nor in a folder given with --schemas: add it"
    elif uri.startswith(OUTSIDE):
        advice = "it leads out of the schema's folder: move the document into that folder"
    else:
        advice = f"nothing is fetched: save {uri} in a folder, and name that folder with --schemas"
    return Fault(where=where, what=f"the reference {reference!r} cannot be resolved", advice=advice)
