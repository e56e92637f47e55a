"""Write the main text of a page as Markdown (CommonMark, with the tables of GitHub)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from builder.kernels.html.layout import B_END, B_NODE, B_START, N_FLAGS, N_PARENT, N_TAG, PRE
from builder.kernels.html.vocabulary import TAGS
from builder.stages.extraction.links import with_addresses

if TYPE_CHECKING:
    from collections.abc import Iterator

    from builder.kernels.html.layout import ParsedPage
    from builder.stages.extraction.links import BlockLinks

_HEADINGS = {TAGS[f"h{level}"]: level for level in range(1, 7)}
_LI, _OL, _DD, _QUOTE, _TABLE, _TR = (TAGS[name] for name in ("li", "ol", "dd", "blockquote", "table", "tr"))
_CELLS = (TAGS["td"], TAGS["th"])
_MARKUP = re.compile(
    r"[\\`*\[\]]|(?<!\w)_|_(?!\w)|<(?=[A-Za-z/!?])|&(?=#?\w+;)|(?<=~)~"
    r"|^(?:#{1,6}(?=\s|$)|[-+](?=\s)|>|=+$|-{3,}$)|(?<=^\d)[.)](?=\s)|(?<=^\d\d)[.)](?=\s)",
    re.MULTILINE,
)
_BACKTICKS = re.compile("`+")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where a block is in the page.

    Attributes:
        around: quotes and list items around it, from the outside: ``(tag, node, number or 0)``.
        code: the outermost ``<pre>`` around it, 0 without one.
        table: the innermost table around it, 0 without one; with ``row`` and ``cell``.
    """

    text: bytes
    links: list[tuple[int, int, str]]
    heading: int
    around: tuple[tuple[int, int, int], ...]
    code: int
    table: int
    row: int
    cell: int

    @property
    def unit(self) -> tuple[int, int]:
        """What is written together: the blocks of a table, or of a ``<pre>``."""
        return (self.table, self.code)


def write_markdown(page: ParsedPage, chosen: list[int], links: BlockLinks) -> str:
    """Return the chosen blocks as Markdown.

    Characters that Markdown reads as markup are escaped once, and none in code.
    """
    numbers: dict[int, list[int]] = {}
    places = [_place(page, block, links.get(block, []), numbers) for block in chosen]
    lines: list[str] = []
    open_items: tuple[tuple[int, int, int], ...] = ()
    was_item = False
    for (table, code), group in groupby(places, key=lambda place: place.unit):
        for around, body in _bodies(list(group), table=table, code=code):
            in_item = any(tag == _LI for tag, _, _ in around)
            is_tight = was_item and in_item and "\n" not in body
            if lines and not is_tight:
                lines.append(_prefix(_shared(open_items, around), _shared(open_items, around)).rstrip())
            lines += _prefixed(body, around, open_items)
            open_items, was_item = around, in_item
    return "\n".join(lines)


def _place(
    page: ParsedPage, block: int, links: list[tuple[int, int, str]], numbers: dict[int, list[int]]
) -> _Place:
    row = page.blocks[block]
    node = int(row[B_NODE])
    heading = _HEADINGS.get(int(page.nodes[node, N_TAG]), 0)
    around: list[tuple[int, int, int]] = []
    code = table = table_row = cell = 0
    while node:
        tag, parent = int(page.nodes[node, N_TAG]), int(page.nodes[node, N_PARENT])
        if page.nodes[node, N_FLAGS] & PRE:
            code = node
        if not table:
            cell = node if tag in _CELLS and not cell else cell
            table_row = node if tag == _TR and not table_row else table_row
            table = node if tag == _TABLE and table_row and cell else 0
        if tag == _LI:
            is_numbered = int(page.nodes[parent, N_TAG]) == _OL
            around.append((tag, node, _number(numbers, parent, node) if is_numbered else 0))
        elif tag in (_QUOTE, _DD):
            around.append((tag, node, 0))
        node = parent
    return _Place(
        text=page.out[row[B_START] : row[B_END]].tobytes(),
        links=links,
        heading=heading,
        around=tuple(reversed(around)),
        code=code,
        table=table,
        row=table_row,
        cell=cell,
    )


def _number(numbers: dict[int, list[int]], parent: int, item: int) -> int:
    """Return the number of an item among the chosen items of its list."""
    items = numbers.setdefault(parent, [])
    if item not in items[-1:]:
        items.append(item)
    return len(items)


def _bodies(
    group: list[_Place], *, table: int, code: int
) -> Iterator[tuple[tuple[tuple[int, int, int], ...], str]]:
    """Yield the pieces that are apart by a blank line, without the marks of quotes and lists."""
    if code:
        text = "\n".join(place.text.decode("utf-8", "replace") for place in group)
        fence = "`" * max([3, *(len(run) + 1 for run in _BACKTICKS.findall(text))])
        yield group[0].around, f"{fence}\n{text}\n{fence}"
        return
    rows = [list(row) for _, row in groupby(group, key=lambda place: place.row)]
    cells = [[_cell(list(cell)) for _, cell in groupby(row, key=lambda place: place.cell)] for row in rows]
    if table and len(cells) > 1 and max(map(len, cells)) > 1:
        yield group[0].around, _table(cells)
        return
    for place in group:
        text = _inline(place)
        if place.heading:
            text = "#" * place.heading + " " + " ".join(text.split("\n"))
        yield place.around, text.replace("\n", "  \n")


def _cell(places: list[_Place]) -> str:
    return " ".join(" ".join(map(_inline, places)).split()).replace("|", "\\|")


def _table(cells: list[list[str]]) -> str:
    width = max(map(len, cells))
    lines = ["| " + " | ".join([*row, *[""] * (width - len(row))]) + " |" for row in cells]
    return "\n".join([lines[0], "|" + " --- |" * width, *lines[1:]])


def _inline(place: _Place) -> str:
    """Return the text of a block with its links, escaped."""
    written = []
    for piece, address in with_addresses(place.text, place.links):
        text = _MARKUP.sub(r"\\\g<0>", piece.decode("utf-8", "replace"))
        if address:
            target = address.replace("(", "%28").replace(")", "%29").replace("<", "%3C").replace(">", "%3E")
            text = f"[{text}]({target})"
        written.append(text)
    return "".join(written)


def _shared(
    before: tuple[tuple[int, int, int], ...], now: tuple[tuple[int, int, int], ...]
) -> tuple[tuple[int, int, int], ...]:
    """Return the quotes and items around both of two pieces."""
    n_shared = 0
    for one, other in zip(before, now, strict=False):
        if one[1] != other[1]:
            break
        n_shared += 1
    return now[:n_shared]


def _prefixed(
    body: str, around: tuple[tuple[int, int, int], ...], before: tuple[tuple[int, int, int], ...]
) -> list[str]:
    """Return the lines of a piece with the marks of quotes and items; an item has one at its first piece."""
    first, *others = body.split("\n")
    indent = _prefix(around, around)
    return [
        _prefix(around, _shared(before, around)) + first,
        *(indent + line if line else indent.rstrip() for line in others),
    ]


def _prefix(around: tuple[tuple[int, int, int], ...], open_items: tuple[tuple[int, int, int], ...]) -> str:
    prefix = ""
    for level, (tag, _, number) in enumerate(around):
        if tag == _QUOTE:
            prefix += "> "
        elif tag == _LI:
            mark = f"{number}. " if number else "- "
            prefix += " " * len(mark) if level < len(open_items) else mark
        else:
            prefix += "  " if level < len(open_items) else ": "
    return prefix
