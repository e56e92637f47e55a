"""Compute the shape of a schema: follow references, and combine ``allOf``, ``anyOf`` and ``oneOf``."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from builder.domain.contract.dialect import LATEST_DRAFT, draft_of, specification
from builder.domain.contract.references import root_resolver
from builder.domain.contract.shape import ANY_TYPES, FORMATS, Shape, both, either
from builder.domain.fault_order import pointer_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MAX_SCHEMAS = 20_000
"""Subschemas to visit, at most; references can double the size of a schema with each line."""

_REF_IS_ALONE = ("4", "6", "7")
"""Drafts that ignore every keyword next to ``$ref``."""

_LEAKS = ("patternProperties", "if", "then", "else", "dependentSchemas", "dependencies", "$dynamicRef")


def shape_of_schema(schema: Any, documents: Mapping[str, Any]) -> Shape:
    """Return the shape of the values that meet a schema; all its references must resolve."""
    draft = draft_of(schema, documents) or LATEST_DRAFT
    shaper = _Shaper(documents)
    try:
        return shaper.shape(schema, _Place(root_resolver(schema, documents, draft=draft), draft, ()))
    except RecursionError:
        return Shape(trouble="it nests too deeply")


class _Place:
    """The place of a subschema: its resolver, its draft, its pointer, and the subschemas that contain it.

    ``is_entered`` is true if the resolver already knows the subschema's own identifier.
    """

    __slots__ = ("draft", "is_entered", "pointer", "resolver", "trail")

    def __init__(
        self,
        resolver: Any,
        draft: str,
        pointer: tuple[str | int, ...],
        *,
        trail: tuple[int, ...] = (),
        is_entered: bool = True,
    ) -> None:
        self.resolver, self.draft, self.pointer, self.trail = resolver, draft, pointer, trail
        self.is_entered = is_entered

    def inside(self, node: Any, *steps: str | int) -> _Place:
        trail = (*self.trail, id(node))
        return _Place(self.resolver, self.draft, (*self.pointer, *steps), trail=trail, is_entered=False)


class _Shaper:
    def __init__(self, documents: Mapping[str, Any]) -> None:
        self._documents = documents
        self._n_schemas = 0

    def shape(self, node: Any, place: _Place) -> Shape:
        pointer = pointer_of(place.pointer)
        self._n_schemas += 1
        if not isinstance(node, dict):
            return Shape(types=frozenset() if node is False else ANY_TYPES, pointer=pointer)
        if "x-arrow" in node:
            known = node["x-arrow"] == "json"
            trouble = None if known else f'"x-arrow" can only be "json", not {node["x-arrow"]!r}'
            return Shape(types=_stated_types(node), json=known, pointer=pointer, trouble=trouble)
        if id(node) in place.trail:
            return Shape(pointer=pointer, trouble="it refers to itself")
        if self._n_schemas > MAX_SCHEMAS:
            return Shape(pointer=pointer, trouble=f"the schema has over {MAX_SCHEMAS:,} subschemas")
        return self._combine(node, self._enter(node, place))

    def _enter(self, node: dict[str, Any], place: _Place) -> _Place:
        """Apply an identifier or a draft that a subschema declares for itself."""
        if place.is_entered:
            return place
        draft = draft_of(node, self._documents, default=place.draft) or place.draft
        resolver = place.resolver.in_subresource(specification(draft).create_resource(node))
        return _Place(resolver, draft, place.pointer, trail=place.trail)

    def _combine(self, node: dict[str, Any], place: _Place) -> Shape:
        if "$ref" in node and place.draft in _REF_IS_ALONE:
            return self._follow(node, place)
        parts = [self._own(node, place)]
        if "$ref" in node:
            parts.append(self._follow(node, place))
        parts += [self.shape(part, place.inside(node, "allOf", i)) for i, part in _listed(node, "allOf")]
        for keyword in ("anyOf", "oneOf"):
            if branches := _listed(node, keyword):
                shapes = [self.shape(part, place.inside(node, keyword, i)) for i, part in branches]
                parts.append(reduce(either, shapes))
        whole = reduce(both, parts)
        if node.get("unevaluatedProperties") is False and not whole.leaks:
            whole = both(whole, Shape(closed=True, pointer=whole.pointer))
        return whole

    def _follow(self, node: dict[str, Any], place: _Place) -> Shape:
        reference: str = node["$ref"]
        found = place.resolver.lookup(reference)
        draft = draft_of(found.resolver.lookup("#").contents, self._documents, default=place.draft)
        pointer = place.pointer
        if reference.startswith("#/"):
            pointer = tuple(unquote(reference)[2:].replace("~1", "/").replace("~0", "~").split("/"))
        target = _Place(found.resolver, draft or place.draft, pointer, trail=(*place.trail, id(node)))
        return self.shape(found.contents, target)

    def _own(self, node: dict[str, Any], place: _Place) -> Shape:
        """Return the shape that a subschema declares itself, without references and combinations."""
        properties = {
            name: self.shape(part, place.inside(node, "properties", name))
            for name, part in node.get("properties", {}).items()
        }
        dynamic = "$dynamicRef" in node or "$recursiveRef" in node
        open_members = node.get("additionalProperties", node.get("unevaluatedProperties", False))
        return Shape(
            types=_stated_types(node),
            format=node["format"] if node.get("format") in FORMATS else None,
            items=self._items(node, place),
            properties=properties,
            closed=node.get("additionalProperties") is False and not node.get("patternProperties"),
            leaks=any(keyword in node for keyword in _LEAKS) or open_members is not False,
            pointer=pointer_of(place.pointer),
            trouble="the target of its reference depends on where it is used" if dynamic else None,
        )

    def _items(self, node: dict[str, Any], place: _Place) -> Shape | None:
        """Return the shape that covers all items, also those of a tuple."""
        new_tuples = place.draft == "2020-12"
        items = node.get("items")
        first = node.get("prefixItems") if new_tuples else items if isinstance(items, list) else None
        if not first:
            return None if items is None else self.shape(items, place.inside(node, "items"))
        keyword, rest = ("items", items) if new_tuples else ("additionalItems", node.get("additionalItems"))
        name = "prefixItems" if new_tuples else "items"
        shapes = [self.shape(part, place.inside(node, name, i)) for i, part in enumerate(first)]
        if rest is not None:
            shapes.append(self.shape(rest, place.inside(node, keyword)))
        elif node.get("maxItems", len(first) + 1) > len(first):
            shapes.append(Shape(pointer=pointer_of((*place.pointer, name))))
        return reduce(either, shapes)


def _listed(node: dict[str, Any], keyword: str) -> list[tuple[int, Any]]:
    return list(enumerate(node.get(keyword, ())))


def _stated_types(node: dict[str, Any]) -> frozenset[str]:
    """Return the types in ``type``; without it, the types of ``const`` or ``enum``."""
    if "type" in node:
        stated = node["type"]
        return frozenset((stated,) if isinstance(stated, str) else stated)
    if "const" in node:
        return _types_of((node["const"],))
    if isinstance(node.get("enum"), list):
        return _types_of(node["enum"])
    return ANY_TYPES


def _types_of(values: Iterable[Any]) -> frozenset[str]:
    names = {
        bool: "boolean",
        int: "integer",
        str: "string",
        list: "array",
        dict: "object",
        type(None): "null",
    }
    return frozenset(names.get(type(value), "number") for value in values)
