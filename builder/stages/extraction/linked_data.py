"""Read the JSON-LD of a page: the objects that describe the page or its main subject."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_ARTICLE = re.compile(r"(?:Article|Posting|NewsArticle|Page|Recipe|Product|Review|Report)$")
_BYTES = 1 << 18
_BEGIN = re.compile(rb"""<script(?=\s)[^>]*?\btype\s*=\s*["']?\s*application/ld\+json[^>]*>""", re.IGNORECASE)
_END = re.compile(rb"</script", re.IGNORECASE)
_LEVELS = 4


def linked_data(page: bytes) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the objects that describe an article or page, and the names of all objects with an ``@id``.

    Scripts with broken JSON are skipped.
    """
    return _described(_scripts(page))


def linked_data_at(page: bytes, places: Iterable[int]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the same for the scripts whose content begins at these places."""
    return _described(_scripts_at(page, places))


def _described(scripts: Iterator[Any]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    articles: list[dict[str, Any]] = []
    names: dict[str, Any] = {}
    for given in scripts:
        for item in _objects(given, levels=_LEVELS):
            kinds = item.get("@type")
            kinds = kinds if isinstance(kinds, list) else [kinds]
            if any(isinstance(kind, str) and _ARTICLE.search(kind) for kind in kinds):
                articles.append(item)
            if isinstance(key := item.get("@id"), str) and "name" in item:
                names.setdefault(key, item["name"])
    return articles, names


def author_of(author: Any, names: Mapping[str, Any]) -> str | None:
    """Return the name or names of an author; an author can be a reference to an ``@id`` in ``names``."""
    if isinstance(author, list):
        found = [name for name in (author_of(one, names) for one in author) if name]
        return ", ".join(found) or None
    if isinstance(author, dict):
        name = author.get("name") or names.get(str(author.get("@id")))
        return author_of(name, {}) if isinstance(name, list) else name if isinstance(name, str) else None
    return author if isinstance(author, str) else None


def _scripts(page: bytes) -> Iterator[Any]:
    position = 0
    while (begin := _BEGIN.search(page, position)) is not None:
        end = _END.search(page, begin.end())
        if end is None:
            return
        position = end.end()
        yield from _parsed(page[begin.end() : end.start()])


def _scripts_at(page: bytes, places: Iterable[int]) -> Iterator[Any]:
    for place in places:
        stop = page.find(b"</script", place)
        if stop < 0:
            end = _END.search(page, place)
            stop = end.start() if end else place
        yield from _parsed(page[place:stop])


def _parsed(script: bytes) -> Iterator[Any]:
    import orjson

    if len(script) > _BYTES:
        return
    try:
        yield orjson.loads(script.decode("utf-8", "replace"))
    except orjson.JSONDecodeError:
        return


def _objects(given: Any, *, levels: int) -> Iterator[dict[str, Any]]:
    """Yield the objects of a script, the objects of its graph, and the main entity of the page."""
    for item in given if isinstance(given, list) else [given]:
        if not isinstance(item, dict):
            continue
        yield item
        for inner in ("@graph", "mainEntity") if levels else ():
            if isinstance(item.get(inner), list | dict):
                yield from _objects(item[inner], levels=levels - 1)
