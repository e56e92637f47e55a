"""Read the facts of a page from its head and JSON-LD: title, author, date and language."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from builder.domain.html_tags import tags
from builder.stages.extraction.linked_data import author_of, linked_data

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_CHARS = 1000
"""Maximum length of a title or author; longer values are cut."""

_TITLE = ("og:title", "twitter:title", "dc.title", "dcterms.title", "<title>")
_AUTHOR = ("author", "article:author", "dc.creator", "dcterms.creator", "parsely-author", "sailthru.author")
_DATE = (
    "article:published_time",
    "og:published_time",
    "datepublished",
    "date",
    "dc.date.issued",
    "dcterms.issued",
    "dcterms.created",
    "dc.date",
    "dcterms.date",
    "parsely-pub-date",
    "sailthru.date",
    "pubdate",
    "publishdate",
    "publish-date",
    "citation_publication_date",
)
_LANGUAGE = ("<html>", "content-language", "og:locale", "dc.language")
_LANGUAGE_TAG = re.compile(r"([A-Za-z]{2,3})((?:[-_][A-Za-z0-9]{1,8})*)")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_YEAR_FIRST = re.compile(r"(\d{4})[-/.]?(\d{1,2})[-/.]?(\d{1,2})(?!\d)")
_DAY_MONTH = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?[\s.-]+([A-Za-z]{3})[a-z]*\.?,?[\s-]+(\d{4})(?!\d)")
_MONTH_DAY = re.compile(r"([A-Za-z]{3})[a-z]*\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})(?!\d)")
_BETWEEN = r"\s*(?:[|·•»«:/~]|\s[-–—])\s+"
_HEAD_BYTES = 1 << 18
_TITLE_TEXT = re.compile(rb"<title(?:\s[^>]*)?>([^<]{0,4096})", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFacts:
    """The facts that a page contains; None if the page has no value, or one that cannot be parsed."""

    title: str | None = None
    author: str | None = None
    date: date | None = None
    language: str | None = None
    canonical_url: str | None = None
    license_url: str | None = None
    robots: str | None = None


def page_facts(page: bytes) -> PageFacts:
    """Read the facts from the UTF-8 bytes of a page.

    The title comes from ``og:title``, else from ``<title>``; the name of the site (``og:site_name``) at the
    beginning or end of the title is removed. Author and date come from ``<meta>``, else from JSON-LD. The
    language comes from ``<html lang>``, else from ``<meta>``. A URL is not used as an author.

    >>> page_facts(b"<html lang=en-gb><title>Bridge &amp; river</title>").title
    'Bridge & river'
    """
    return facts_of(_head(page[:_HEAD_BYTES]), *linked_data(page))


def facts_of(meta: dict[str, str], linked: list[dict[str, Any]], names: dict[str, Any]) -> PageFacts:
    """Return the facts that the head of a page and its JSON-LD give.

    Args:
        meta: the content of each ``<meta>`` by its name in lower case, ``<title>``, ``<html>`` (its
            language), ``<canonical>`` and ``<license>`` (addresses of links).
        linked: JSON-LD objects that describe the page.
        names: names of JSON-LD objects by ``@id``.
    """
    title = _first(map(_text, _contents(meta, _TITLE)))
    return PageFacts(
        title=_without_site(title, _text(meta.get("og:site_name"))),
        author=_first(map(name_of, _contents(meta, _AUTHOR)))
        or _first(name_of(author_of(item.get("author"), names)) for item in linked),
        date=_first(map(read_date, _contents(meta, _DATE)))
        or _first(read_date(item.get("datePublished")) for item in linked),
        language=_first(map(language_tag, _contents(meta, _LANGUAGE))),
        canonical_url=_text(meta.get("<canonical>")),
        license_url=_text(meta.get("<license>")),
        robots=_text(meta.get("robots")),
    )


def read_date(value: object) -> date | None:
    """Parse a date in one of the common forms; return None if day and month cannot be distinguished.

    >>> read_date("2018-10-09T08:00:00+01:00"), read_date("October 9th, 2018"), read_date("9/10/2018")
    (datetime.date(2018, 10, 9), datetime.date(2018, 10, 9), None)
    """
    if not isinstance(value, str):
        return None
    value = value.strip()[:100]
    if found := _YEAR_FIRST.match(value):
        return _day(found[1], found[2], found[3])
    if found := _DAY_MONTH.search(value):
        return _day(found[3], _month(found[2]), found[1])
    if found := _MONTH_DAY.search(value):
        return _day(found[3], _month(found[1]), found[2])
    return None


def language_tag(value: str | None) -> str | None:
    """Return a language tag with the recommended case of its parts (RFC 5646, section 2.1.1), or None.

    >>> language_tag(" EN_us "), language_tag("zh-hant-TW"), language_tag("english")
    ('en-US', 'zh-Hant-TW', None)
    """
    found = _LANGUAGE_TAG.fullmatch((value or "").split(",")[0].strip())
    if found is None:
        return None
    parts = [found[1].lower()]
    for part in re.split("[-_]", found[2])[1:]:
        shaped = {2: part.upper(), 4: part.title()}.get(len(part), part.lower())
        parts.append(shaped if part.isalpha() else part.lower())
    return "-".join(parts)


def _day(year: str, month: str, day: str) -> date | None:
    try:
        found = date(int(year), int(month), int(day))
    except ValueError:
        return None
    return found if found.year >= 1000 else None


def _month(name: str) -> str:
    name = name.lower()
    return str(_MONTHS.index(name) + 1) if name in _MONTHS else "0"


def _contents(meta: dict[str, str], names: tuple[str, ...]) -> list[str]:
    """List the contents of the names that the page has, in the order of ``names``."""
    return [meta[name] for name in names if name in meta]


def _first(values: Iterator[Any]) -> Any:
    return next((value for value in values if value), None)


def _text(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    return " ".join(value.split())[:_MAX_CHARS].encode("utf-8", "replace").decode("utf-8") or None


def name_of(value: object) -> str | None:
    """Return a string as the name of a person; None if it is a URL or an account name."""
    text = _text(value)
    return None if text is None or "://" in text or text.startswith(("@", "/", "www.")) else text


def _without_site(title: str | None, site: str | None) -> str | None:
    """Remove the name of the site from the beginning or end of a title."""
    if title is None or site is None:
        return title
    place = re.escape(site)
    kept = re.sub(rf"{_BETWEEN}{place}\Z|\A{place}{_BETWEEN}", "", title, flags=re.IGNORECASE)
    return kept or title


def _head(head: bytes) -> dict[str, str]:
    """Return the first non-blank content of each ``<meta>``, by its name in lower case."""
    found: dict[str, str] = {}
    for name, attributes in tags(head, wanted=(b"html", b"meta", b"body")):
        if name == b"body":
            break
        if name == b"meta" and (content := value_of(attributes.get(b"content"))):
            add_meta(found, attributes, content)
        elif name == b"html":
            found.setdefault("<html>", value_of(attributes.get(b"lang") or attributes.get(b"xml:lang")))
    if title := _TITLE_TEXT.search(head):
        found["<title>"] = value_of(title[1])
    return found


def add_meta(found: dict[str, str], attributes: dict[bytes, bytes], content: str) -> None:
    """Add the content of a ``<meta>`` under each of its names that has none yet."""
    for attribute in (b"property", b"name", b"itemprop", b"http-equiv"):
        if key := attributes.get(attribute):
            found.setdefault(value_of(key).lower(), content)


def value_of(raw: bytes | None) -> str:
    """Return the value of an attribute as text."""
    return html.unescape((raw or b"").decode("utf-8", "replace")).strip()
