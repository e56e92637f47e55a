"""Compute canonical URLs: two fetches with one canonical URL are fetches of the same page.

These are the rules number 2. A manifest stores the number, and every change of a rule changes it. A corpus
keeps its number until a full rebuild with ``--full``, so old rules stay here. Rules number 1 differ in rule
7: they remove every fragment.

1. White space and control characters around the URL are removed, and so are tabs and line breaks inside it.
2. The scheme is ``http`` or ``https``, in lower case; the two remain different. A URL with another scheme,
   and a relative address, has no canonical URL.
3. The host is in lower case. Its labels beyond ASCII are normalised (NFKC, lower case, invisible characters
   removed) and written in Punycode. IPv6 addresses take their shortest form. ``www.`` stays.
4. A default port (80, 443) and an empty port are removed; other ports lose leading zeros. User names stay.
5. A backslash in the path becomes a slash. Dot segments are resolved. An empty path becomes ``/``. Slashes
   at the end and double slashes stay.
6. Percent-encoding: a character that RFC 3986 (section 2.3) calls unreserved is decoded. A character that is
   not allowed in a URL is encoded as UTF-8. Hexadecimal digits are in upper case. A ``%`` that encodes
   nothing becomes ``%25``. Nothing else is encoded or decoded, so ``%2F`` does not become a slash. Letters of
   the path and the query keep their case.
7. The fragment is removed, unless it begins with ``!`` or ``/`` and has more after it. Such a fragment is the
   address of a page of an application (``#/route``, ``#!page``); rule 6 applies to it.
8. Query parameters that only say where a visitor came from (``TRACKING`` and ``TRACKING_PREFIXES``, compared
   without regard to case) are removed, and so are empty parameters. The rest is sorted by name; parameters
   with one name keep their order. A query without parameters is removed together with its ``?``.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address
from urllib.parse import unquote

URL_RULES = 2
"""The number of the newest rules, which new corpora have."""

KNOWN_URL_RULES = (1, 2)
"""The numbers of all rules that ``canonical_url`` applies."""

TRACKING_PREFIXES = ("utm_", "mtm_", "pk_", "piwik_", "matomo_", "hsa_", "at_custom", "fb_action_")
_TRACKING_NAMES = """
    __hsfp __hssc __hstc __s __twitter_impression _branch_match_id _branch_referrer _ga _gl _hsenc _hsmi
    _openstat at_campaign at_format at_link_id at_link_origin at_link_type at_medium at_ptr_name awesm
    cjevent cmpid dclid epik fb_ref fb_source fbclid ga_campaign ga_content ga_medium ga_source ga_term
    gbraid gclid gclsrc guccounter guce_referrer guce_referrer_sig hsctatracking igsh igshid irclickid
    li_fat_id mc_cid mc_eid mibextid mkt_tok msclkid ns_campaign ns_fee ns_linkname ns_mchannel ns_source
    oly_anon_id oly_enc_id rb_clickid s_cid s_kwcid sc_cid sms_ss srsltid ttclid twclid vero_conv vero_id
    wbraid wickedid wt_mc xtor yclid ymclid ysclid zanpid
"""
TRACKING = frozenset(_TRACKING_NAMES.split())

_LABEL = "[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_PLAIN = re.compile(
    rf"https?://{_LABEL}(?:\.{_LABEL})*(?:/(?!\.{{1,2}}(?:/|\Z))[A-Za-z0-9_~.,;:@!$&'()*+=-]*+)+"
)
"""Matches URLs that no rule changes, as most are: no query, no fragment, nothing encoded."""

_PARTS = re.compile(
    r"(https?):[/\\]{2}([^/\\?#]*)([^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.IGNORECASE | re.DOTALL
)
_EDGES = "".join(map(chr, range(0x21)))
_BREAKS = str.maketrans("", "", "\t\n\r")
_SURROGATE = re.compile("[\ud800-\udfff]")
_STRAY = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ESCAPED = re.compile(r"%[0-9A-Fa-f]{2}")
_NOT_ALLOWED = re.compile(r"[^A-Za-z0-9\-._~!$&'()*+,;=:@/%?]+")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_DOTS = re.compile("[\u3002\uff0e\uff61]")
_HOST = re.compile(r"[^\x00-\x20\x7f-\U0010ffff\"#%/:<>?@\[\\\]^`{|}]+")
CACHED_URLS = 1 << 14
"""URLs whose canonical form is cached, because the stages of a batch ask for the same URLs."""

_DEFAULT_PORT = {"http": 80, "https": 443}
_KEPT_FORMATS = "\u200c\u200d"


@lru_cache(maxsize=CACHED_URLS)
def canonical_url(url: str, rules: int = URL_RULES) -> str | None:
    """Return the canonical form of an ``http`` or ``https`` URL; None for anything else.

    A canonical URL is its own canonical form.

    Args:
        rules: the number of the rules to apply, one of ``KNOWN_URL_RULES``.

    >>> canonical_url("HTTP://Example.COM:80/a/../B?utm_source=x&b=2&a=1#top")
    'http://example.com/B?a=1&b=2'
    >>> canonical_url("mailto:someone@example.com") is None
    True
    """
    if rules not in KNOWN_URL_RULES:
        raise ValueError(f"the rules of canonical URLs number {rules} are not known")
    if _PLAIN.fullmatch(url):
        return url
    url = _SURROGATE.sub("\ufffd", url.strip(_EDGES).translate(_BREAKS))
    parts = _PARTS.match(url)
    if parts is None:
        return None
    scheme = parts[1].lower()
    authority = _authority(parts[2], scheme=scheme)
    if authority is None:
        return None
    query = _query(parts[4] or "")
    route = _route(parts[5] or "") if rules > 1 else ""
    return f"{scheme}://{authority}{_path(parts[3])}{'?' if query else ''}{query}{route}"


def domain(url: str) -> str | None:
    """Return the host in the canonical form of a URL, without user name and port.

    >>> domain("https://user@News.Example:8080/x")
    'news.example'
    """
    canonical = canonical_url(url)
    if canonical is None:
        return None
    authority = canonical.split("/", 3)[2].rpartition("@")[2]
    if authority.startswith("["):
        return authority[: authority.index("]") + 1]
    return authority.partition(":")[0]


def _authority(authority: str, *, scheme: str) -> str | None:
    user, at, place = authority.rpartition("@")
    found = re.fullmatch(r"(\[[^\[\]]*\]|[^:\[\]]*)(?::([0-9]*))?", place, re.ASCII)
    host = _host(found[1]) if found else None
    if found is None or host is None:
        return None
    port = int((found[2] or "").lstrip("0")[:6] or "0") if found[2] else _DEFAULT_PORT[scheme]
    if port > 65535:
        return None
    shown = "" if port == _DEFAULT_PORT[scheme] else f":{port}"
    return f"{_escaped(user).replace('/', '%2F').replace('?', '%3F') + at if user else ''}{host}{shown}"


def _host(host: str) -> str | None:
    if host.startswith("["):
        try:
            return None if "%" in host else f"[{IPv6Address(host[1:-1]).compressed}]"
        except AddressValueError:
            return None
    if "%" in host:
        host = unquote(host)
    if not host.isascii():
        labels = _DOTS.sub(".", unicodedata.normalize("NFKC", host)).split(".")
        host = ".".join(map(_ascii_label, labels))
    host = host.lower()
    return host if _HOST.fullmatch(host) and host.strip(".") else None


def _ascii_label(label: str) -> str:
    if label.isascii():
        return label
    label = "".join(c for c in label if unicodedata.category(c) != "Cf" or c in _KEPT_FORMATS)
    label = unicodedata.normalize("NFC", label.lower())
    return label if label.isascii() else "xn--" + label.encode("punycode").decode("ascii")


def _path(path: str) -> str:
    segments: list[str] = []
    given = _escaped(path.replace("\\", "/")).split("/")[1:] or [""]
    for segment in given:
        if segment == "..":
            del segments[-1:]
        elif segment != ".":
            segments.append(segment)
    if given[-1] in (".", ".."):
        segments.append("")
    return "/" + "/".join(segments)


def _query(query: str) -> str:
    parameters = [(piece.partition("=")[0], piece) for piece in _escaped(query).split("&") if piece]
    kept = [(name, piece) for name, piece in parameters if not _is_tracking(name.lower())]
    return "&".join(piece for _, piece in sorted(kept, key=lambda parameter: parameter[0]))


def _route(fragment: str) -> str:
    """Return the fragment with its ``#`` if it is the address of a page, else an empty string."""
    is_route = fragment.startswith(("!", "/")) and fragment.strip("!/")
    return f"#{_escaped(fragment)}" if is_route else ""


def _is_tracking(name: str) -> bool:
    return name in TRACKING or name.startswith(TRACKING_PREFIXES)


def _escaped(part: str) -> str:
    """Apply rule 6. A stray ``%`` is encoded first; otherwise two escapes could meet and form a third."""
    part = _STRAY.sub("%25", part)
    part = _NOT_ALLOWED.sub(lambda m: "".join(f"%{byte:02X}" for byte in m[0].encode()), part)
    return _ESCAPED.sub(_one_escape, part) if "%" in part else part


def _one_escape(found: re.Match[str]) -> str:
    char = chr(int(found[0][1:], 16))
    return char if char in _UNRESERVED else found[0].upper()
