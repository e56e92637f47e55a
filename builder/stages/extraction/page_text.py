"""Run one of the libraries that extract text on one page."""

from __future__ import annotations

import importlib
import logging
from dataclasses import dataclass
from typing import Any

from builder.stages.extraction.page_body import facts_of_body
from builder.stages.extraction.page_facts import PageFacts, page_facts


@dataclass(frozen=True, slots=True, kw_only=True)
class PageText:
    """The text and facts of a page.

    ``is_whole`` is true if the extractor found no main text. ``comments`` are those that are not in the text.
    """

    text: str
    is_whole: bool
    facts: PageFacts
    comments: str | None = None


_LIBRARIES = {"resiliparse": "resiliparse.extract.html2text", "trafilatura": "trafilatura"}


def import_extractor(method: str) -> None:
    """Import the library of an extractor, so that a broken installation is found before the first page.

    Raises:
        ImportError: if the library, or one that it needs, cannot be imported.
    """
    if method in _LIBRARIES:
        importlib.import_module(_LIBRARIES[method])


def read_page(
    html: bytes,
    *,
    method: str,
    comments: bool,
    links: bool,
    alt_texts: bool,
    list_bullets: bool,
    tables: bool,
    favor: str,
) -> PageText:
    """Extract the facts and the main text; if the page has no main text, the whole text.

    The content of ``<noscript>`` is read, because some forums have all their content there. Alternative texts
    of images are off by default, because most of them repeat a caption or have no content.

    Args:
        html: the page as UTF-8.
    """
    from resiliparse.extract.html2text import extract_plain_text
    from resiliparse.parse.html import HTMLTree

    tree = HTMLTree.parse_from_bytes(html, "utf-8")
    shared: dict[str, Any] = {"links": links, "alt_texts": alt_texts, "list_bullets": list_bullets}
    if tree.document is None:
        return PageText(text="", is_whole=True, facts=PageFacts())
    facts = facts_of_body(page_facts(html), html, tree.document)
    if method == "trafilatura":
        text = _trafilatura(html, comments=comments, links=links, tables=tables, favor=favor)
    else:
        text = _lines(extract_plain_text(tree, main_content=True, noscript=True, comments=comments, **shared))
    if text:
        return PageText(text=text, is_whole=False, facts=facts)
    return PageText(
        text=_lines(extract_plain_text(tree, noscript=True, **shared)), is_whole=True, facts=facts
    )


def _trafilatura(html: bytes, *, comments: bool, links: bool, tables: bool, favor: str) -> str:
    import trafilatura

    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    found = trafilatura.extract(
        html.decode("utf-8", "replace"),
        include_comments=comments,
        include_links=links,
        include_tables=tables,
        favor_precision=favor == "precision",
        favor_recall=favor == "recall",
    )
    return _lines(found or "")


def _lines(text: str) -> str:
    """Remove blank lines at both ends, spaces at line ends, and lone surrogates."""
    text = text.encode("utf-8", "replace").decode("utf-8")
    return "\n".join(map(str.rstrip, text.splitlines())).strip()
