"""Read the HTTP message inside an archive record: its head, its chunks, its content codings.

Common faults of servers and crawlers are tolerated, as browsers do. Faults that are counted: lines that are
not a header, and bodies that are not chunked or coded although the head says so. Line ends without CR and
folded lines are accepted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from builder.io.archive.content_coding import Content, undo_codings
from builder.io.archive.heads import decode_head

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAX_HEAD_BYTES: Final = 1 << 20

_STATUS = re.compile(rb"[\r\n]{0,4}(?:HTTP(?:/\d{1,3}(?:\.\d{1,3})?)?|ICY)[ \t]+(\d{3})(?!\d)", re.IGNORECASE)
_INTERIM = re.compile(
    rb"[\r\n]{0,4}HTTP/\d{1,3}(?:\.\d{1,3})?[ \t]+"
    rb"(?:10[023]\b[^\n]*|200[ \t]+connection established[ \t\r]*)\n",
    re.IGNORECASE,
)
_LAST_STATUS = re.compile(rb"HTTP/1\.[01] (?:200 O|[345])")
"""Matches most final responses, before which nothing is passed over."""

_BLANK_LINE = re.compile(rb"\n\r?\n")
_FOLD = re.compile(r"\n[ \t]+")
_CHUNK = re.compile(rb"[ \t]{0,64}([0-9A-Fa-f]{1,15})[ \t]{0,64}(?:;[^\n]{0,4096})?\r?\n")
_LINE_END = re.compile(rb"\r?\n")
_MEDIA = re.compile(r"\s*([^\s;,\"]+)")
_CHARSET = re.compile(r"charset\s{0,8}=\s{0,8}[\"']?\s{0,8}([^\s\"';,]{1,64})", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpHead:
    """The head of a response.

    Attributes:
        headers: names in lower case; the values of a repeated header are joined by ``", "``.
        n_bytes: the length of the head; the body begins there.
        whole: whether the blank line that ends the head is present.
        n_bad_lines: lines that are not a header.
    """

    status: int
    headers: Mapping[str, str]
    n_bytes: int
    whole: bool
    n_bad_lines: int = 0

    @property
    def body_bytes(self) -> int | None:
        """The Content-Length; None if it is not a number, or if the body is chunked."""
        text = self.headers.get("content-length", "").partition(",")[0].strip()
        if self.is_chunked or not (text.isascii() and text.isdigit() and len(text) < 19):
            return None
        return int(text)

    @property
    def is_chunked(self) -> bool:
        """Whether the head declares a chunked body."""
        return "chunked" in self.headers.get("transfer-encoding", "").lower()

    @property
    def codings(self) -> list[str]:
        """Names of the codings to decode, the outermost first."""
        named = (self.headers.get(name, "") for name in ("content-encoding", "transfer-encoding"))
        codings = [part.strip().lower() for value in named for part in value.split(",")]
        return [coding for coding in reversed(codings) if coding not in ("", "identity", "chunked")]


def parse_head(data: bytes) -> HttpHead | None:
    r"""Parse the head of a response; return None if the data do not begin with a status line.

    >>> head = parse_head(b"HTTP/1.1 200 OK\nVary: a\nvary:\n b\n\nbody")
    >>> head.status, head.headers, head.n_bytes
    (200, {'vary': 'a, b'}, 34)
    """
    status = _STATUS.match(data, _interim_bytes(data))
    if status is None:
        return None
    blank = _BLANK_LINE.search(data, status.end(), _MAX_HEAD_BYTES)
    if blank is None and len(data) > _MAX_HEAD_BYTES:
        return None
    n_bytes = blank.end() if blank else len(data)
    values: dict[str, list[str]] = {}
    n_bad_lines = 0
    lines = decode_head(data[status.start() : n_bytes]).lstrip("\r\n").replace("\r\n", "\n")
    if "\n " in lines or "\n\t" in lines:
        lines = _FOLD.sub(" ", lines)
    for line in lines.split("\n")[1:]:
        name, colon, value = line.partition(":")
        if colon and name.strip():
            values.setdefault(name.strip().lower(), []).append(value.strip())
        elif line.strip():
            n_bad_lines += 1
    return HttpHead(
        status=int(status[1]),
        headers={name: ", ".join(filter(None, parts)) for name, parts in values.items()},
        n_bytes=n_bytes,
        whole=blank is not None,
        n_bad_lines=n_bad_lines,
    )


def _interim_bytes(data: bytes) -> int:
    """Return the length of ``100 Continue`` and ``200 Connection established`` before the response."""
    at = 0
    if _LAST_STATUS.match(data):
        return at
    while (found := _INTERIM.match(data, at)) is not None:
        blank = _BLANK_LINE.search(data, found.end() - 1, _MAX_HEAD_BYTES)
        if blank is None or _STATUS.match(data, blank.end()) is None:
            break
        at = blank.end()
    return at


def media_type(content_type: str) -> str | None:
    """Return the media type of a Content-Type header without its parameters, or None without one.

    >>> media_type("Text/HTML; charset=utf-8")
    'text/html'
    """
    match = _MEDIA.match(content_type)
    return match[1].lower() if match else None


def charset(content_type: str) -> str | None:
    """Return the charset that a Content-Type header names, or None without one.

    >>> charset("text/html; charset='utf-8'")
    'utf-8'
    """
    match = _CHARSET.search(content_type)
    return match[1] if match else None


def decode_body(head: HttpHead, body: bytes, *, max_bytes: int) -> Content:
    """Join the chunks of a body and decode its content codings."""
    notes: tuple[str, ...] = ()
    cut = False
    if head.is_chunked:
        body, state = undo_chunks(body)
        notes = () if state == "whole" else (_CHUNK_NOTES[state],)
        cut = state == "cut"
    content = undo_codings(body, head.codings, max_bytes=max_bytes)
    state_now = "cut" if cut and content.state == "whole" else content.state
    if state_now == content.state and not notes:
        return content
    return replace(content, state=state_now, notes=notes + content.notes)


ChunkState = Literal["whole", "cut", "wrong", "none"]

_CHUNK_NOTES: Final = {"cut": "chunks_cut", "wrong": "chunks_wrong", "none": "not_chunked"}


def undo_chunks(data: bytes) -> tuple[bytes, ChunkState]:
    r"""Join the chunks of a body; extensions and trailers are ignored.

    If the size of a later chunk is not a number, the rest is kept unchanged (state ``wrong``). A body that
    does not begin with a chunk size is not chunked (state ``none``).

    >>> undo_chunks(b"3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: 1\r\n\r\n")
    (b'abcde', 'whole')
    """
    out = bytearray()
    at = 0
    while (size := _CHUNK.match(data, at)) is not None:
        n_bytes = int(size[1], 16)
        if not n_bytes:
            return bytes(out), "whole"
        out += data[size.end() : size.end() + n_bytes]
        at = size.end() + n_bytes
        if at >= len(data):
            return bytes(out), "cut"
        line_end = _LINE_END.match(data, at)
        if line_end is None:
            break
        at = line_end.end()
    if at == 0:
        return data, "none"
    return (bytes(out + data[at:]), "wrong") if at < len(data) else (bytes(out), "cut")
