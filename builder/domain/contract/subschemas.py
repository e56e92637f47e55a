"""Find the subschemas and identifiers of a schema, also in documents that are only partly schemas.

``referencing`` expects valid schemas. A document that a contract refers to may hold anything in the parts
that the contract does not use, and the ``dependencies`` of drafts 4 to 7 may mix schemas with lists of names.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from referencing import Resource, Specification

_NAMING = ("$id", "id", "$anchor", "$dynamicAnchor")


class Subschemas:
    """The rules of one draft, in the form that ``referencing`` calls a specification.

    It has the methods of ``referencing.Specification``, which cannot be subclassed. A value that is not a
    schema has no identifier and no subschemas.
    """

    def __init__(self, rules: Specification[Any]) -> None:
        self.name = rules.name
        self.maybe_in_subresource = rules.maybe_in_subresource
        self._rules = rules

    def id_of(self, contents: Any) -> str | None:
        """Return the identifier that a schema declares for itself."""
        if not _has_plain_names(contents):
            return None
        name = self._rules.id_of(contents)
        return name if name is None or _is_address(name) else None

    def anchors_in(self, contents: Any) -> Iterable[Any]:
        """Return the anchors that a schema declares for itself."""
        return self._rules.anchors_in(contents) if _has_plain_names(contents) else ()

    def subresources_of(self, contents: Any) -> Iterator[Any]:
        """Yield the schemas directly below a schema; whatever else is there is left out."""
        if not isinstance(contents, dict):
            return
        for keyword, value in contents.items():
            if keyword == "dependencies" and isinstance(value, dict):
                found: Iterable[Any] = value.values()
            elif isinstance(value, (dict, list, bool)):
                found = self._below({keyword: value})
            else:
                continue
            yield from (one for one in found if isinstance(one, (dict, bool)))

    def detect(self, contents: Any) -> Subschemas:
        """Return the rules of the draft that a schema declares for itself; these rules by default."""
        from referencing.jsonschema import specification_with

        name = contents.get("$schema") if isinstance(contents, dict) else None
        if not isinstance(name, str):
            return self
        rules = specification_with(name, default=self._rules)
        return self if rules is self._rules else lenient(rules)

    def create_resource(self, contents: Any) -> Resource[Any]:
        """Wrap a schema that follows these rules."""
        from referencing import Resource

        return Resource(contents=contents, specification=self)  # type: ignore[call-arg]

    def _below(self, member: dict[str, Any]) -> list[Any]:
        try:
            return list(self._rules.subresources_of(member))
        except (AttributeError, TypeError):  # not the kind of value that the keyword takes
            return []


@cache
def lenient(rules: Specification[Any]) -> Subschemas:
    """Return the rules of a draft for documents that are only partly schemas."""
    return Subschemas(rules)


def _has_plain_names(contents: Any) -> bool:
    return isinstance(contents, dict) and all(
        isinstance(contents[name], str) for name in _NAMING if name in contents
    )


def _is_address(name: str) -> bool:
    try:
        urljoin("https://contract.invalid/", name)
    except ValueError:
        return False
    return True
