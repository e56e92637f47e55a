"""Map hosts to registrable domains, by the Public Suffix List.

``public_suffix_list.dat`` is the list as its project publishes it, with all comments. Its licence is the
Mozilla Public License 2.0. ``PUBLIC_SUFFIXES_SHA256`` pins it: another list can give other domains, so a
stage whose rows depend on it says so in what decides on its rows.

The list has rules for suffixes below which anybody can register a name, by registries (``co.uk``) and by
companies (``github.io``). A name below a suffix, with one label more, is a registrable domain.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

PUBLIC_SUFFIXES_DATE = "2026-10-22"
"""The date of the list, as it says in its head."""

PUBLIC_SUFFIXES_SHA256 = "0232f4df0831911356e8ee1f4d5c3b6b12c0ed3f6bd66b0f81c8ab5d3d49e9ca"
"""The SHA-256 of the list."""

_PATH = Path(__file__).with_name("public_suffix_list.dat")
_CACHED_HOSTS = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicSuffixes:
    """The rules of a Public Suffix List; hosts have their canonical form (``builder.domain.url.domain``).

    Attributes:
        names: suffixes that are listed as they are.
        parents: names below which every label is a suffix (``*.ck``).
        exceptions: names that are not a suffix although a rule says so (``!www.ck``).
        max_labels: labels of the longest rule; labels in front of these decide nothing.
    """

    names: frozenset[str]
    parents: frozenset[str]
    exceptions: frozenset[str]
    max_labels: int

    @classmethod
    def parse(cls, text: str) -> PublicSuffixes:
        """Read the rules of a list; the first word of each line that is not a comment is a rule."""
        lines = (line.split() for line in text.splitlines() if not line.startswith("//"))
        rules = [_ascii(words[0]) for words in lines if words]
        return cls(
            names=frozenset(rule for rule in rules if not rule.startswith(("!", "*."))),
            parents=frozenset(rule[2:] for rule in rules if rule.startswith("*.")),
            exceptions=frozenset(rule[1:] for rule in rules if rule.startswith("!")),
            max_labels=max((rule.count(".") + 1 for rule in rules), default=1),
        )

    def registrable(self, host: str) -> str | None:
        """Return the registrable domain of a host; None for a suffix, an address of a machine, or no name.

        The longest rule decides. A name of one label under a top-level domain without a rule is registrable.
        """
        labels = host.removesuffix(".").split(".")
        if not all(labels) or labels[-1].isdecimal() or host.startswith("["):
            return None
        first = max(len(labels) - self.max_labels, 0)
        for at in range(first, len(labels)):
            name = ".".join(labels[at:])
            if name in self.exceptions:
                return name
            if name in self.names or ".".join(labels[at + 1 :]) in self.parents:
                return ".".join(labels[at - 1 :]) if at else None
        return ".".join(labels[-2:]) if len(labels) > 1 else None

    def is_suffix(self, host: str) -> bool:
        """Return whether the whole of a canonical host is a suffix, without looking at each of its ends.

        >>> public_suffixes().is_suffix("co.uk"), public_suffixes().is_suffix("bbc.co.uk")
        (True, False)
        """
        if host in self.exceptions:
            return False
        _, dot, above = host.partition(".")
        return not dot or host in self.names or above in self.parents


@cache
def public_suffixes() -> PublicSuffixes:
    """Return the rules of the list of the package.

    Raises:
        ValueError: if the file is not the list that ``PUBLIC_SUFFIXES_SHA256`` names.
    """
    data = _PATH.read_bytes()
    if (found := hashlib.sha256(data).hexdigest()) != PUBLIC_SUFFIXES_SHA256:
        what = f"{_PATH} has the SHA-256 {found} and not {PUBLIC_SUFFIXES_SHA256}"
        raise ValueError(f"{what}: install the package again")
    return PublicSuffixes.parse(data.decode())


@lru_cache(maxsize=_CACHED_HOSTS)
def registrable_domain(host: str) -> str | None:
    """Return the registrable domain of a canonical host by the list of the package; None without one.

    >>> registrable_domain("news.bbc.co.uk"), registrable_domain("ann.github.io")
    ('bbc.co.uk', 'ann.github.io')
    >>> registrable_domain("co.uk"), registrable_domain("192.0.2.1")
    (None, None)
    """
    return public_suffixes().registrable(host)


def _ascii(rule: str) -> str:
    """Write the labels of a rule as canonical hosts have them: in lower case, and in Punycode."""
    labels = rule.lower().split(".")
    return ".".join(
        one if one.isascii() else "xn--" + one.encode("punycode").decode("ascii") for one in labels
    )
