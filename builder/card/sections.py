"""Split a card into generated parts and text of people, and merge a new card into an old one.

Each version rewrites the parts between ``<!-- builder:begin NAME -->`` and ``<!-- builder:end NAME -->``.
People wrote all other text; it is kept unchanged and in its place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from builder.card.front_matter import read_front_matter, split_front_matter, write_front_matter

if TYPE_CHECKING:
    from collections.abc import Sequence

OWN_KEYS = frozenset(
    {
        "license",
        "license_name",
        "license_link",
        "language",
        "pretty_name",
        "size_categories",
        "configs",
        "dataset_info",
    }
)
"""Front matter keys that the recipe and the build set; ``tags`` is merged from both cards."""

_PART = re.compile(
    r"^<!-- builder:begin (?P<name>[a-z_]+) -->\n(?:(?!<!-- builder:begin ).*\n)*?"
    r"<!-- builder:end (?P=name) -->\n",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Consecutive lines of a card; ``name`` is None if people wrote them."""

    name: str | None
    text: str


def sections(body: str) -> list[Section]:
    r"""Split a card's body into generated parts and text of people; joined, they are the body.

    A part without its beginning or its end counts as text of people. So does a second part of the same
    name: text may appear twice, but it is never lost.

    >>> [s.name for s in sections("hello\n<!-- builder:begin what -->\n# T\n<!-- builder:end what -->\n")]
    [None, 'what']
    """
    if body and not body.endswith("\n"):
        body += "\n"
    found: list[Section] = []
    at = 0
    seen: set[str] = set()
    for match in _PART.finditer(body):
        if match["name"] in seen:
            continue
        seen.add(match["name"])
        if match.start() > at:
            found.append(Section(name=None, text=body[at : match.start()]))
        found.append(Section(name=match["name"], text=match[0]))
        at = match.end()
    if at < len(body):
        found.append(Section(name=None, text=body[at:]))
    return found


def merge_cards(old: str, new: str) -> str:
    """Merge the generated parts of a new card into an old card that people have edited.

    The text of people is kept. A part that is only in the new card is inserted after the part that precedes
    it there. A part that is only in the old card is removed. ``OWN_KEYS`` of the front matter come from the
    new card, ``tags`` from both, all other keys from the old card. An old card without markers is kept
    whole, below the generated parts.

    Raises:
        BuilderError: if the front matter of the old card cannot be read.
    """
    old_front, old_body = split_front_matter(old)
    _, new_body = split_front_matter(new)
    front = read_front_matter(new)
    if old_front is not None and old_front.strip():
        front = _merge_front(read_front_matter(old), front)
    return write_front_matter(front) + _merge_bodies(sections(old_body), sections(new_body))


def amend_card(old: str, new: str, *, parts: Sequence[str], name: str, text: str) -> str:
    """Replace some parts of an old card by those of a new card, and insert one part after the first.

    All other text is kept. ``OWN_KEYS`` of the front matter come from the new card.

    Args:
        parts: names of the parts to replace.
        name: name of the part to insert.
        text: text of the part to insert.
    """
    old_front, old_body = split_front_matter(old)
    _, new_body = split_front_matter(new)
    front = read_front_matter(new)
    if old_front is not None and old_front.strip():
        front = _merge_front(read_front_matter(old), front)
    fresh = {one.name: one.text for one in sections(new_body) if one.name in parts}
    said = f"<!-- builder:begin {name} -->\n{text}\n<!-- builder:end {name} -->\n"
    there = [one for one in sections(old_body) if one.name != name]
    pieces = [fresh.get(one.name, "" if one.name in parts else one.text) for one in there]
    at = next((i + 1 for i, one in enumerate(there) if one.name in parts), 0)
    pieces.insert(at, f"\n{said}" if at else said)
    return write_front_matter(front) + "".join(pieces)


def _merge_front(old: dict[str, object], new: dict[str, object]) -> dict[str, object]:
    theirs = {key: value for key, value in old.items() if key not in OWN_KEYS and key != "tags"}
    tags = [tag for card in (new, old) if isinstance(found := card.get("tags"), list) for tag in found]
    return {**new, "tags": list(dict.fromkeys(map(str, tags))), **theirs}


def _merge_bodies(old: list[Section], new: list[Section]) -> str:
    ours = {section.name: section.text for section in new if section.name}
    kept = [
        Section(name=section.name, text=ours[section.name] if section.name else section.text)
        for section in old
        if section.name is None or section.name in ours
    ]
    at = 0
    for name, text in ours.items():
        place = next((i for i, section in enumerate(kept) if section.name == name), None)
        if place is None:
            kept.insert(at, Section(name=name, text=text + "\n"))
            place = at
        at = place + 1
    return "".join(section.text for section in kept)
