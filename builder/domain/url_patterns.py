"""Select URLs by patterns that people write."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

URL_REASONS = {
    "url_not_selected": "No pattern of the option `urls` matches the URL, or the record lacks a URL.",
    "url_skipped": "A pattern of the option `skip_urls` matches the URL.",
    "scheme_not_selected": "The option `schemes` does not list the scheme of the URL.",
}
"""The reasons why a source does not want the URL of a record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlPatterns:
    """The URLs that a source selects.

    Attributes:
        urls: patterns of which one must match; empty for all URLs.
        skip_urls: patterns of which none may match.
        schemes: schemes of which the URL must have one; empty for all schemes.
    """

    urls: Sequence[str] = ()
    skip_urls: Sequence[str] = ()
    schemes: Sequence[str] = ()

    def __bool__(self) -> bool:
        """Return whether there is any pattern."""
        return bool(self.urls or self.skip_urls or self.schemes)

    def refuse(self, urls: pa.Array) -> Iterator[tuple[str, pa.Array]]:
        """Yield each reason with bool[n_rows], the rows that have it; a row may have several reasons.

        A row without a URL is selected only if neither ``urls`` nor ``schemes`` is given.

        Args:
            urls: string[n_rows].
        """
        if self.schemes:
            scheme = "|".join(re.escape(one.lower().removesuffix("://").rstrip(":")) for one in self.schemes)
            yield "scheme_not_selected", pc.invert(_matches(urls, f"^(?i:{scheme}):"))
        if self.skip_urls:
            yield "url_skipped", _matches(urls, _any_of(self.skip_urls))
        if self.urls:
            yield "url_not_selected", pc.invert(_matches(urls, _any_of(self.urls)))


def pattern_regex(pattern: str) -> str:
    """Return the regular expression of a pattern.

    ``*`` represents any text, and every other character itself. A pattern without a scheme matches every
    scheme. A pattern that ends with the host matches all pages of the host. Scheme and host are compared
    without regard to upper and lower case.

    >>> import re
    >>> bool(re.match(pattern_regex("*.example.org/blog/*"), "https://www.example.org/blog/1"))
    True
    """
    scheme, separator, rest = pattern.rpartition("://")
    host, slash, path = rest.partition("/")
    start = f"(?i:{_escaped(scheme, any_text='[^:/]*')}" if separator else "(?i:[a-z][a-z0-9+.-]*"
    end = f"/{_escaped(path, any_text='.*')}$" if slash else "(?:[:/?#].*)?$"
    return f"(?s)^{start}://{_escaped(host, any_text='[^/?#]*')}){end}"


def _escaped(text: str, *, any_text: str) -> str:
    return any_text.join(map(re.escape, text.split("*")))


def _any_of(patterns: Sequence[str]) -> str:
    return "|".join(f"(?:{pattern_regex(one)})" for one in patterns)


def _matches(urls: pa.Array, regex: str) -> pa.Array:
    return pc.fill_null(pc.match_substring_regex(urls, regex), False)
