"""JSON pointers (RFC 6901) that select records: a step ``*`` matches every element and member."""

from __future__ import annotations

from typing import Any

ANY_STEP = "*"

_MAX_NESTED = 3
"""Levels of objects in which the list of records is looked for."""


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


def list_of_records(value: Any, *, levels: int = _MAX_NESTED) -> str | None:
    """Return the pointer to the elements of the only array of objects in an object; None if it has not one.

    The members of the object are looked at first, then the members of its objects.

    >>> list_of_records({"ok": True, "data": [{"url": "a"}]}), list_of_records({"a": {"b": [{}]}})
    ('/data/*', '/a/b/*')
    """
    if not isinstance(value, dict) or levels == 0:
        return None
    lists = [name for name, member in value.items() if _is_list_of_objects(member)]
    if lists:
        return pointer_to((lists[0], ANY_STEP)) if len(lists) == 1 else None
    inner = {name: list_of_records(member, levels=levels - 1) for name, member in value.items()}
    found = [pointer_to((name,)) + pointer for name, pointer in inner.items() if pointer]
    return found[0] if len(found) == 1 else None


def _is_list_of_objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)
