"""Read ``X-Robots-Tag`` and ``<meta name=robots>``: ``noai`` and the directives of search engines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection

_LIMITS: Final = ("unavailable_after", "max-snippet", "max-image-preview", "max-video-preview")
"""Directives with a value after a colon, which are not agents."""

_PLAIN: Final = ("noai", "noimageai", "noindex", "none", "noarchive", "nosnippet", "noimageindex")
NOTED: Final = frozenset((*_PLAIN, "indexifembedded", "max-snippet:0"))
"""Directives that are evidence, whether or not the policy counts them."""

_SEPARATOR = re.compile(r"[,\s]+")
_MAX_CHARS: Final = 8192


def header_directives(value: str, agents: Collection[str]) -> list[str]:
    """Return the noted directives of ``X-Robots-Tag`` that apply to all agents or to some of a policy.

    ``agent:`` limits the directives after it. A repeated header is one value in an archive's record, joined
    with commas, so nobody can see where the next header begins. Therefore only the directive next to an agent
    that the policy does not name is left out.

    Args:
        agents: product tokens in lower case.

    >>> header_directives("noindex, googlebot: noai, gptbot: noai, noarchive", ["gptbot"])
    ['noindex', 'noai', 'noarchive']
    >>> header_directives("googlebot: noai", ["gptbot"])
    []
    """
    found: list[str] = []
    for piece in value[:_MAX_CHARS].lower().split(","):
        words = piece.strip()
        agent, colon, rest = (one.strip() for one in words.partition(":"))
        if colon and agent not in _LIMITS:
            if agent not in agents and agent not in ("*", "robots"):
                continue
            words = rest
        found += _noted(words)
    return found


def meta_directives(name: str, content: str, agents: Collection[str]) -> list[str]:
    """Return the noted directives of a ``<meta>``, if its name is ``robots`` or an agent of a policy.

    >>> meta_directives("Robots", "NoAI, max-snippet: 0", []), meta_directives("bingbot", "noai", ["gptbot"])
    (['noai', 'max-snippet:0'], [])
    """
    name = name.strip().lower()
    return _noted(content[:_MAX_CHARS].lower()) if name == "robots" or name in agents else []


def _noted(text: str) -> list[str]:
    words = _SEPARATOR.split(re.sub(r"\s*:\s*", ":", text.strip()))
    return [one for one in words if one in NOTED]
