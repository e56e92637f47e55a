"""What becomes of an archive record: a page, or a refusal with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import orjson

from builder.io.archive import http
from builder.io.archive.heads import instant
from builder.io.charset.decode import decode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from builder.io.archive.framing import Record
    from builder.io.archive.heads import Head

PAGE_TYPES: Final = frozenset(("response", "resource", "conversion"))
_HTTP: Final = "application/http"
_SNIFFED: Final = (b"<!doctype html", b"<html", b"<head", b"<body", b"<title", b"<meta", b"<script", b"<!--")
"""Openings that the MIME Sniffing Standard takes for HTML, as far as whole pages begin with them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a record must be to become a page."""

    statuses: Sequence[str]
    content_types: Sequence[str]
    max_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRefusal:
    """Why a record becomes no page; the fields are those of a rejection."""

    reason: str
    outcome: Literal["rejected", "failed"] = "rejected"
    value: str | None = None
    limit: str | None = None
    message: str | None = None
    refers_to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A record that is wanted, its body not yet decoded. ``http`` is None where the body is the page."""

    record: Record
    http: http.HttpHead | None
    content_type: str
    media_type: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Columns of a page, the names by which revisits may refer to it, and what is to be counted."""

    columns: Mapping[str, Any]
    aliases: tuple[str, ...]
    counts: Mapping[str, int]


def url_of(head: Head | None) -> str | None:
    """Return the URL of a record; Wget writes it in angle brackets."""
    url = head.fields.get("warc-target-uri", "") if head else ""
    return url.removeprefix("<").removesuffix(">").strip() or None


def judge(record: Record, terms: Terms) -> Candidate | RecordRefusal:
    """Say whether a record is wanted, by what its heads tell; nothing is decoded."""
    fields = record.head.fields
    record_type = fields.get("warc-type", "").lower()
    if record_type == "revisit":
        return RecordRefusal(
            reason="revisit", refers_to=_originals(record.head), message=fields.get("warc-profile")
        )
    if record_type not in PAGE_TYPES:
        return RecordRefusal(reason="record_type", value=record_type, limit=", ".join(sorted(PAGE_TYPES)))
    content_type = fields.get("content-type", "")
    if not _is_http(record, content_type):
        return _wanted_type(_candidate(record, None, content_type), terms)
    head = http.parse_head(record.body)
    if head is None:
        return _no_head(record)
    if str(head.status) not in terms.statuses:
        return RecordRefusal(reason="http_status", value=str(head.status), limit=", ".join(terms.statuses))
    in_arc = content_type if record.head.kind == "arc" else ""
    return _wanted_type(_candidate(record, head, head.headers.get("content-type") or in_arc), terms)


def open_page(candidate: Candidate, terms: Terms) -> Page | RecordRefusal:
    """Undo what the body is wrapped in and make text of it; native decoders touch it here."""
    record, head = candidate.record, candidate.http
    data = record.body
    notes: tuple[str, ...] = ()
    if head is not None:
        body = _whole_body(record, head)
        if body is None:
            return _fault(record, "the body ends before its HTTP length")
        content = http.decode_body(head, body, max_bytes=terms.max_bytes)
        if content.state == "too_big":
            return RecordRefusal(
                reason="record_too_big", outcome="failed", message=content.message, limit=str(terms.max_bytes)
            )
        if content.state in ("corrupt", "unknown"):
            encoding = head.headers.get("content-encoding")
            return RecordRefusal(
                reason="content_coding", outcome="failed", message=content.message, value=encoding
            )
        if content.state == "cut" and record.fault:
            return _fault(record, "the body is not whole")
        data, notes = content.data, content.notes
    elif record.fault == "truncated":
        return _fault(record, "the body is not whole")
    return _page(candidate, data, notes)


def _candidate(record: Record, head: http.HttpHead | None, content_type: str) -> Candidate:
    media = http.media_type(content_type)
    if media is None or media == "no-type":
        media = http.media_type(record.head.fields.get("warc-identified-payload-type", ""))
    if media is None:
        opening = record.body[head.n_bytes if head else 0 :][:64].lstrip(b"\xef\xbb\xbf \t\r\n\f").lower()
        media = "text/html" if opening.startswith(_SNIFFED) else None
    return Candidate(record=record, http=head, content_type=content_type, media_type=media)


def _wanted_type(candidate: Candidate, terms: Terms) -> Candidate | RecordRefusal:
    if candidate.media_type in terms.content_types:
        return candidate
    value = candidate.content_type or None
    return RecordRefusal(reason="content_type", value=value, limit=", ".join(terms.content_types))


def _is_http(record: Record, content_type: str) -> bool:
    """Say whether the body should be an HTTP message."""
    if http.media_type(content_type) == _HTTP and record.head.kind == "warc":
        return True
    if record.body[:5].upper() == b"HTTP/":
        return True
    fetched = (url_of(record.head) or "").lower().startswith(("http:", "https:"))
    return fetched and record.head.kind == "arc"


def _no_head(record: Record) -> RecordRefusal:
    if record.fault:
        return _fault(record, "no HTTP response can be read in it")
    opening = record.body[:40].decode("latin-1")
    return RecordRefusal(
        reason="bad_http", outcome="failed", value=opening, message="the body is no HTTP response"
    )


def _fault(record: Record, message: str) -> RecordRefusal:
    claim = record.head.claim
    return RecordRefusal(
        reason=record.fault or "wrong_length",
        outcome="failed",
        value=claim or None,
        message=f"{describe_fault(record)}; {message}",
    )


def describe_fault(record: Record) -> str:
    """Say in words what is wrong with a record's length."""
    claim = record.head.claim
    if record.fault == "truncated":
        return f"the file ends inside this record: {len(record.body)} of {claim} bytes are there"
    said = f"is {claim!r}" if claim else "is missing"
    return f"the record's length {said}; the next record or the end stands {len(record.body)} bytes in"


def _whole_body(record: Record, head: http.HttpHead) -> bytes | None:
    """Return the body of a message; of a record of wrong length what HTTP says, None if that is not there."""
    body = record.body[head.n_bytes :]
    if not record.fault:
        return body
    if head.body_bytes is None:
        return body if head.whole else None
    return body[: head.body_bytes] if len(body) >= head.body_bytes else None


def _page(candidate: Candidate, data: bytes, notes: tuple[str, ...]) -> Page:
    record, head, media = candidate.record, candidate.http, candidate.media_type or ""
    is_html = "html" in media or media.endswith("xml")
    decoded = decode(data, http_charset=http.charset(candidate.content_type), is_html=is_html)
    counts = dict.fromkeys(notes, 1)
    counts["replaced_chars"] = decoded.n_replaced
    counts["bad_http_headers"] = head.n_bad_lines if head else 0
    if record.fault:
        counts[record.fault] = 1
    columns = {
        "url": url_of(record.head),
        "html" if is_html else "text": decoded.text,
        "fetched_at": _date(record.head),
        "status": head.status if head else None,
        "content_type": media,
        "headers": orjson.dumps(head.headers).decode() if head else None,
    }
    return Page(columns=columns, aliases=_aliases(record.head), counts={k: n for k, n in counts.items() if n})


def _date(head: Head, field: str = "warc-date") -> str | None:
    return instant(head.fields.get(field, ""), kind=head.kind)


def _aliases(head: Head) -> tuple[str, ...]:
    fields = head.fields
    return _names(fields.get("warc-record-id"), url_of(head), _date(head), fields.get("warc-payload-digest"))


def _originals(head: Head) -> tuple[str, ...]:
    fields = head.fields
    url = fields.get("warc-refers-to-target-uri", "").removeprefix("<").removesuffix(">").strip()
    date = _date(head, "warc-refers-to-date")
    return _names(fields.get("warc-refers-to"), url, date, fields.get("warc-payload-digest"))


def _names(record_id: str | None, url: str | None, date: str | None, digest: str | None) -> tuple[str, ...]:
    """List the names of one record, the surest first; pages and revisits write them alike."""
    names = [record_id.strip("<> ")] if record_id else []
    if url and date:
        names.append(f"{url} {date}")
    if digest:
        names.append(digest)
    return tuple(names)
