"""Read terms of Really Simple Licensing (RSL 1.0) that are in a page; terms elsewhere are only linked."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Final

from builder.domain.reservations.path_patterns import matches_path, normal_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from builder.domain.reservations.signal import UseAnswer

RSL_TYPE: Final = "application/rsl+xml"
_MAX_CHARS: Final = 1 << 16
_FREE_PAYMENTS: Final = frozenset(("free", "attribution"))


def rsl_answer(xml: str, path: str, usages: frozenset[str]) -> tuple[UseAnswer, str] | None:
    """Return what inline terms say about a path, and the element that says it; None if they cannot be read.

    Terms that permit other usages do not permit this one. A usage that is permitted for a payment is not
    permitted to somebody who has not paid.

    Args:
        usages: the usages of RSL that the policy asks about.
    """
    xml = xml.strip()
    if len(xml) > _MAX_CHARS or "<!" in xml.replace("<!--", "").replace("<![CDATA[", ""):
        return None
    try:
        root = ET.fromstring(xml)
    except ET.ParseError:
        return None
    answers = [
        _license_answer(terms, usages)
        for content in _named(root, "content")
        if _covers(content.get("url") or "/", path)
        for terms in _named(content, "license")
    ]
    if not answers:
        return "unknown", "content"
    return min(answers, key=lambda one: ("no", "yes", "unknown").index(one[0]))


def _license_answer(terms: ET.Element, usages: frozenset[str]) -> tuple[UseAnswer, str]:
    for prohibited in _usages(terms, "prohibits"):
        if prohibited & usages:
            return "no", "prohibits " + " ".join(sorted(prohibited & usages))
    permitted = _usages(terms, "permits")
    if permitted and not any(one & usages for one in permitted):
        return "no", "permits " + " ".join(sorted(set().union(*permitted)))
    payments = [one.get("type", "free") for one in _named(terms, "payment")]
    if costs := [one for one in payments if one not in _FREE_PAYMENTS]:
        return "no", f"payment {costs[0]}"
    return ("yes", "permits") if permitted else ("unknown", "license")


def _usages(terms: ET.Element, name: str) -> list[set[str]]:
    found = [one for one in _named(terms, name) if one.get("type") == "usage"]
    return [set((one.text or "").lower().replace(",", " ").split()) for one in found]


def _named(element: ET.Element, name: str) -> Iterator[ET.Element]:
    return (one for one in element.iter() if one.tag.rpartition("}")[2] == name)


def _covers(url: str, path: str) -> bool:
    place = url.split("://", 1)[1].partition("/")[2] if "://" in url else url.removeprefix("/")
    return matches_path(path, normal_pattern(f"/{place}"))
