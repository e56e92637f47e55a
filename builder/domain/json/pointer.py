"""JSON pointers (RFC 6901) that select records: a step ``*`` matches every element and member."""

from __future__ import annotations

from typing import Any

ANY_STEP = "*"

_MAX_NESTED = 3
"""Levels of objects in which the list of records is looked for."""

_MAX_LISTS = 3
"""Lists of records that are named."""


def pointer_steps(pointer: str) -> tuple[str, ...]:
    """Split a pointer into its steps.

    >>> pointer_steps("/data/*"), pointer_steps("/a~1b/0"), pointer_steps("")
    (('data', '*'), ('a/b', '0'), ())

    Raises:
        ValueError: if it is not empty and does not begin with a slash, or has an unknown escape.
    """
    if not pointer:
        return ()
    if not pointer.startswith("/"):
        raise ValueError("a JSON pointer begins with a slash")
    steps = pointer[1:].split("/")
    if any("~" in step.replace("~0", "").replace("~1", "") for step in steps):
        raise ValueError("a ~ in a JSON pointer is written ~0")
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in steps)


def pointer_to(steps: tuple[str, ...]) -> str:
    """Write steps as a pointer.

    >>> pointer_to(("a/b", "*"))
    '/a~1b/*'
    """
    return "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)


def lists_of_records(value: Any, *, levels: int = _MAX_NESTED) -> list[str]:
    """Return the pointers to the elements of each array of objects in an object.

    The members of the object are looked at first, then the members of its objects.

    >>> lists_of_records({"ok": True, "data": [{"url": "a"}]}), lists_of_records({"a": {"b": [{}]}})
    (['/data/*'], ['/a/b/*'])
    """
    if not isinstance(value, dict) or levels == 0:
        return []
    if lists := [name for name, member in value.items() if _is_list_of_objects(member)]:
        return [pointer_to((name, ANY_STEP)) for name in lists[:_MAX_LISTS]]
    inner = ((name, lists_of_records(member, levels=levels - 1)) for name, member in value.items())
    return [pointer_to((name,)) + pointer for name, pointers in inner for pointer in pointers][:_MAX_LISTS]


def _is_list_of_objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)
