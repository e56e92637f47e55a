"""Make shallow copies of deep values, for code that cannot process deep ones."""

from __future__ import annotations

from typing import Any

from builder.domain.json.writer import canonical_text


def prune(value: Any, *, levels: int) -> Any:
    """Copy a value down to a depth; deeper content becomes one string in a container of the same kind.

    Equal containers stay equal, and different containers stay different.

    >>> prune([1, {"a": [[2]]}], levels=2)
    [1, {'a': ['[[2]]']}]
    """
    if not isinstance(value, dict | list):
        return value
    if not levels:
        text = canonical_text(value)
        return [text] if isinstance(value, list) else {text: None}
    if isinstance(value, list):
        return [prune(item, levels=levels - 1) for item in value]
    return {name: prune(item, levels=levels - 1) for name, item in value.items()}
