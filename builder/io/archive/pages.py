"""Turn an archive record into a page, or into a refusal with its reason."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, Literal

import orjson

from builder.io.archive import http
from builder.io.archive.heads import to_rfc3339
from builder.io.archive.own_records import is_crawler_record, is_site_record
from builder.io.archive.payload import binary_type, undo_undeclared_gzip
from builder.io.archive.site_rules import site_facts
from builder.io.charset.decode import decode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from builder.io.archive.framing import Record
    from builder.io.archive.heads import Head

PAGE_TYPES: Final = frozenset(("response", "resource", "conversion"))
_HTTP: Final = "application/http"
_BINARY_TYPES = re.compile(
    r"(?:image/(?!svg)|audio/|video/|font/|application/(?:pdf|zip|gzip|x-gzip|x-tar|x-rar|x-7z|x-bzip|x-xz|zstd"
    r"|msword|vnd\.(?:ms-|openxml|oasis|rar)|x-shockwave|java-archive|x-dosexec|epub|postscript|font|x-font))"
)
_SNIFFED: Final = (b"<!doctype html", b"<html", b"<head", b"<body", b"<title", b"<meta", b"<script", b"<!--")
"""First bytes that the MIME Sniffing Standard recognises as HTML; only those that begin whole pages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageCriteria:
    """Which records become pages.

    Attributes:
        max_bytes: limit on the decoded content.
        crawler_records: whether records that the crawler wrote for itself may become pages.
        incomplete: whether records that the crawler cut or divided may become pages.
    """

    statuses: Sequence[str]
    content_types: Sequence[str]
    max_bytes: int
    crawler_records: bool = False
    incomplete: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRefusal:
    """The reason why a record does not become a page; the fields are those of a rejection.

    ``site`` has the facts of a site record, for the audit.
    """

    reason: str
    outcome: Literal["rejected", "failed"] = "rejected"
    value: str | None = None
    limit: str | None = None
    message: str | None = None
    refers_to: tuple[str, ...] = ()
    site: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A record that may become a page; its body is not yet decoded.

    ``http`` is None if the body is the page itself, not an HTTP message. A site record is decoded to be kept,
    and does not become a page.
    """

    record: Record
    http: http.HttpHead | None
    content_type: str
    media_type: str | None
    is_site_record: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The columns of a page, the names by which revisits may refer to it, and its counts."""

    columns: Mapping[str, Any]
    aliases: tuple[str, ...]
    counts: Mapping[str, int]


def url_of(head: Head | None) -> str | None:
    """Return the URL of a record, without the pair of angle brackets that Wget writes around it."""
    return _bare(head.fields.get("warc-target-uri", "")) or None if head else None


def judge(record: Record, criteria: PageCriteria) -> Candidate | RecordRefusal:
    """Decide from the heads of a record whether it may become a page; the body is not decoded."""
    fields = record.head.fields
    record_type = fields.get("warc-type", "").lower()
    if record_type == "revisit":
        return RecordRefusal(
            reason="revisit", refers_to=_originals(record.head), message=fields.get("warc-profile")
        )
    if record_type not in PAGE_TYPES:
        return RecordRefusal(reason="record_type", value=record_type, limit=", ".join(sorted(PAGE_TYPES)))
    url = url_of(record.head)
    if is_crawler_record(url) and not criteria.crawler_records:
        return RecordRefusal(reason="crawler_record")
    is_site = is_site_record(url)
    faults = incomplete_by_crawler(record.head)
    if faults and not criteria.incomplete and not is_site:
        return RecordRefusal(reason=faults[0], value=fields.get("warc-truncated"))
    content_type = fields.get("content-type", "")
    if not _is_http(record, content_type):
        return _check_type(_candidate(record, None, content_type, is_site=is_site), criteria)
    head = http.parse_head(record.body)
    if head is None:
        return _no_head(record)
    if str(head.status) not in criteria.statuses and not is_site:
        return RecordRefusal(reason="http_status", value=str(head.status), limit=", ".join(criteria.statuses))
    in_arc = content_type if record.head.kind == "arc" else ""
    content_type = head.headers.get("content-type") or in_arc
    return _check_type(_candidate(record, head, content_type, is_site=is_site), criteria)


def open_page(candidate: Candidate, criteria: PageCriteria) -> Page | RecordRefusal:
    """Decode the body to text: chunks, content codings, charset. Call it under the guard (native code)."""
    record, head = candidate.record, candidate.http
    data = record.body
    notes: tuple[str, ...] = ()
    if head is not None:
        body = _whole_body(record, head)
        if body is None:
            return _fault(record, "the body is shorter than its HTTP length")
        content = http.decode_body(head, body, max_bytes=criteria.max_bytes)
        if content.state == "too_big":
            return RecordRefusal(
                reason="record_too_big",
                outcome="failed",
                message=content.message,
                limit=str(criteria.max_bytes),
            )
        if content.state in ("corrupt", "unknown"):
            encoding = head.headers.get("content-encoding")
            return RecordRefusal(
                reason="content_coding", outcome="failed", message=content.message, value=encoding
            )
        if content.state == "cut" and record.fault:
            return _fault(record, "the body is incomplete")
        data, notes = content.data, content.notes
    elif record.fault == "truncated":
        return _fault(record, "the body is incomplete")
    if (inflated := undo_undeclared_gzip(data, max_bytes=criteria.max_bytes)) is not None:
        data, notes = inflated, (*notes, "undeclared_gzip")
    if candidate.is_site_record:
        return _site_record(candidate, data)
    if (binary := _binary_type(candidate, data)) is not None:
        return RecordRefusal(reason="not_text", value=binary)
    return _page(candidate, data, notes)


def _site_record(candidate: Candidate, data: bytes) -> RecordRefusal:
    facts = site_facts(
        candidate.record, url=url_of(candidate.record.head) or "", http=candidate.http, body=data
    )
    status = f"status {facts['status']}" if facts["status"] else "no status"
    digest = sha256(data).hexdigest()
    message = f"{status}, fetched {facts['fetched_at']}, {len(data)} bytes with the SHA-256 {digest}"
    return RecordRefusal(reason="site_record", message=message, site=facts)


def incomplete_by_crawler(head: Head) -> list[str]:
    """List how a record is incomplete by its own fields: ``warc_truncated``, ``segmented``."""
    fields = head.fields
    found = ["warc_truncated"] if fields.get("warc-truncated") else []
    return found + (["segmented"] if fields.get("warc-segment-number") else [])


def _binary_type(candidate: Candidate, data: bytes) -> str | None:
    """Return the type of a payload that is not HTML or text, by its bytes or as the crawler identified it."""
    named = candidate.record.head.fields.get("warc-identified-payload-type")
    identified = http.media_type(named) if named else None
    if identified is None or not _BINARY_TYPES.match(identified) or _looks_like_html(data):
        return binary_type(data)
    return identified


def _looks_like_html(data: bytes) -> bool:
    return data[:64].lstrip(b"\xef\xbb\xbf \t\r\n\f").lower().startswith(_SNIFFED)


def _candidate(record: Record, head: http.HttpHead | None, content_type: str, *, is_site: bool) -> Candidate:
    media = http.media_type(content_type)
    if media is None or media == "no-type":
        media = http.media_type(record.head.fields.get("warc-identified-payload-type", ""))
    if media is None:
        begin = head.n_bytes if head else 0
        media = "text/html" if _looks_like_html(record.body[begin : begin + 64]) else None
    return Candidate(
        record=record,
        http=head,
        content_type=content_type,
        media_type=media,
        is_site_record=is_site,
    )


def _check_type(candidate: Candidate, criteria: PageCriteria) -> Candidate | RecordRefusal:
    if candidate.is_site_record or candidate.media_type in criteria.content_types:
        return candidate
    value = candidate.content_type or None
    return RecordRefusal(reason="content_type", value=value, limit=", ".join(criteria.content_types))


def _is_http(record: Record, content_type: str) -> bool:
    """Return whether the body should be an HTTP message."""
    if http.media_type(content_type) == _HTTP and record.head.kind == "warc":
        return True
    if record.body[:5].upper() == b"HTTP/":
        return True
    fetched = (url_of(record.head) or "").lower().startswith(("http:", "https:"))
    return fetched and record.head.kind == "arc"


def _no_head(record: Record) -> RecordRefusal:
    if record.fault:
        return _fault(record, "the body is not an HTTP response")
    opening = record.body[:40].decode("latin-1")
    return RecordRefusal(
        reason="bad_http", outcome="failed", value=opening, message="the body is not an HTTP response"
    )


def _fault(record: Record, message: str) -> RecordRefusal:
    return RecordRefusal(
        reason=record.fault or "wrong_length",
        outcome="failed",
        value=record.head.length_text or None,
        message=f"{describe_fault(record)}; {message}",
    )


def describe_fault(record: Record) -> str:
    """Describe what is wrong with a record's length."""
    declared = record.head.length_text
    if record.fault == "truncated":
        return f"the file ends inside this record: {len(record.body)} of {declared} bytes are present"
    length = f"is {declared!r}" if declared else "is missing"
    return f"the record's length {length}, but its body has {len(record.body)} bytes"


def _whole_body(record: Record, head: http.HttpHead) -> bytes | None:
    """Return the body of a message.

    If the record's length is wrong, HTTP decides where the body ends; None if the body is incomplete.
    """
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
    for fault in incomplete_by_crawler(record.head):
        counts[fault] = 1
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
    return to_rfc3339(head.fields.get(field, ""), kind=head.kind)


def _aliases(head: Head) -> tuple[str, ...]:
    fields = head.fields
    return _names(fields.get("warc-record-id"), url_of(head), _date(head), fields.get("warc-payload-digest"))


def _originals(head: Head) -> tuple[str, ...]:
    fields = head.fields
    url = _bare(fields.get("warc-refers-to-target-uri", ""))
    date = _date(head, "warc-refers-to-date")
    return _names(fields.get("warc-refers-to"), url, date, fields.get("warc-payload-digest"))


def _bare(url: str) -> str:
    return url[1:-1].strip() if url.startswith("<") and url.endswith(">") else url.strip()


def _names(record_id: str | None, url: str | None, date: str | None, digest: str | None) -> tuple[str, ...]:
    """List the names of one record, the most reliable first; pages and revisits use the same forms."""
    names = [record_id.strip("<> ")] if record_id else []
    if url and date:
        names.append(f"{url} {date}")
    if digest:
        names.append(digest)
    return tuple(names)
