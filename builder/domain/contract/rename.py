"""Apply a source's option ``rename``: move members of a record to the columns of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_ABSENT = object()


def rename_members(record: dict[str, Any], renames: Mapping[str, str]) -> tuple[dict[str, Any], str | None]:
    """Return a copy of a record in which members have moved to other names.

    A name with dots is a path into nested objects, unless the record has a member with exactly that name.
    All members are removed before the first is added, so two members can swap their names. A path that does
    not exist moves nothing. A member can take the name of an object that contained it, if nothing else is
    left in that object.

    Returns:
        The new record, and None. If the new name of a member already has a value that is not null, that name
        instead of None: the record must then be refused, because one of the two values would be lost.

    >>> rename_members({"body": "x", "meta": {"url": "u", "n": 1}}, {"body": "text", "meta.url": "url"})
    ({'meta': {'n': 1}, 'text': 'x', 'url': 'u'}, None)
    >>> rename_members({"at": {"$date": "2024-05-01"}}, {"at.$date": "at"})
    ({'at': '2024-05-01'}, None)
    """
    renamed = dict(record)
    moved = []
    for path, name in renames.items():
        if (value := _take(renamed, path)) is not _ABSENT:
            moved.append((path, name, value))
    for path, name, value in moved:
        taken = renamed.get(name)
        if taken is not None and not (path.startswith(f"{name}.") and _is_hollow(taken)):
            return renamed, name
        renamed[name] = value
    return renamed, None


def take_member(record: dict[str, Any], path: str) -> tuple[bool, Any]:
    """Remove a member from a record by its name or path; return whether it was there, and its value.

    Objects on the path are copied, not changed.
    """
    value = _take(record, path)
    return (False, None) if value is _ABSENT else (True, value)


def _is_hollow(value: Any) -> bool:
    """Return whether a value is an object without anything but such objects."""
    return isinstance(value, dict) and all(map(_is_hollow, value.values()))


def _take(record: dict[str, Any], path: str) -> Any:
    """Remove and return a member; objects on the path to it are copied, not changed."""
    if path in record:
        return record.pop(path)
    first, _, rest = path.partition(".")
    inner = record.get(first)
    if not rest or not isinstance(inner, dict):
        return _ABSENT
    inner = dict(inner)
    if (value := _take(inner, rest)) is not _ABSENT:
        record[first] = inner
    return value
