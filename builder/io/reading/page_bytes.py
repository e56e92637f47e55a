"""Decode pages that came as bytes, or as base64, in a column of a table or a member of a record."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final

from builder.io.archive.http import charset
from builder.io.archive.payload import NOT_TEXT, binary_type, undo_undeclared_gzip
from builder.io.charset.decode import decode
from builder.io.reading.file_source import MAX_RECORD_BYTES

BYTES_REASONS: Final = {
    **NOT_TEXT,
    "bad_base64": "The value of a column in the source option `base64` is not base64.",
}
"""Reasons with the text for ``docs/reasons.md``."""

_DATA_URL = re.compile(r"data:([^,]{0,200}?);base64,", re.IGNORECASE)
_BLANK = re.compile(r"\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedPage:
    """A decoded page, or the reason why it is not one."""

    text: str | None = None
    n_replaced: int = 0
    reason: str | None = None
    value: str | None = None


def decode_page(data: bytes, *, content_type: str | None, is_html: bool) -> DecodedPage:
    """Decode the bytes of a page by its content type, its own declaration, or detection.

    Gzip that nothing declares is undone once. Bytes that are not text are refused.

    >>> decode_page("Käse".encode("latin-1"), content_type="text/html; charset=latin1", is_html=True).text
    'Käse'
    """
    data = undo_undeclared_gzip(data, max_bytes=MAX_RECORD_BYTES) or data
    if (kind := binary_type(data)) is not None:
        return DecodedPage(reason="not_text", value=kind)
    decoded = decode(data, http_charset=charset(content_type or ""), is_html=is_html)
    return DecodedPage(text=decoded.text, n_replaced=decoded.n_replaced)


def decode_base64_page(text: str, *, content_type: str | None, is_html: bool) -> DecodedPage:
    """Decode the base64 of a page: with or without line ends and padding, URL-safe, or as a ``data:`` URL.

    >>> decode_base64_page("PHA+SGk8L3A+", content_type=None, is_html=True).text
    '<p>Hi</p>'
    >>> decode_base64_page("<p>Hi</p>", content_type=None, is_html=True).reason
    'bad_base64'
    """
    if found := _DATA_URL.match(text):
        content_type, text = content_type or found[1], text[found.end() :]
    packed = _BLANK.sub("", text).rstrip("=").replace("-", "+").replace("_", "/")
    try:
        data = base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
    except (binascii.Error, ValueError):
        return DecodedPage(reason="bad_base64", value=text[:200])
    return decode_page(data, content_type=content_type, is_html=is_html)
