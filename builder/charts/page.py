"""Write a page as one file: no script, no request, and styles that only their hash allows."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from builder.charts.markup import Inner, Markup, element
from builder.charts.sheet import colour_rules, series_rules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from builder.charts.markup import Element


GENERATOR = "builder "
"""What begins the metadata ``generator`` of a page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PagePart:
    """One part of a page.

    Attributes:
        key: the place in the page that links name: letters, digits and hyphens.
        look_for: one sentence on what to look for.
        content: headings inside begin at ``h3``.
    """

    key: str
    title: str
    look_for: str
    content: tuple[Inner, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HtmlPage:
    """A page with its title, a line below it, and its sections in order.

    ``kind`` is for programs: what the page is, in words that the page's metadata has.
    """

    title: Inner
    window_title: str
    lead: Inner
    sections: Sequence[PagePart]
    footer: Inner
    kind: str = "page"


def render_page(page: HtmlPage) -> str:
    """Return the page as HTML."""
    styles = _styles()
    body = element(
        "body",
        None,
        element("a", {"class": "skip", "href": "#main"}, "Skip to the content"),
        element(
            "header",
            {"class": "top"},
            element("h1", None, page.title),
            element("p", {"class": "lead"}, page.lead),
            _contents(page.sections),
        ),
        element("main", {"id": "main", "tabindex": "-1"}, *map(_part, page.sections)),
        element("footer", None, page.footer),
    )
    head = element(
        "head",
        None,
        element("meta", {"charset": "utf-8"}),
        element("meta", {"http-equiv": "Content-Security-Policy", "content": _policy(styles)}),
        element("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}),
        element("meta", {"name": "generator", "content": f"{GENERATOR}{page.kind}"}),
        element("meta", {"name": "referrer", "content": "no-referrer"}),
        element("meta", {"name": "robots", "content": "noindex"}),
        element("title", None, page.window_title),
        element("style", None, Markup(styles)),
    )
    return f"<!DOCTYPE html>\n{element('html', {'lang': 'en'}, head, body)}\n"


@cache
def _styles() -> str:
    sheet = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
    return f"\n{colour_rules()}{series_rules()}{sheet}"


def _policy(styles: str) -> str:
    """Allow this one style sheet and nothing else."""
    digest = base64.b64encode(hashlib.sha256(styles.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _contents(sections: Sequence[PagePart]) -> Element | None:
    if len(sections) < 2:
        return None
    links = [element("li", None, element("a", {"href": f"#{one.key}"}, one.title)) for one in sections]
    return element("nav", {"aria-label": "Contents"}, element("ul", None, *links))


def _part(section: PagePart) -> Element:
    return element(
        "section",
        {"class": "part", "id": section.key, "aria-labelledby": f"{section.key}-heading"},
        element("h2", {"id": f"{section.key}-heading"}, section.title),
        element("p", {"class": "look"}, element("b", None, "Look for: "), section.look_for),
        *section.content,
    )
