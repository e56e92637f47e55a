"""Match paths with patterns of robots.txt (RFC 9309, section 2.2.2): ``*``, and ``$`` at the end."""

from __future__ import annotations

import re
from typing import Final

_ESCAPED = re.compile("%([0-9A-Fa-f]{2})")
_UNRESERVED: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def path_of(canonical_url: str) -> str:
    """Return path and query of a canonical URL.

    >>> path_of("https://a.example/x?b=1#!/y")
    '/x?b=1'
    """
    place = canonical_url.split("://", 1)[1].partition("#")[0]
    _, slash, rest = place.partition("/")
    return slash + rest or "/"


def normal_pattern(pattern: str) -> str:
    """Write a pattern as canonical URLs are written: bytes beyond ASCII encoded, unreserved ones decoded.

    >>> normal_pattern("/%7eann/%e4*/ü$")
    '/~ann/%E4*/%C3%BC$'
    """
    if not pattern.isascii():
        encoded = (one if one.isascii() else _encoded(one) for one in pattern)
        pattern = "".join(encoded)
    return _ESCAPED.sub(_one_escape, pattern) if "%" in pattern else pattern


def matches_path(path: str, pattern: str) -> bool:
    """Return whether a pattern matches the beginning of a path, or all of it with ``$`` at its end.

    The pieces between ``*`` are found from left to right, so the time grows with the length alone.

    >>> matches_path("/a/b.html", "/a/*.html$"), matches_path("/a/b.html?x", "/a/*.html$")
    (True, False)
    >>> matches_path("/ab", "/a")
    True
    """
    is_whole = pattern.endswith("$")
    first, *pieces = (pattern[:-1] if is_whole else pattern).split("*")
    if not path.startswith(first):
        return False
    if not pieces:
        return len(path) == len(first) or not is_whole
    at = len(first)
    last = pieces.pop() if is_whole else ""
    for piece in pieces:
        found = path.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return len(path) - len(last) >= at and path.endswith(last)


def _one_escape(found: re.Match[str]) -> str:
    char = chr(int(found[1], 16))
    return char if char in _UNRESERVED else found[0].upper()


def _encoded(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "surrogateescape"))
