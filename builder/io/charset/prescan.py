"""Find the charset that a page declares about itself (HTML standard, "prescan a byte stream")."""

from __future__ import annotations

import re

from builder.domain.html_tags import tags
from builder.io.charset.labels import codec_of_label

PRESCAN_BYTES = 4096
"""How far a declaration is looked for at first; the standard asks for 1,024."""

FAR_BYTES = 1 << 16
"""How far it is looked for before the charset is guessed; browsers go on to the end of the head."""

_MARKUP = re.compile(rb"\s*<(?:!doctype|html|head|meta|title|body|!--|\?xml|rss|feed)", re.IGNORECASE)
_XML = re.compile(rb"""<\?xml\s[^>]*?encoding\s*=\s*(["'])([A-Za-z0-9._:-]{1,40})\1""")
_CONTENT = re.compile(rb"""charset\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s;"'][^\s;]*))""", re.IGNORECASE)


def looks_like_markup(data: bytes) -> bool:
    """Tell whether bytes begin as a page or an XML document does."""
    return _MARKUP.match(data[:256]) is not None


def declared_in_page(data: bytes, *, n_bytes: int = PRESCAN_BYTES) -> str | None:
    """Return the codec of the XML declaration, or of the first ``<meta>`` tag that names a known charset.

    A page cannot say by its own ASCII letters that it is UTF-16: as the standard asks, that means UTF-8.

    >>> declared_in_page(b'<!-- <meta charset=big5> --><META Charset="Latin1">')
    'cp1252'
    """
    head = data[:n_bytes]
    # The standard looks for tags within scripts and titles too: it does not parse.
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
