"""Keep the rules of a site (robots.txt, tdmrep.json, ai.txt), and what a crawler says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson

from builder.domain.ledger import MAX_SITE_RECORD_BYTES
from builder.domain.url import domain
from builder.io.archive.heads import decode_head, to_rfc3339

if TYPE_CHECKING:
    from collections.abc import Mapping

    from builder.io.archive.framing import Record
    from builder.io.archive.http import HttpHead

_MAX_CHARS: Final = 2_000
_MAX_BYTES: Final = 64 << 10
_CRAWLER_FIELDS: Final = {
    "software": "software",
    "http-header-user-agent": "user_agent",
    "user-agent": "user_agent",
    "robots": "robots",
}
"""Fields of ``warcinfo`` that are kept. All others may hold a password: wget writes its arguments."""


def site_facts(record: Record, *, url: str, http: HttpHead | None, body: bytes) -> dict[str, Any]:
    """Return the row of a site record; ``body`` is decoded, and cut only beyond 500 KiB."""
    return {
        "host": domain(url),
        "url": url,
        "fetched_at": to_rfc3339(record.head.fields.get("warc-date", ""), kind=record.head.kind),
        "status": http.status if http else None,
        "content_type": http.headers.get("content-type") if http else record.head.fields.get("content-type"),
        "headers": orjson.dumps(http.headers).decode() if http else None,
        "size_bytes": len(body),
        "body": body[:MAX_SITE_RECORD_BYTES],
    }


def crawler_facts(record: Record) -> dict[str, Any] | None:
    """Return what a ``warcinfo`` record says of the crawler; None if it says nothing or is another record."""
    fields = record.head.fields
    if fields.get("warc-type", "").lower() != "warcinfo":
        return None
    found = _named_fields(record.body[:_MAX_BYTES])
    if not found:
        return None
    return {"written_at": to_rfc3339(fields.get("warc-date", ""), kind=record.head.kind), **found}


def _named_fields(body: bytes) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for line in decode_head(body).splitlines():
        name, colon, value = line.partition(":")
        column = _CRAWLER_FIELDS.get(name.strip().lower())
        if colon and column and value.strip():
            found.setdefault(column, value.strip()[:_MAX_CHARS])
    return found
