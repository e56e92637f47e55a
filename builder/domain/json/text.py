"""Parse JSON text: with orjson if that loses nothing, otherwise with the exact parser.

orjson silently converts integers over 64 bits to floats, drops the first of two equal keys and rounds long
decimals. So this module compares the parsed value with the text: it counts the colons outside strings, and
checks every long number. Only texts that fail this check, or that orjson refuses, are parsed again by
``json.exact``.
"""

from __future__ import annotations

import math
import re
from typing import Any

import orjson

from builder.domain.json.exact import Broken, Parsed, exact_number, parse_exactly

MAX_DEPTH = 1024
"""Levels of nesting, at most: orjson's own limit, and a third of the depth that crashes the validator."""

REASONS = {
    "broken_json": "The record is not valid JSON.",
    "invalid_utf8": "The record is not valid UTF-8.",
    "not_a_number": "The record contains NaN or Infinity, which are not JSON.",
    "too_deep": f"The record is nested deeper than {MAX_DEPTH:,} levels.",
    "number_too_long": "The record contains a number of more than 4,300 characters.",
    "empty_record": "The line or file contains no record.",
}
"""The values of ``Broken.reason``, in words."""

_NUMBER = re.compile(rb"[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_DIGITS = bytes(0x30 if chr(byte) in "0123456789." else 0x20 for byte in range(256))
_LONG = b"0" * 16
"""A number with fewer digits than this survives a round trip through float64, unless it is very small."""

_SMALLEST = 2.3e-308
_SHORT = 512
_ESCAPED_COLON = re.compile(rb"\\u003[aA]")
_BOM = b"\xef\xbb\xbf"


def parse(data: bytes) -> Parsed | Broken:
    """Parse one JSON value of any kind; a leading byte order mark is skipped.

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
    """Return whether orjson kept everything in the text; False may be wrong, True never is.

    Each member has one colon after its key. So the text has as many colons outside strings as the value has
    members, unless a key occurred twice. An escaped colon in a string would make this count wrong.
    If orjson writes a short text back unchanged, nothing was lost; for a long text, counting is faster than
    writing.
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


def parse_slowly(data: bytes, *, reads_nan: bool = False) -> Parsed | Broken:
    """Parse a text that orjson refuses or would change.

    Args:
        reads_nan: read NaN and Infinity as null, with the fault ``not_a_number``.
    """
    data = bytes(data).removeprefix(_BOM)
    if not data.strip(b" \t\r\n"):
        return Broken(reason="empty_record", offset=0, message="nothing but white space")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        message = f"byte 0x{data[error.start]:02x}: {error.reason}"
        return Broken(reason="invalid_utf8", offset=error.start, message=message)
    return parse_exactly(text, max_depth=MAX_DEPTH, reads_nan=reads_nan)


def _audit_flat(value: Any) -> tuple[int, int, float] | None:
    """Do the work of ``_audit`` for a flat object without floats, as most records are; else return None."""
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
    """Count the members of all objects and the colons in all strings; find the least absolute float."""
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
    """Return whether orjson keeps every long number; digits in strings are checked too, which is harmless."""
    digits = data.translate(_DIGITS)
    at = digits.find(_LONG)
    while at >= 0:
        if not _is_exact(data, at):
            return False
        end = digits.find(b" ", at)
        at = digits.find(_LONG, end) if end >= 0 else -1
    return True


def depth_of(value: Any) -> int:
    """Count the levels of nesting; a scalar has 0."""
    depth = 0
    level = [value]
    while level := [node for node in level if type(node) in _CONTAINERS]:
        depth += 1
        level = [child for node in level for child in (node.values() if type(node) is dict else node)]
    return depth


_CONTAINERS = frozenset((dict, list))


def _is_exact(data: bytes, at: int) -> bool:
    """Return whether orjson keeps a number, given without its sign.

    Digits that are not a number are part of a string. The answer is then False, and the exact parser decides.
    """
    match = _NUMBER.match(data, at)
    token = match.group() if match else b""
    if token.isdigit():
        return len(token) < 19 or (len(token) == 19 and int(token) < 2**63)
    return 0 < len(token) < 400 and isinstance(exact_number(token.decode()), float)
