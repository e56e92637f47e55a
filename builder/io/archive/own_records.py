"""Recognise records that crawlers write for themselves, and files in which sites state their rules."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

OWN_RECORDS: Final = {
    "crawler_record": "The crawler wrote the record for itself: a log, a screenshot, a DNS answer.",
    "site_record": "The record is a file of rules for crawlers: robots.txt, tdmrep.json or ai.txt.",
}
"""Reasons with the text for ``docs/reasons.md``."""

_WEB: Final = ("http:", "https:")
_PAGES = re.compile(
    r"(?:https?|ftps?|file|gopher|gemini|spartan|ipfs|ipns|data|about):|//|[^:]*$", re.IGNORECASE
)
_MAY_BE_SITE = re.compile(r"/(?:robots\.txt|ai\.txt|tdmrep\.json)(?:[?#;]|$)", re.IGNORECASE)
"""Found in few URLs, so that the others are not split."""

_SITE_PATHS: Final = frozenset(
    (
        "/robots.txt",
        "/ai.txt",
        "/.well-known/ai.txt",
        "/tdmrep.json",
        "/.well-known/tdmrep.json",
    )
)


def is_crawler_record(url: str | None) -> bool:
    """Return whether a URL is not an address of the web: ``metadata:``, ``urn:``, ``dns:`` and the like.

    >>> is_crawler_record("metadata://gnu.org/software/wget/warc/wget.log"), is_crawler_record("HTTP://a/")
    (True, False)
    """
    return url is not None and not url.startswith(_WEB) and not _PAGES.match(url)


def is_site_record(url: str | None) -> bool:
    """Return whether a URL is that of a site's rules, which are at fixed places.

    >>> is_site_record("https://a.example/robots.txt?x=1"), is_site_record("https://a.example/a/robots.txt")
    (True, False)
    """
    if url is None or not _MAY_BE_SITE.search(url) or not url.lower().startswith(("http:", "https:")):
        return False
    try:
        return urlsplit(url).path.lower() in _SITE_PATHS
    except ValueError:
        return False
