"""JSON text to values: fast where that changes nothing, exact where it would.

orjson takes integers over 64 bits for floats, keeps the last of two equal keys and rounds long decimals, all
without a word. So what it parsed is held against the text: the colons that are neither behind a key nor in a
string, and every long number. Only records that fail this, or that orjson refuses, are read again by
``exact_json``.
"""

from __future__ import annotations

import math
import re
from typing import Any

import orjson

from builder.domain.json.exact import Broken, Parsed, exact_number, parse_exactly

MAX_DEPTH = 1024
"""Levels of nesting: orjson's own limit, and a third of what crashes the validator."""

REASONS = {
    "broken_json": "The record is not JSON.",
    "invalid_utf8": "The record is not UTF-8.",
    "not_a_number": "The record holds NaN or Infinity, which JSON has no words for.",
    "too_deep": f"The record nests deeper than {MAX_DEPTH:,} levels.",
    "number_too_long": "The record holds a number of more than 4,300 characters.",
    "empty_record": "There is no record in the line or file.",
}
"""What ``Broken.reason`` may be, in words."""

_NUMBER = re.compile(rb"[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_DIGITS = bytes(0x30 if chr(byte) in "0123456789." else 0x20 for byte in range(256))
_LONG = b"0" * 16
"""A number of fewer digits than this comes back from a float64 as it was, if it is not very small."""

_SMALLEST = 2.3e-308
_SHORT = 512
_ESCAPED_COLON = re.compile(rb"\\u003[aA]")
_BOM = b"\xef\xbb\xbf"


def parse(data: bytes) -> Parsed | Broken:
    """Parse one JSON value of any kind; a byte order mark in front is passed over.

    >>> parse(b'{"a": 18446744073709551617}').value
    {'a': 18446744073709551617}
    >>> parse(b"[NaN]").reason
    'not_a_number'
    """
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        return parse_slowly(data)
    return Parsed(value=value) if is_faithful(data, value) else parse_slowly(data)


def is_faithful(data: bytes, value: Any) -> bool:
    """Say whether orjson kept all that is in the text; at times it says no where it did.

    Each member has a colon behind its key, so the colons outside strings are as many as the members, or a key
    stood there twice. A colon that is escaped in a string would be counted wrongly. A short text that orjson
    writes back as it was has lost nothing; of a long one, to count is faster than to write.
    """
    if len(data) <= _SHORT and orjson.dumps(value) == data:
        return True
    n_keys, n_colons, least = _audit_flat(value) or _audit(value)
    if bytes(data).count(b":") != n_keys + n_colons:
        return False
    if n_colons and b"\\u003" in data and _ESCAPED_COLON.search(data):
        return False
    if least < _SMALLEST and (b"e-" in data or b"E-" in data):
        return False
    return math.isinf(least) or numbers_are_exact(bytes(data))


def parse_slowly(data: bytes) -> Parsed | Broken:
    """Parse what orjson refused or would change."""
    data = bytes(data).removeprefix(_BOM)
    if not data.strip(b" \t\r\n"):
        return Broken(reason="empty_record", offset=0, message="nothing but white space")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        message = f"byte 0x{data[error.start]:02x}: {error.reason}"
        return Broken(reason="invalid_utf8", offset=error.start, message=message)
    return parse_exactly(text, max_depth=MAX_DEPTH)


def _audit_flat(value: Any) -> tuple[int, int, float] | None:
    """Do what ``_audit`` does for an object of strings, integers, booleans and nulls, as most records are."""
    if type(value) is not dict:
        return None
    n_colons = "".join(value).count(":")
    for child in value.values():
        kind = type(child)
        if kind is str:
            n_colons += child.count(":")
        elif kind not in _PLAIN:
            return None
    return len(value), n_colons, math.inf


_PLAIN = frozenset((int, bool, type(None)))


def _audit(value: Any) -> tuple[int, int, float]:
    """Count the members of all objects and the colons in all strings, and find the least size of a float."""
    n_keys = n_colons = 0
    least = math.inf
    stack: list[Any] = [[value]]
    while stack:
        node = stack.pop()
        if type(node) is dict:
            n_keys += len(node)
            n_colons += "".join(node).count(":")
            node = node.values()
        for child in node:
            kind = type(child)
            if kind is str:
                n_colons += child.count(":")
            elif kind is dict or kind is list:
                stack.append(child)
            elif kind is float:
                least = min(least, abs(child))
    return n_keys, n_colons, least


def numbers_are_exact(data: bytes) -> bool:
    """Say whether orjson keeps every long number; digits in strings are looked at as well and do no harm."""
    digits = data.translate(_DIGITS)
    at = digits.find(_LONG)
    while at >= 0:
        if not _is_exact(data, at):
            return False
        end = digits.find(b" ", at)
        at = digits.find(_LONG, end) if end >= 0 else -1
    return True


def depth_of(value: Any) -> int:
    """Count the levels of nesting: 0 for a scalar."""
    depth = 0
    level = [value]
    while level := [node for node in level if type(node) in _CONTAINERS]:
        depth += 1
        level = [child for node in level for child in (node.values() if type(node) is dict else node)]
    return depth


_CONTAINERS = frozenset((dict, list))


def _is_exact(data: bytes, at: int) -> bool:
    """Judge a number without its sign; what is none stands in a string, and is left to the exact parser."""
    match = _NUMBER.match(data, at)
    token = match.group() if match else b""
    if token.isdigit():
        return len(token) < 19 or (len(token) == 19 and int(token) < 2**63)
    return 0 < len(token) < 400 and isinstance(exact_number(token.decode()), float)
