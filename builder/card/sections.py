"""Which parts of a card are ours, and how a new card takes over what people wrote in an old one.

What stands between ``<!-- builder:begin NAME -->`` and ``<!-- builder:end NAME -->`` is made by each version
anew. All else was written by people and stays, to the letter and in its place.
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
"""Keys of the front matter that the recipe and the build decide; ``tags`` is of both."""

_PART = re.compile(
    r"^<!-- builder:begin (?P<name>[a-z_]+) -->\n(?:(?!<!-- builder:begin ).*\n)*?"
    r"<!-- builder:end (?P=name) -->\n",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A run of lines of a card; ``name`` is None where people wrote it."""

    name: str | None
    text: str


def sections(body: str) -> list[Section]:
    r"""Cut a card's body into our parts and what people wrote; together they are the body.

    A part that has lost its beginning or its end counts as written by people, and so does the second part
    of a name: rather told twice than lost.

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
    """Put the new version's parts into a card that people have edited; what they wrote stays.

    A part that the old card does not have goes behind the one that precedes it in the new card; a part that
    the new card does not have goes away. Of the front matter, ``OWN_KEYS`` come from the new card, ``tags``
    from both, all else from the old one. An old card without our marks stays whole, below our parts.

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
    """Put some parts of a new card into an old one, and one more behind the first of them; all else stays.

    Of the front matter, ``OWN_KEYS`` come from the new card.
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
