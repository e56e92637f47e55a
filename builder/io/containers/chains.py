"""Paths into archives: ``zip://PATTERN::ARCHIVE`` and ``tar://PATTERN::ARCHIVE``."""

from __future__ import annotations

import re

from builder.io.streams.globs import Glob, expand_braces

_CHAIN = re.compile(r"(?:zip|tar)://(.*?)::(.+)", re.DOTALL)


def outside(path: str) -> str:
    """Return the path of the archives, local or remote; ``path`` itself if it does not lead into an archive.

    >>> outside("zip://archive/*.warc.gz::crawl/a.wacz"), outside("zip://a.csv::s3://bucket/a.zip")
    ('crawl/a.wacz', 's3://bucket/a.zip')
    """
    found = _CHAIN.fullmatch(path)
    return found[2] if found else path


def member_glob(path: str) -> Glob | None:
    """Return the pattern of the members to read; None if the path does not lead into an archive."""
    found = _CHAIN.fullmatch(path)
    if found is None or not found[1].strip("/"):
        return None
    return Glob(expand_braces(found[1].strip("/"), path))
