"""Write the blocks of a page next to its charts: tiles, checks, facts, texts, and texts side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from builder.charts.markup import Inner, document_text, element, foreign
from builder.charts.text_changes import ChangedParts, Run, changed_parts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from builder.charts.markup import Element

Verdict = Literal["good", "warn", "bad"]
_WORDS = {"good": "OK", "warn": "Look", "bad": "Fault"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One number that a reader sees first; ``note`` says what it is of."""

    name: str
    value: Inner
    note: Inner | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One question about a version, and its answer."""

    verdict: Verdict
    text: Inner


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSpan:
    """A part of a text in characters, which a stage removed or which differs."""

    start: int
    end: int


def tiles(found: Iterable[Tile]) -> Element:
    """Return the tiles as a list of names and values."""
    return element("dl", {"class": "tiles"}, *map(_tile, found))


def checks(found: Iterable[Finding]) -> Element:
    """Return the checks as a list; a word says the verdict, not only a colour."""
    return element("ul", {"class": "checks"}, *map(_check, found))


def facts(pairs: Iterable[tuple[str, Inner | None]]) -> Element:
    """Return short facts on one line that wraps; a fact without a value is left out."""
    shown = [
        element("div", None, element("dt", None, name), element("dd", None, value))
        for name, value in pairs
        if value is not None
    ]
    return element("dl", {"class": "facts"}, *shown)


def text_block(text: str, *, removed: Sequence[TextSpan] = (), left_out: int = 0) -> Element:
    """Return a text of strangers with its own direction.

    Args:
        removed: what a stage took out, in order and without overlap: struck out.
        left_out: number of characters that follow and are not shown.
    """
    content: list[Inner] = []
    at = 0
    for span in removed:
        content += [document_text(text[at : span.start])] if span.start > at else []
        content.append(element("del", None, document_text(text[span.start : span.end])))
        at = span.end
    content += [document_text(text[at:])] if at < len(text) else []
    if left_out:
        content.append(element("small", None, f" … {left_out:,} more characters"))
    return element("div", {"class": "text", "dir": "auto"}, *content)


def side_by_side(left: tuple[Inner, str], right: tuple[Inner, str], *, is_cut: bool = False) -> Element:
    """Return two texts next to each other, or below each other on a phone; differences are marked.

    Args:
        left: heading and text; what only this text has is marked as removed.
        right: heading and text; what only this text has is marked as added.
        is_cut: whether the texts go on. Then their ends are not marked, because they differ by the cut.
    """
    parts = changed_parts(left[1], right[1])
    if is_cut:
        parts = ChangedParts(old=_end_unmarked(parts.old), new=_end_unmarked(parts.new))
    sides = []
    for (heading, _), tag, runs in ((left, "del", parts.old), (right, "ins", parts.new)):
        content = [
            element(tag, None, document_text(run.text)) if run.differs else document_text(run.text)
            for run in runs
        ]
        text = element("div", {"class": "text", "dir": "auto"}, *content, " …" if is_cut else None)
        sides.append(element("div", None, element("p", {"class": "note"}, heading), text))
    return element("div", {"class": "pair"}, *sides)


def _end_unmarked(runs: Sequence[Run]) -> tuple[Run, ...]:
    return (*runs[:-1], Run(text=runs[-1].text, differs=False)) if runs else ()


def disclosure(name: str, *content: Inner, count: int | None = None) -> Element:
    """Return content that opens on demand, and that is printed."""
    number = None if count is None else element("span", {"class": "count"}, f" ({count:,})")
    return element("details", None, element("summary", None, name, number), *content)


def url_text(url: str | None) -> Element | None:
    """Return the URL of a page as text; a report never links to the pages of strangers."""
    return None if url is None else foreign(url)


def _tile(tile: Tile) -> Element:
    note = element("small", None, tile.note) if tile.note else None
    return element("div", None, element("dt", None, tile.name), element("dd", None, tile.value, note))


def _check(check: Finding) -> Element:
    word = element("span", {"class": f"word {check.verdict}"}, _WORDS[check.verdict])
    return element("li", None, word, element("span", None, check.text))
