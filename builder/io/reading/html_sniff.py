"""Recognise HTML and MHTML by the first bytes of a file, whatever its name."""

from __future__ import annotations

import re

from builder.errors import SourceError
from builder.io.streams.streams import open_raw

_EXAMINED_BYTES = 4 << 10
_START = re.compile(
    rb"(?:\xef\xbb\xbf)?[\s\x00]{0,1024}(?:<\?xml[^>]{0,256}>\s{0,256})?(?:<!--.{0,2048}?-->\s{0,256}){0,8}"
    rb"<(?:!doctype\s{1,32}html|(?:html|head|body|title|meta|script|iframe|style|table|div|h1|font|br|p|a|b)[\s>/])",
    re.IGNORECASE | re.DOTALL,
)
_MHTML = re.compile(rb"content-type:\s{0,64}multipart/related", re.IGNORECASE)
_HEADER = re.compile(rb"\s{0,64}[A-Za-z][A-Za-z-]{1,40}:[ \t]")


def is_html(opening: bytes) -> bool:
    """Return whether a file begins like a page of HTML, by the rules of the MIME Sniffing Standard.

    >>> is_html(b"<!-- saved --><!DOCTYPE html>"), is_html(b"<svg><title>")
    (True, False)
    """
    return _START.match(opening) is not None


def is_mhtml(opening: bytes) -> bool:
    """Return whether a file begins like a page saved with all its parts."""
    return _HEADER.match(opening) is not None and _MHTML.search(opening) is not None


def file_is_page(address: str) -> bool:
    """Return whether a file is HTML or MHTML by its first bytes; a file that cannot be read is not."""
    try:
        with open_raw(address) as file:
            opening = file.read(_EXAMINED_BYTES) or b""
    except SourceError:
        return False
    return is_html(opening) or is_mhtml(opening)
