"""Find the licences that a page names, with the place and the strength of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urljoin

import orjson

from builder.domain.reservations.licenses import license_of_text, license_of_url
from builder.domain.url import canonical_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from builder.stages.reserving.page_tags import PageTag

PLACES: Final = ("rel", "json_ld", "meta", "markup", "header", "footer_link", "link")
"""The places of a licence, the strongest first: the strength of ``rel`` is 7, that of ``link`` is 1."""

STRENGTHS: Final = {place: len(PLACES) - at for at, place in enumerate(PLACES)}

LICENSE_CONFLICT: Final = "conflict"

_META_NAMES: Final = frozenset(
    (
        *("dcterms.license", "dcterms.rights", "dc.rights", "dc.rights.license", "dc.license"),
        *("rights", "copyright", "license"),
    )
)
_PROPERTIES: Final = frozenset(
    (
        *("license", "cc:license", "dct:license", "dc:license"),
        *("dcterms:license", "dcterms.license", "xhv:license"),
    )
)
_TYPES: Final = ("Article", "Posting", "Page", "CreativeWork", "Recipe", "Review", "Report", "Book")
_MAX_NODES: Final = 2_000
_MAX_LEVELS: Final = 8


class FoundLicense(NamedTuple):
    """A licence: its normal form, its place, and the URL or text that names it."""

    name: str
    place: str
    url: str


def page_licenses(tags: Sequence[PageTag], headers: Mapping[str, str], url: str | None) -> list[FoundLicense]:
    """Return all licences that a page names, the strongest place first.

    Args:
        headers: response headers, names in lower case.
        url: the URL of the page, against which other URLs are resolved.
    """
    found = [*_in_tags(tags, url), *_in_header(headers.get("link") or "")]
    return sorted(found, key=lambda one: -STRENGTHS[one.place])


def choose_license(found: Sequence[FoundLicense]) -> FoundLicense | None:
    """Return the licence of the strongest place; ``conflict`` if that place names several.

    A licence without a version agrees with the same licence with one. The URL of a conflict is that of the
    first.

    >>> choose_license([FoundLicense("cc-by-4.0", "rel", "a"), FoundLicense("cc0-1.0", "link", "b")]).name
    'cc-by-4.0'
    >>> choose_license([FoundLicense("cc-by-4.0", "rel", "a"), FoundLicense("cc0-1.0", "rel", "b")]).name
    'conflict'
    """
    if not found:
        return None
    strongest = [one for one in found if one.place == found[0].place]
    best = max(strongest, key=lambda one: len(one.name))
    if all(one.name == best.name or _is_vague(one.name, best.name) for one in strongest):
        return best
    return strongest[0]._replace(name=LICENSE_CONFLICT)


def _is_vague(name: str, best: str) -> bool:
    """Return whether a name is another one without its version."""
    rest = best.removeprefix(f"{name}-")
    return rest != best and rest[:1].isdigit()


def _in_tags(tags: Sequence[PageTag], url: str | None) -> Iterator[FoundLicense]:
    for tag in tags:
        attributes = tag.attributes
        if tag.name == "script":
            if "ld+json" in attributes.get("type", "").lower() and "licen" in tag.content:
                yield from _in_json(tag.content, url)
            continue
        if tag.name == "meta":
            names = {attributes.get(key, "").strip().lower() for key in ("name", "property")}
            if names & _META_NAMES or names & _PROPERTIES:
                yield from _named(attributes.get("content", ""), "meta")
            elif _has_license(attributes.get("itemprop", "")):
                yield from _named(attributes.get("content", ""), "markup")
            continue
        href = attributes.get("href", "") or attributes.get("resource", "")
        if tag.name in ("a", "link") and "license" in attributes.get("rel", "").lower().split():
            is_strong = tag.name == "link" or tag.part != "elsewhere"
            yield from _linked(href, "rel" if is_strong else "markup")
        elif _has_license(f"{attributes.get('itemprop', '')} {attributes.get('property', '')}"):
            yield from _named(href or attributes.get("content", ""), "markup")
        elif tag.name == "a":
            yield from _linked(href, "footer_link" if tag.part == "footer" else "link")


def _has_license(properties: str) -> bool:
    return bool(_PROPERTIES & set(properties.lower().split()))


def _in_header(value: str) -> Iterator[FoundLicense]:
    for piece in value[:16_384].split("<")[1:]:
        address, _, parameters = piece.partition(">")
        if "license" in parameters.lower().split(";rel=")[-1] and "rel" in parameters.lower():
            yield from _linked(address, "header")


def _in_json(content: str, url: str | None) -> Iterator[FoundLicense]:
    try:
        written = orjson.loads(content.encode("utf-8", "replace"))
    except orjson.JSONDecodeError:
        return
    for node in _nodes(written):
        if not _describes_page(node, url):
            continue
        given = node.get("license")
        for one in given if isinstance(given, list) else [given]:
            if text := _address(one):
                yield from _named(text, "json_ld")


def _nodes(written: Any) -> Iterator[dict[str, Any]]:
    """Yield the objects of a script: the top ones, those of a graph, and main entities."""
    pending: list[tuple[Any, int]] = [(written, 0)]
    for n in range(_MAX_NODES):
        if n >= len(pending):
            return
        value, level = pending[n]
        if isinstance(value, list):
            pending += [(one, level) for one in value[:_MAX_NODES]]
        elif isinstance(value, dict):
            yield value
            if level < _MAX_LEVELS:
                pending += [(value[key], level + 1) for key in ("@graph", "mainEntity") if key in value]


def _describes_page(node: Mapping[str, Any], url: str | None) -> bool:
    """Return whether an object is a work, and is not one with the URL of another page."""
    kinds = node.get("@type")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if not any(isinstance(kind, str) and kind.endswith(_TYPES) for kind in kinds):
        return False
    own = canonical_url(url) if url else None
    named = [_address(node.get(key)) for key in ("url", "mainEntityOfPage")]
    known = [_canonical(one, url) for one in named if one and one.startswith(("http", "/"))]
    return own is None or not any(known) or own in known


def _address(value: Any) -> str | None:
    if isinstance(value, dict):
        value = value.get("url") or value.get("@id")
    return value if isinstance(value, str) else None


def _canonical(address: str, url: str | None) -> str | None:
    try:
        return canonical_url(urljoin(url or "", address.partition("#")[0]))
    except ValueError:
        return None


def _linked(href: str, place: str) -> Iterable[FoundLicense]:
    name = license_of_url(href)
    return [FoundLicense(name, place, _whole(href))] if name else []


def _named(text: str, place: str) -> Iterable[FoundLicense]:
    name = license_of_url(text) or license_of_text(text)
    return [FoundLicense(name, place, _whole(text))] if name else []


def _whole(href: str) -> str:
    href = href.strip()[:500]
    return f"https:{href}" if href.startswith("//") else href
