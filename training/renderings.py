"""Turn labelled HTML pages into pages of plain text, as three converters write them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import bs4
import html_text
import inscriptis
from lxml.etree import LxmlError

from training.pages import gold_pages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CONVERTERS = ("html-text", "inscriptis", "beautifulsoup")


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPage:
    """A page as plain text, and the text that people marked as its main text."""

    id: str
    source: str
    kind: str
    domain: str
    converter: str
    text: str
    gold: str


def _beautifulsoup(html: str) -> str:
    soup = bs4.BeautifulSoup(html, "lxml")
    for element in soup(["script", "style", "noscript", "template"]):
        element.decompose()
    return soup.get_text(" ", strip=True)


_WRITERS: dict[str, Callable[[str], str]] = {
    "html-text": html_text.extract_text,
    "inscriptis": inscriptis.get_text,
    "beautifulsoup": _beautifulsoup,
}


def text_pages(folder: Path) -> Iterator[TextPage]:
    """Read a training set as plain text: the texts that it holds, or renderings of its pages.

    A page that a converter cannot read is left out. So is a page with labelled blocks: it has no gold text.
    """
    listed = folder / "pages.jsonl"
    if listed.exists():
        yield from _listed(listed, folder.name)
        return
    for page in gold_pages(folder):
        if page.n_labellers:
            continue
        html = page.html.decode("utf-8", "replace").replace("\x00", "")
        for name, write in _WRITERS.items():
            try:
                text = write(html)
            except (LxmlError, ValueError, AssertionError, RecursionError):
                continue
            if text.strip():
                yield TextPage(
                    id=page.id,
                    source=folder.name,
                    kind=page.kind,
                    domain=urlsplit(page.url).netloc or page.id,
                    converter=name,
                    text=text,
                    gold=page.gold,
                )


def _listed(path: Path, source: str) -> Iterator[TextPage]:
    for line in filter(None, path.read_text("utf-8").split("\n")):
        row = json.loads(line)
        for name in CONVERTERS:
            yield TextPage(
                id=row["id"],
                source=source,
                kind="article",
                domain=urlsplit(row["url"]).netloc or row["id"] if row.get("url") else row["id"],
                converter=name,
                text=row[name],
                gold=row["gold"],
            )
