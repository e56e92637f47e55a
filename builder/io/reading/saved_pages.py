"""Read what programs that save pages write: addresses in comments, MHTML, and the paths of mirrors."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import compat32
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from email.message import Message

_HEAD_CHARS = 16 << 10
_COMMENT = re.compile(r"<!--(.{0,4096}?)-->", re.DOTALL)
_SAVED_FROM = re.compile(r"\s*saved from url\s*=\s*\(\d{1,9}\)(\S+)", re.IGNORECASE)
_SINGLE_FILE = re.compile(r"\s*Page saved with SingleFile\b.*?^\s*url:\s*(\S+)", re.DOTALL | re.MULTILINE)
_HTTRACK = re.compile(r"\s*Mirrored from (\S+) by HTTrack Website Copier", re.IGNORECASE)
_WEB = re.compile(r"https?://[^/\s]", re.IGNORECASE)
_INDEX = re.compile(r"(?<=/)index\.x?html?$", re.IGNORECASE)
_SAFE = "/:?=&+~,;@!$'()*#[]%"


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedPage:
    """The page of an MHTML file: its bytes, the charset that its header names, and its address."""

    html: bytes
    charset: str | None
    url: str | None


def saved_url(page: str) -> str | None:
    """Return the address that a browser, SingleFile or HTTrack wrote in a comment; None without one.

    >>> saved_url("<!-- saved from url=(0014)https://a.example/x --><html>")
    'https://a.example/x'
    >>> saved_url("<html><!-- Mirrored from a.example/x.html by HTTrack Website Copier/3.x [XR&CO'2014] -->")
    'http://a.example/x.html'
    """
    for comment in _COMMENT.finditer(page, 0, _HEAD_CHARS):
        for pattern in (_SAVED_FROM, _SINGLE_FILE):
            if (found := pattern.match(comment[1])) and _WEB.match(found[1]):
                return found[1]
        if found := _HTTRACK.match(comment[1]):
            return found[1] if _WEB.match(found[1]) else f"http://{found[1]}"
    return None


def mirrored_url(name: str, *, scheme: str) -> str:
    """Return the address of a file of a mirror, whose first folder is the host.

    >>> mirrored_url("a.example/docs/index.html", scheme="https"), mirrored_url("a.b/p?id=2", scheme="http")
    ('https://a.example/docs/', 'http://a.b/p?id=2')
    """
    return f"{scheme}://{_INDEX.sub('', quote(name, safe=_SAFE))}"


def open_mhtml(data: bytes) -> SavedPage | None:
    """Return the page of an MHTML file: the part that the header names, else the first HTML part."""
    message = BytesParser(policy=compat32).parsebytes(data)
    start = str(message.get_param("start") or "")
    parts = [part for part in message.walk() if part.get_content_type() in _HTML_TYPES]
    named = [part for part in parts if start and part.get("Content-ID") == start]
    for part in named or parts:
        html = part.get_payload(decode=True)
        if isinstance(html, bytes):
            return SavedPage(html=html, charset=part.get_content_charset(), url=_address(part, message))
    return None


_HTML_TYPES = ("text/html", "application/xhtml+xml")


def _address(part: Message, message: Message) -> str | None:
    for url in (part.get("Content-Location"), message.get("Snapshot-Content-Location")):
        if url and _WEB.match(str(url).strip()):
            return re.sub(r"\s+", "", str(url))
    return None
