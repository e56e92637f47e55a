"""Slow twin of the kernel that finds notable tags, in plain Python with regular expressions."""

import re

from builder.kernels.html.notable import ARTICLE, ELSEWHERE, FOOTER, HEAD, KEYWORDS, MAX_NOTABLE

KINDS = {b"meta": 1, b"link": 2, b"script": 3, b"a": 4}
RAW = (b"script", b"style", b"title", b"textarea")
NAME = re.compile(rb"<(/?)([A-Za-z0-9]+)")


def notable(page):
    """Return the rows of all notable tags of a page."""
    rows, at, in_head, footers, articles = [], 0, False, 0, 0
    while len(rows) < MAX_NOTABLE:
        at = page.find(b"<", at)
        if at < 0 or at + 1 >= len(page):
            break
        if page.startswith(b"<!--", at):
            end = page.find(b"-->", at + 2)  # the hyphens of ``<!-->`` and ``<!--->`` count twice
            at = end + 3 if end >= 0 else len(page)
            continue
        found = NAME.match(page, at)
        if not found:
            at += 1
            continue
        closes, name = bool(found[1]), found[2].lower()
        stop = end_of_tag(page, found.end())
        step = -1 if closes else 1
        if name == b"head":
            in_head = not closes
        elif name == b"body":
            in_head = False
        elif name == b"footer":
            footers = max(0, footers + step)
        elif name in (b"article", b"main"):
            articles = max(0, articles + step)
        if closes:
            at = stop
            continue
        content = stop
        if name in RAW:
            end = re.compile(rb"</" + name, re.IGNORECASE).search(page, stop)
            content = end.start() if end else len(page)
        words = KEYWORDS if name == b"meta" else KEYWORDS[:4] if name == b"script" else KEYWORDS[:2]
        inside = page[found.end() : stop].lower()
        if any(word.encode() in inside for word in words):
            part = HEAD if in_head else FOOTER if footers else ARTICLE if articles else ELSEWHERE
            rows.append([at, stop, content, KINDS.get(name, 0), part])
        at = content
    return rows


def end_of_tag(page, at):
    """Return the position after the tag."""
    after_equals = False
    while at < len(page):
        char = page[at : at + 1]
        if char == b">":
            return at + 1
        if after_equals and char in (b'"', b"'"):
            end = page.find(char, at + 1)
            if end < 0:
                return len(page)
            at, after_equals = end, False
        elif char == b"=":
            after_equals = True
        elif not char.isspace():
            after_equals = False
        at += 1
    return len(page)
