"""Follow every reference of a schema once, to report a missing document before a record is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from builder.domain.contract.contract import HERE, OUTSIDE, ROOT_URI
from builder.domain.contract.dialect import draft_of, no_such_document, registry_of, specification
from builder.domain.fault_order import pointer_of
from builder.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
_DEFINITIONS = ("$defs", "definitions")

Place: TypeAlias = "tuple[Any, Any, str]"
"""A subschema, its resolver, and its draft."""


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

    Definitions of other documents that nothing refers to are left out: they affect no verdict. If a reference
    depends on where it is used, every definition may be used.

    Args:
        retrieve: as for ``registry_of``; it may be called more than once for the same document.
    """
    walk = _walk(schema, documents, draft, retrieve)
    return [walk.faults[reference] for reference in sorted(walk.faults)]


def visit_subschemas(
    schema: Any, documents: Mapping[str, Any], *, draft: str
) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield each object that is a subschema of a schema or of what it refers to, with its draft."""
    yield from _walk(schema, documents, draft, None).seen.values()


def _walk(
    schema: Any, documents: Mapping[str, Any], draft: str, retrieve: Callable[[str], Any] | None
) -> _Walk:
    """Visit the schema, and then what its references lead to."""
    walk = _Walk(schema, documents, retrieve)
    walk.visit_all([(schema, root_resolver(schema, documents, draft=draft, retrieve=walk.ask), draft)])
    walk.is_own = False
    while walk.targets or (walk.is_dynamic and walk.unused):
        places, walk.targets = walk.targets, []
        if walk.is_dynamic:
            places, walk.unused = [*places, *walk.unused], []
        walk.visit_all(places)
    return walk


class _Walk:
    """Visits subschemas, and collects the targets of their references.

    Attributes:
        seen: each visited subschema with its draft, by its ``id``.
        is_own: whether the visited subschemas belong to the schema itself; all its definitions are visited.
        is_dynamic: whether a reference depends on where it is used.
        unused: definitions of other documents.
    """

    def __init__(
        self, schema: Any, documents: Mapping[str, Any], retrieve: Callable[[str], Any] | None
    ) -> None:
        self._schema, self._documents, self._retrieve = schema, documents, retrieve
        self._missing: list[str] = []
        self.seen: dict[int, tuple[dict[str, Any], str]] = {}
        self.is_own, self.is_dynamic = True, False
        self.targets: list[Place] = []
        self.unused: list[Place] = []
        self.faults: dict[str, Fault] = {}

    def ask(self, uri: str) -> Any:
        """Return a document, and remember the URI if it is missing."""
        from referencing.exceptions import NoSuchResource

        try:
            if self._retrieve is not None:
                return self._retrieve(uri)
        except NoSuchResource:
            pass
        self._missing.append(uri)
        raise no_such_document(uri)

    def visit_all(self, places: Sequence[Place]) -> None:
        """Visit subschemas and what is below them."""
        stack = [*places]
        while stack:
            node, resolver, dialect = stack.pop()
            if not isinstance(node, dict) or id(node) in self.seen:
                continue
            self.seen[id(node)] = node, dialect
            for keyword in REFERENCES:
                if isinstance(node.get(keyword), str):
                    self._follow(node, keyword, resolver, dialect)
            for keyword, value in node.items():
                children = _children({keyword: value}, resolver, self._documents, dialect)
                (stack if self.is_own or keyword not in _DEFINITIONS else self.unused).extend(children)

    def _follow(self, node: dict[str, Any], keyword: str, resolver: Any, dialect: str) -> None:
        """Look a reference up. ``referencing`` raises ValueError or TypeError for a malformed one."""
        from referencing.exceptions import CannotDetermineSpecification, Unresolvable

        reference = node[keyword]
        self.is_dynamic = self.is_dynamic or keyword != "$ref"
        self._missing.clear()
        try:
            found = resolver.lookup(reference)
        except (Unresolvable, CannotDetermineSpecification, ValueError, TypeError):
            where = pointer_in(self._schema, node) + "/" + keyword
            self.faults[reference] = _refusal(reference, where, uri=self._missing[0] if self._missing else "")
            return
        target = _target_draft(found, self._documents, dialect)
        self.targets.append((found.contents, found.resolver, target))


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
    for child in specification(dialect).subresources_of(node):
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
