"""Order the faults of a record by their pointers, in the record's own order of members."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from builder.domain.rejection import ContractFault


def pointer_of(path: Iterable[str | int]) -> str:
    """Return a path as a JSON pointer (RFC 6901).

    >>> pointer_of(["headers", "a/b~c", 0])
    '/headers/a~1b~0c/0'
    """
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def sort_faults(
    value: Any, faults: Sequence[tuple[Sequence[str | int], ContractFault]]
) -> tuple[ContractFault, ...]:
    """Sort faults by their position in ``value``: parents before children, then by keyword."""
    if len(faults) < 2:
        return tuple(fault for _, fault in faults)
    places = _Places(value)
    ordered = sorted(
        faults, key=lambda f: (places.of(f[0]), f[1].keyword, f[1].limit or "", f[1].value or "")
    )
    return tuple(fault for _, fault in ordered)


class _Places:
    """Converts paths to tuples of positions; numbers the names of each object only once."""

    def __init__(self, value: Any) -> None:
        self._value = value
        self._numbered: dict[int, dict[str, int]] = {}

    def of(self, path: Sequence[str | int]) -> tuple[int, ...]:
        node = self._value
        place: list[int] = []
        for step in path:
            if isinstance(node, dict) and step in node:
                place.append(self._number(node)[str(step)])
                node = node[step]
            elif isinstance(node, list) and isinstance(step, int) and step < len(node):
                place.append(step)
                node = node[step]
            else:
                place.append(-1)
                node = None
        return tuple(place)

    def _number(self, node: dict[str, Any]) -> dict[str, int]:
        if id(node) not in self._numbered:
            self._numbered[id(node)] = {name: i for i, name in enumerate(node)}
        return self._numbered[id(node)]
