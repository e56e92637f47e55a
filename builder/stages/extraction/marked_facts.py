"""Read the facts of a page from the tags that the kernel marked while it read the text."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from builder.domain.html_tags import tag_attributes
from builder.kernels.html.layout import M_END, M_START, M_TAG, MARKS, TITLE_END, TITLE_START
from builder.kernels.html.vocabulary import TAGS
from builder.stages.extraction.linked_data import linked_data_at
from builder.stages.extraction.page_facts import add_meta, facts_of, name_of, read_date, value_of

if TYPE_CHECKING:
    from builder.kernels.html.layout import ParsedPage
    from builder.stages.extraction.page_facts import PageFacts

_META, _LINK, _HTML, _SCRIPT, _A = (TAGS[name] for name in ("meta", "link", "html", "script", "a"))
_ALWAYS = (_META, _HTML)
_MAX_TITLE_BYTES = 4096
_MAX_NAME_BYTES = 1024
_MAX_NAME_CHARS = 100
_TAG = re.compile(rb"<(/?)([A-Za-z][^\s/>]*)")
_MARKUP = re.compile(r"<[^>]*>?")

_Tag = tuple[int, dict[bytes, bytes], int]
"""An element: its tag, its attributes, and the position after its start tag."""


def marked_facts(page_bytes: bytes, page: ParsedPage) -> PageFacts:
    """Return title, author, date, language, canonical URL, licence and robots of a page that was parsed."""
    marked = _marked(page_bytes, page)
    meta: dict[str, str] = {}
    for tag, attributes, _ in marked:
        if tag == _META and (content := value_of(attributes.get(b"content"))):
            add_meta(meta, attributes, content)
        elif tag == _HTML:
            meta.setdefault("<html>", value_of(attributes.get(b"lang") or attributes.get(b"xml:lang")))
        elif tag in (_LINK, _A):
            for relation in attributes.get(b"rel", b"").lower().split():
                is_known = relation == b"license" or (relation == b"canonical" and tag == _LINK)
                if is_known and (address := value_of(attributes.get(b"href"))):
                    meta.setdefault(f"<{relation.decode()}>", address)
    title = page_bytes[int(page.state[TITLE_START]) : int(page.state[TITLE_END])][:_MAX_TITLE_BYTES]
    if title := title.strip():
        meta["<title>"] = value_of(title)
    scripts = [end for tag, _, end in marked if tag == _SCRIPT]
    facts = facts_of(meta, *linked_data_at(page_bytes, scripts))
    return _from_body(facts, page_bytes, marked)


def _marked(page_bytes: bytes, page: ParsedPage) -> list[_Tag]:
    found: list[_Tag] = []
    for row in page.marks[: page.state[MARKS]].tolist():
        tag, start, end = row[M_TAG], row[M_START], row[M_END]
        raw = page_bytes[start:end]
        if tag in _ALWAYS:
            found.append((tag, tag_attributes(raw), end))
        elif tag == _SCRIPT:
            found.append((tag, {}, end))
        elif _can_hold_a_fact(raw):
            found.append((tag, tag_attributes(raw), end))
    return found


def _can_hold_a_fact(raw: bytes) -> bool:
    """Return whether attributes are worth reading; most tags with ``rel`` or ``itemprop`` hold no fact."""
    return (
        b"author" in raw
        or (b"itemprop" in raw and (b"name" in raw or b"datePublished" in raw))
        or b"license" in raw
        or b"canonical" in raw
        or b"pubdate" in raw
    )


def _from_body(facts: PageFacts, page_bytes: bytes, marked: list[_Tag]) -> PageFacts:
    """Fill in author and date from microdata and links, if the head has none. The first match counts."""
    if facts.author is None:
        facts = replace(facts, author=_author(page_bytes, marked))
    if facts.date is None:
        facts = replace(facts, date=next(filter(None, map(read_date, _dates(page_bytes, marked))), None))
    return facts


def _author(page_bytes: bytes, marked: list[_Tag]) -> str | None:
    """Return the name in the first element of an author, the text of that, or of the first ``rel=author``."""
    for place, (_, attributes, end) in enumerate(marked):
        if b"author" not in attributes.get(b"itemprop", b"").split():
            continue
        stop = _end_of_element(page_bytes, end)
        for _, inner, inner_end in marked[place + 1 :]:
            if inner_end > stop:
                break
            if b"name" in inner.get(b"itemprop", b"").split():
                return _short(_content(page_bytes, inner, inner_end))
        if name := _short(_content(page_bytes, attributes, end)):
            return name
        break
    for _, attributes, end in marked:
        if b"author" in attributes.get(b"rel", b"").split():
            return _short(_content(page_bytes, attributes, end))
    return None


def _dates(page_bytes: bytes, marked: list[_Tag]) -> list[str]:
    published = [
        (attributes, end)
        for _, attributes, end in marked
        if b"datePublished" in attributes.get(b"itemprop", b"").split() or b"pubdate" in attributes
    ]
    return [
        value_of(attributes.get(b"datetime")) or _content(page_bytes, attributes, end)
        for attributes, end in published[:1]
    ]


def _content(page_bytes: bytes, attributes: dict[bytes, bytes], end: int) -> str:
    """Return the content of an element: its attribute, else its text."""
    if content := value_of(attributes.get(b"content")):
        return content
    text = page_bytes[end : min(_end_of_element(page_bytes, end), end + _MAX_NAME_BYTES)]
    return html.unescape(_MARKUP.sub("", text.decode("utf-8", "replace")))


def _end_of_element(page_bytes: bytes, start: int) -> int:
    """Return where the element ends whose start tag ends at ``start``, at most ``_MAX_NAME_BYTES`` later."""
    name = re.search(rb"<([A-Za-z][^\s/>]*)[^<]*\Z", page_bytes[max(0, start - _MAX_NAME_BYTES) : start])
    if name is None:
        return start
    depth, own = 1, name[1].lower()
    for found in _TAG.finditer(page_bytes, start, start + _MAX_NAME_BYTES):
        if found[2].lower() == own:
            depth += -1 if found[1] else 1
        if depth == 0:
            return found.start()
    return min(start + _MAX_NAME_BYTES, len(page_bytes))


def _short(value: str) -> str | None:
    name = name_of(value)
    return name if name and len(name) <= _MAX_NAME_CHARS else None
