"""Find author and date in the body of a page: microdata, and links to the author."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from builder.stages.extraction.page_facts import name_of, read_date

if TYPE_CHECKING:
    from datetime import date

    from builder.stages.extraction.page_facts import PageFacts

_MAX_NAME_CHARS = 100
"""A longer text is not a name, but a text that contains a name."""

_AUTHORS = ('[itemprop~="author"] [itemprop~="name"]', '[itemprop~="author"]', '[rel~="author"]')
_DATES = ('[itemprop~="datePublished"]', "time[pubdate]")


def facts_of_body(facts: PageFacts, page: bytes, document: Any) -> PageFacts:
    """Fill in author and date from the body if the head does not contain them. The first match counts.

    The document is searched only if the bytes of the page contain the attribute name, because a search takes
    as long as the extraction of a short page.
    """
    if facts.author is None and b"author" in page:
        author = _author(document, _AUTHORS if b"itemprop" in page else _AUTHORS[-1:])
        facts = replace(facts, author=author)
    if facts.date is None and (b"datePublished" in page or b"pubdate" in page):
        facts = replace(facts, date=_date(document))
    return facts


def _author(document: Any, selectors: tuple[str, ...]) -> str | None:
    for selector in selectors:
        if (node := document.query_selector(selector)) is not None:
            name = name_of(node.getattr("content") or node.text)
            if name and len(name) <= _MAX_NAME_CHARS:
                return name
    return None


def _date(document: Any) -> date | None:
    for selector in _DATES:
        if (node := document.query_selector(selector)) is not None:
            return read_date(node.getattr("datetime") or node.getattr("content") or node.text)
    return None
