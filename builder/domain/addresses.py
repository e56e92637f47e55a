"""Remove secrets from the addresses of inputs: query strings, user information, values of variables.

The functions work on text alone. ``io.streams.address`` pairs the public form of an address with the form
that is opened.
"""

from __future__ import annotations

import re
from base64 import b64encode
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Variables: TypeAlias = tuple[tuple[str, str], ...]
"""The names and values of the environment variables that an address was filled from."""

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s'\"<>]+")
_QUERY = re.compile(r"\?[^/?]*=")
_WEB = ("http", "https")

MIN_VALUE_CHARS = 3
"""Shorter values of variables are not searched for in other text: they would occur everywhere."""

_LONG_CHARS = 8
"""Longer values of variables are replaced inside of words, too."""

_MIN_PART_CHARS = 6
"""Shorter values of a query string are not searched for in messages."""

REDACTED = "..."
"""Replaces a secret that has no name."""


def public_address(address: str) -> str:
    """Return an address without user information, query strings and fragments; a chain keeps its links.

    ``?`` begins a query in addresses of the web. Elsewhere it is a glob character, unless ``key=`` follows.

    >>> public_address("simplecache::https://ann:secret@h.example/a.jsonl?token=secret")
    'simplecache::https://h.example/a.jsonl'
    """
    links: list[str] = []
    in_query = False
    for link in address.split("::"):
        if in_query and "://" not in link:  # a query string may contain "::"
            continue
        public = _public_link(link)
        in_query = "?" in link and "?" not in public
        links.append(public)
    return "::".join(links)


def split_query(link: str) -> tuple[str, str]:
    """Split one link of an address before its query string or fragment.

    >>> split_query("https://h.example/a.jsonl?token=secret")
    ('https://h.example/a.jsonl', '?token=secret')
    """
    scheme = _SCHEME.match(link)
    if scheme is None:
        return link, ""
    if scheme[1].lower() in _WEB:
        end = min((at for mark in "?#" if (at := link.find(mark)) >= 0), default=len(link))
    else:
        end = found.start() if (found := _QUERY.search(link)) else len(link)
    return link[:end], link[end:]


def redact_urls(text: str) -> str:
    """Replace every URL of a message by its public form.

    >>> redact_urls("404, url='https://h.example/a?token=secret'")
    "404, url='https://h.example/a'"
    """
    return _URL.sub(lambda match: public_address(match[0]), text)


def mask_values(text: str, variables: Iterable[tuple[str, str]]) -> str:
    """Replace the values of variables, and their percent-encoded forms, by ``${NAME}``.

    A short value is replaced only if it is not a part of a longer word.

    >>> mask_values("https://h.example/s3cr3t/a.jsonl", [("TOKEN", "s3cr3t")])
    'https://h.example/${TOKEN}/a.jsonl'
    """
    forms = {form: name for name, value in variables for form in _forms(value, least=MIN_VALUE_CHARS)}
    for form in sorted(forms, key=len, reverse=True):
        name = f"${{{forms[form]}}}"
        if len(form) >= _LONG_CHARS:
            text = text.replace(form, name)
        else:
            text = re.sub(rf"(?<![A-Za-z0-9]){re.escape(form)}(?![A-Za-z0-9])", name, text)
    return text


def redact(text: str, *, address: str, variables: Variables) -> str:
    """Remove the secrets of an address from a message of a library, which may quote the address or its parts.

    Args:
        address: the address as it is opened.
    """
    text = mask_values(text.replace(address, public_address(mask_values(address, variables))), variables)
    text = redact_urls(text)
    for part in sorted(set(_secret_parts(address)), key=len, reverse=True):
        text = text.replace(part, REDACTED)
    return text


def _public_link(link: str) -> str:
    scheme = _SCHEME.match(link)
    if scheme is None:
        return link
    body, _ = split_query(link)
    host, slash, path = body[scheme.end() :].partition("/")
    return f"{scheme[0]}{host.rpartition('@')[2]}{slash}{path}"


def _secret_parts(address: str) -> Iterator[str]:
    """Yield the query strings, their values, and the passwords of an address, in several encodings."""
    for link in address.split("::"):
        body, query = split_query(link)
        parts = [query.lstrip("?#"), *(pair.partition("=")[2] for pair in re.split("[?#&;]", query))]
        host = body.partition("://")[2].partition("/")[0]
        user = unquote(host.rpartition("@")[0])
        password = user.partition(":")[2]
        for part in (*parts, password, user if password else "", b64encode(user.encode()).decode()):
            yield from _forms(part, least=_MIN_PART_CHARS)


def _forms(value: str, *, least: int) -> set[str]:
    """Return a value as it is, percent-encoded and decoded; nothing if it is too short to search for."""
    if len(value) < least:
        return set()
    return {value, quote(value, safe=""), quote(value), unquote(value)}
