"""Name licences by their URL: Creative Commons and other free licences, in one normal form."""

from __future__ import annotations

import re
from typing import Final

_CREATIVE_COMMONS = re.compile(
    r"(?:https?:)?(?://)?(?:[a-z-]+\.)?creativecommons\.org/(licen[cs]es|publicdomain)/([a-z+-]+)/?([^?#]*)",
    re.IGNORECASE,
)
_PARTS = re.compile(
    r"(?:([0-9]\.[0-9])(?=/|$))?/?(?:([a-z]{2,4}(?:-[a-z]{2,3})?|igo)(?=/|$))?", re.IGNORECASE
)
_BY: Final = ("by", "by-sa", "by-nd", "by-nc", "by-nc-sa", "by-nc-nd")
_RETIRED: Final = ("nc", "nc-sa", "nc-nd", "sa", "nd", "sampling", "sampling+", "nc-sampling+", "devnations")
_KINDS: Final = frozenset((*_BY, *_RETIRED))
_ORDERED: Final = {"by-nd-nc": "by-nc-nd", "by-sa-nc": "by-nc-sa", "nd-nc": "nc-nd"}
_PUBLIC_DOMAIN: Final = {"zero": "cc0", "mark": "pdm", "certification": "cc-pd"}
_NOT_PORTS: Final = frozenset(("deed", "rdf", "code"))
_OTHERS: Final = (
    (re.compile(r"(?:www\.)?gnu\.org/(?:licenses|copyleft)/fdl(?:-(1\.[0-3]))?"), "gfdl"),
    (re.compile(r"(?:www\.)?gnu\.org/licenses/(?:old-licenses/)?gpl(?:-([0-9]\.[0-9]))?"), "gpl"),
    (re.compile(r"(?:www\.)?opensource\.org/licenses?/mit()"), "mit"),
    (re.compile(r"(?:www\.)?apache\.org/licenses/license-(2\.0)"), "apache"),
    (
        re.compile(r"(?:www\.)?nationalarchives\.gov\.uk/doc/open-government-licence(?:/version/([0-9]))?"),
        "ogl-uk",
    ),
    (re.compile(r"(?:www\.)?etalab\.gouv\.fr/[a-z/-]*licence()"), "etalab"),
)
_VERSIONS: Final = {"ogl-uk": "ogl-uk-{}.0"}
_MAX_CHARS: Final = 2000
_NAMED = re.compile(
    r"\bcc[ -]?0\b|\bcc[ -](by(?:[ -](?:nc|sa|nd)){0,2})[ -]?([1-4]\.[0-9])?(?![a-z])", re.IGNORECASE
)


def license_of_url(url: str) -> str | None:
    """Return the normal form of a licence that a URL names; None for any other URL.

    A licence without a version in its URL has none in the normal form.

    >>> license_of_url("http://www.creativecommons.org/licenses/by-nc-sa/4.0/deed.de")
    'cc-by-nc-sa-4.0'
    >>> license_of_url("//creativecommons.org/licenses/by/2.0/de/"), license_of_url("https://a.example/by/4.0/")
    ('cc-by-2.0-de', None)
    """
    url = url.strip()[:_MAX_CHARS]
    found = _CREATIVE_COMMONS.match(url)
    if found:
        return _creative_commons(found[1].lower(), found[2].lower(), found[3].lower())
    place = re.sub(r"^(?:https?:)?//", "", url.lower())
    for pattern, name in _OTHERS:
        if (other := pattern.match(place)) is not None:
            version = other[1]
            return _VERSIONS.get(name, name + "-{}").format(version) if version else name
    return None


def license_of_text(text: str) -> str | None:
    """Return the licence of Creative Commons that a short text names by its sign, or by a URL in it.

    >>> license_of_text("© 2020 Ann, CC BY-SA 4.0"), license_of_text("CC0"), license_of_text("cc by example")
    ('cc-by-sa-4.0', 'cc0-1.0', 'cc-by')
    """
    text = text[:_MAX_CHARS]
    if (url := re.search(r"(?:https?:)?//[^\s<>\"']+", text)) is not None:
        named = license_of_url(url[0])
        if named is not None:
            return named
    found = _NAMED.search(text)
    if found is None:
        return None
    if found[1] is None:
        return "cc0-1.0"
    kind = found[1].lower().replace(" ", "-")
    kind = _ORDERED.get(kind, kind)
    if kind not in _KINDS:
        return None
    return f"cc-{kind}-{found[2]}" if found[2] else f"cc-{kind}"


def _creative_commons(folder: str, kind: str, rest: str) -> str | None:
    parts = _PARTS.match(rest)
    version, port = (parts[1], parts[2]) if parts else (None, None)
    port = None if port in _NOT_PORTS else port
    if kind in _PUBLIC_DOMAIN:
        name = _PUBLIC_DOMAIN[kind]
        return name if name == "cc-pd" else f"{name}-{version or '1.0'}"
    if folder == "publicdomain":
        return None
    if kind == "publicdomain":
        return "cc-pd"
    kind = _ORDERED.get(kind, kind)
    if kind not in _KINDS:
        return None
    return "-".join(["cc", kind, *([version] if version else []), *([port] if port else [])])
