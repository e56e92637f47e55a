"""Author and date that stand in the body of a page: microdata, and links to the author."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from builder.stages.page_facts import name_of, read_date

if TYPE_CHECKING:
    from datetime import date

    from builder.stages.page_facts import PageFacts

MAX_NAME_CHARS = 100
"""What is longer is no name, but a text around one."""

_AUTHORS = ('[itemprop~="author"] [itemprop~="name"]', '[itemprop~="author"]', '[rel~="author"]')
_DATES = ('[itemprop~="datePublished"]', "time[pubdate]")


def facts_of_body(facts: PageFacts, document: Any) -> PageFacts:
    """Fill in what the head does not tell, from the first place in the body that does."""
    author = facts.author or _author(document)
    day = facts.date or _date(document)
    return replace(facts, author=author, date=day)


def _author(document: Any) -> str | None:
    for selector in _AUTHORS:
        if (node := document.query_selector(selector)) is not None:
            name = name_of(node.getattr("content") or node.text)
            if name and len(name) <= MAX_NAME_CHARS:
                return name
    return None


def _date(document: Any) -> date | None:
    for selector in _DATES:
        if (node := document.query_selector(selector)) is not None:
            return read_date(node.getattr("datetime") or node.getattr("content") or node.text)
    return None
