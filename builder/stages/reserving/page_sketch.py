"""Collect what a page itself says about its use, before the barrier: as JSON, which few pages have."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa

from builder.domain.grouping import instants_of
from builder.domain.reservations.page_signals import Tag, page_signals
from builder.domain.reservations.path_patterns import path_of
from builder.domain.reservations.signal import UseSignal
from builder.domain.url import canonical_url
from builder.stages.reserving.page_tags import tags_of_pages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from builder.domain.reservations.tokens import Tokens
    from builder.protocols import Resources
    from builder.stages.reserving.page_tags import PageTag

HEADERS = "headers"
"""The column of response headers in ``page-1``."""

SKETCH_SCHEMA = pa.schema([("url", pa.string()), ("fetched_at", pa.int64()), ("signals", pa.large_binary())])

_NAMES = ("meta", "link", "script")


def sketch_pages(batch: pa.RecordBatch, *, resources: Resources, tokens: Tokens) -> pa.RecordBatch:
    """Return the URL, the instant of the fetch, and the signals of each page."""
    columns = resources.columns
    urls = batch.column(columns.url)
    signals = [
        _written(page_signals(headers, _tags(tags), _path(url), tokens)) if headers or tags else None
        for url, headers, tags in zip(
            urls.to_pylist(), headers_of(batch), _page_tags(batch, columns.html), strict=True
        )
    ]
    return pa.RecordBatch.from_arrays(
        [
            urls.cast(pa.string()),
            instants_of(batch, columns.fetched_at),
            pa.array(signals, pa.large_binary()),
        ],
        schema=SKETCH_SCHEMA,
    )


def read_signals(written: bytes | None) -> list[UseSignal]:
    """Return the signals of a sketch."""
    return [UseSignal(**one) for one in orjson.loads(written)] if written else []


def headers_of(batch: pa.RecordBatch) -> Iterator[dict[str, str]]:
    """Yield the response headers of each page, names in lower case; none if they are not an object."""
    if HEADERS not in batch.schema.names:
        yield from ({} for _ in range(batch.num_rows))
        return
    for written in batch.column(HEADERS).to_pylist():
        yield _headers(written)


def _headers(written: Any) -> dict[str, str]:
    if isinstance(written, str):
        try:
            written = orjson.loads(written)
        except orjson.JSONDecodeError:
            return {}
    if not isinstance(written, dict):
        return {}
    found: dict[str, str] = {}
    for name, value in written.items():
        values = [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]
        if values:
            name = str(name).lower()
            found[name] = ", ".join([*([found[name]] if name in found else []), *values])
    return found


def _page_tags(batch: pa.RecordBatch, name: str | None) -> Iterator[list[PageTag]]:
    if name is None or name not in batch.schema.names:
        return iter([[]] * batch.num_rows)
    return tags_of_pages(batch.column(name))


def _tags(tags: list[PageTag]) -> list[Tag]:
    return [Tag(one.name, one.attributes, one.text, one.content) for one in tags if one.name in _NAMES]


def _path(url: str | None) -> str:
    canonical = canonical_url(url) if url else None
    return path_of(canonical) if canonical else "/"


def _written(signals: list[UseSignal]) -> bytes | None:
    return orjson.dumps([dataclasses.asdict(one) for one in signals]) if signals else None
