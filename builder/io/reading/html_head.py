"""Find the URL that an HTML page declares for itself."""

from __future__ import annotations

import html

from builder.domain.html_tags import tags
from builder.domain.url import canonical_url

HEAD_BYTES = 1 << 18
"""Bytes or characters of a page that are searched for its own URL."""


def page_url(page: str | bytes) -> str | None:
    """Return the URL that a page declares: ``<link rel=canonical>``, else ``og:url``, else None.

    Only an absolute ``http`` or ``https`` URL before the body is accepted.

    >>> page_url('<head><link href="https://a.example/x?y=1&amp;z" rel="Canonical">')
    'https://a.example/x?y=1&z'
    """
    head = page[:HEAD_BYTES]
    shared = None
    data = head.encode("utf-8", "replace") if isinstance(head, str) else head
    for name, attributes in tags(data, wanted=(b"link", b"meta", b"body")):
        if name == b"body":
            break
        if name == b"link" and b"canonical" in attributes.get(b"rel", b"").lower().split():
            if (url := _address(attributes.get(b"href"))) is not None:
                return url
        elif name == b"meta" and b"og:url" in (attributes.get(b"property"), attributes.get(b"name")):
            shared = shared or _address(attributes.get(b"content"))
    return shared


def _address(value: bytes | None) -> str | None:
    if not value:
        return None
    url = html.unescape(value.decode("utf-8", "replace")).strip()
    return url if canonical_url(url) is not None else None
