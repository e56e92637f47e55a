"""The grammar of ``index.json``: allowed keys, types and hashes.

A corpus may come from a stranger. What the index says about shards is compared with the version in
``lineage.py``.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from builder.corpus.seal_grammar import is_count
from builder.domain.document_ids import is_id
from builder.domain.plain_names import is_sha256, is_version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


def wrong_segment(document: Mapping[str, Any]) -> str:
    """Return what is wrong with the content of an ``index.json``; empty if nothing is wrong."""
    return next(_wrong_segment(document), "")


def _wrong_segment(document: Mapping[str, Any]) -> Iterator[str]:
    yield from _wrong_values(document, _SEGMENT, where="")
    for number, shard in enumerate(document["shards"]):
        where = f"shards[{number}]."
        if not isinstance(shard, dict):
            yield f"{where[:-1]} is not an object"
        yield from _wrong_values(shard, _SHARD, where=where, optional=frozenset({"derived"}))
        if "derived" in shard:
            if not isinstance(shard["derived"], dict):
                yield f"{where}derived is not an object"
            yield from _wrong_values(shard["derived"], _DERIVED, where=f"{where}derived.")


def _wrong_values(
    document: Mapping[str, Any],
    grammar: Mapping[str, Callable[[Any], bool]],
    *,
    where: str,
    optional: frozenset[str] = frozenset(),
) -> Iterator[str]:
    if unknown := sorted(document.keys() - grammar.keys()):
        yield f"{where}{unknown[0][:40]} is not a known key"
    for name, is_right in grammar.items():
        if name not in document:
            if name not in optional:
                yield f"{where}{name} is missing"
        elif not is_right(document[name]):
            yield f"{where}{name} has a wrong value"


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_counts(value: Any) -> bool:
    return isinstance(value, dict) and all(map(is_count, value.values()))


def _is_rows(value: Any) -> bool:
    """Return whether a value is a list of row numbers, ascending and without repetition."""
    return (
        isinstance(value, list)
        and all(map(is_count, value))
        and all(one < next_one for one, next_one in pairwise(value))
    )


def _is_retired(value: Any) -> bool:
    return isinstance(value, dict) and all(
        is_version(version) and isinstance(rows, list) and all(map(is_count, rows))
        for version, rows in value.items()
    )


def _is_moved(value: Any) -> bool:
    ids = [*value, *(one for one in value.values() if one is not None)] if isinstance(value, dict) else [None]
    return all(isinstance(one, str) and is_id(one) for one in ids)


_SEGMENT: Mapping[str, Callable[[Any], bool]] = {
    "version": lambda value: isinstance(value, str) and is_version(value),
    "base": lambda value: value is None or (isinstance(value, str) and is_version(value)),
    "shards": lambda value: isinstance(value, list),
    "retired": _is_retired,
    "moved": _is_moved,
}
_SHARD: Mapping[str, Callable[[Any], bool]] = {
    "sha256": is_sha256,
    "rows": is_count,
    "raw_bytes": is_count,
    "content": _is_text,
    "languages": _is_counts,
    "domains": _is_counts,
    "newest": _is_text,
    "derived": lambda value: isinstance(value, dict),
}
_DERIVED: Mapping[str, Callable[[Any], bool]] = {
    "source": is_sha256,
    "removed": _is_rows,
    "replaced": _is_rows,
}
