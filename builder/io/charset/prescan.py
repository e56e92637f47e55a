"""Find the charset that a page declares about itself (HTML standard, "prescan a byte stream")."""

from __future__ import annotations

import re

from builder.domain.html_tags import tags
from builder.io.charset.labels import codec_of_label

PRESCAN_BYTES = 4096
"""Bytes that are searched for a declaration at first; the standard asks for 1,024."""

FAR_BYTES = 1 << 16
"""Bytes that are searched before the charset is guessed; browsers search to the end of the head."""

_MARKUP = re.compile(rb"\s*<(?:!doctype|html|head|meta|title|body|!--|\?xml|rss|feed)", re.IGNORECASE)
_XML = re.compile(rb"""<\?xml\s[^>]*?encoding\s*=\s*(["'])([A-Za-z0-9._:-]{1,40})\1""")
_CONTENT = re.compile(rb"""charset\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s;"'][^\s;]*))""", re.IGNORECASE)


def looks_like_markup(data: bytes) -> bool:
    """Return whether bytes begin like an HTML page or an XML document."""
    return _MARKUP.match(data[:256]) is not None


def declared_in_page(data: bytes, *, n_bytes: int = PRESCAN_BYTES) -> str | None:
    """Return the codec of the XML declaration, or of the first ``<meta>`` tag that names a known charset.

    A page that declares UTF-16 in ASCII letters cannot be UTF-16. The standard defines that it means UTF-8.

    >>> declared_in_page(b'<!-- <meta charset=big5> --><META Charset="Latin1">')
    'cp1252'
    """
    head = data[:n_bytes]
    # The standard's prescan does not parse, so it also finds tags inside scripts and titles.
    metas = (attributes for _, attributes in tags(head, wanted=(b"meta",), raw_text=False))
    codec = _of_xml(head) or next(filter(None, map(_of_meta, metas)), None)
    if codec is None:
        return None
    return "utf-8" if codec.startswith(("utf-16", "utf-32")) else codec


def _of_xml(head: bytes) -> str | None:
    found = _XML.match(head.lstrip())
    return codec_of_label(found[2].decode("latin-1")) if found else None


def _of_meta(attributes: dict[bytes, bytes]) -> str | None:
    if b"charset" in attributes:
        return codec_of_label(attributes[b"charset"].decode("latin-1"))
    if attributes.get(b"http-equiv", b"").lower() != b"content-type":
        return None
    found = _CONTENT.search(attributes.get(b"content", b""))
    if found is None:
        return None
    return codec_of_label(next(group for group in found.groups() if group is not None).decode("latin-1"))
