"""A source's ``rename``: members of a record moved to the columns of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_ABSENT = object()


def rename_members(record: dict[str, Any], renames: Mapping[str, str]) -> tuple[dict[str, Any], str | None]:
    """Move members of a record to other names; the record itself stays as it was.

    A name with dots is a path into nested objects, unless the record has a member of that very name. All
    members leave their places before the first arrives, so two can change places. A path that leads
    nowhere moves nothing.

    Returns:
        The new record; and the name at which a member that is not null stood already, if there was one: then
        the record must be refused, for one of the two would be lost.

    >>> rename_members({"body": "x", "meta": {"url": "u", "n": 1}}, {"body": "text", "meta.url": "url"})
    ({'meta': {'n': 1}, 'text': 'x', 'url': 'u'}, None)
    """
    renamed = dict(record)
    moved = []
    for path, name in renames.items():
        if (value := _take(renamed, path)) is not _ABSENT:
            moved.append((name, value))
    for name, value in moved:
        if renamed.get(name) is not None:
            return renamed, name
        renamed[name] = value
    return renamed, None


def _take(record: dict[str, Any], path: str) -> Any:
    """Take a member out; objects on the way to it are copied, not changed."""
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
