"""Character references of HTML: the text of ``&name;`` and ``&#number;``."""

from __future__ import annotations

from html.entities import html5
from typing import TYPE_CHECKING, Any

import numpy as np

from builder.kernels.html.vocabulary import BASIS, PRIME, hash_table
from builder.kernels.jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_NAME = 32
"""The longest name has 31 letters (``CounterClockwiseContourIntegral``)."""

_SLOTS = 8192
_WITHOUT_SEMICOLON = 1 << 40
_WINDOWS_1252 = np.array(
    [ord(bytes([byte]).decode("cp1252", "ignore") or chr(byte)) for byte in range(128, 160)], np.int64
)


def _table() -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.uint8]]:
    """Return hashes of names, and for each the place and length of its UTF-8 text in the last array.

    A place is ``offset * 16 + length``, plus ``_WITHOUT_SEMICOLON`` for names that may end without one.
    """
    texts = b""
    places: dict[str, int] = {}
    for name, text in html5.items():
        if name.endswith(";"):
            encoded = text.encode()
            legacy = _WITHOUT_SEMICOLON if name[:-1] in html5 else 0
            places[name[:-1]] = len(texts) * 16 + len(encoded) + legacy
            texts += encoded
    return *hash_table(places, slots=_SLOTS), np.frombuffer(texts, np.uint8)


_KEYS, _PLACES, _TEXTS = _table()


@kernel
def read_reference(data: Any, at: Any, end: Any, written: Any) -> Any:
    """Write the text of the character reference at ``data[at]``, an ``&``; it is never longer than 8 bytes.

    Args:
        data: uint8[n_bytes], the page.
        at: the position of the ``&``.
        end: the end of the page.
        written: uint8[8], the text.

    Returns:
        The position after the reference and the number of bytes written. For an ``&`` that begins none, these
        are ``at + 1`` and 1.
    """
    if at + 1 < end and data[at + 1] == 0x23:
        return _numeric(data, at, end, written)
    value = np.uint64(BASIS)
    place = np.int64(0)
    behind = at + 1
    position = at + 1
    while position < end and position - at <= MAX_NAME and _is_alphanumeric(data[position]):
        value = (value ^ np.uint64(data[position])) * np.uint64(PRIME)
        position += 1
        closed = position < end and data[position] == 0x3B
        if closed or position - at <= 7:
            found = _find(value)
            if found != 0 and (closed or found >= _WITHOUT_SEMICOLON):
                place = found
                behind = position + 1 if closed else position
    if place == 0:
        written[0] = 0x26
        return at + 1, 1
    start = (place & (_WITHOUT_SEMICOLON - 1)) >> 4
    length = place & 15
    for i in range(length):
        written[i] = _TEXTS[start + i]
    return behind, length


@kernel
def _is_alphanumeric(byte: Any) -> Any:
    return 0x30 <= byte <= 0x39 or 0x41 <= byte <= 0x5A or 0x61 <= byte <= 0x7A


@kernel
def _find(name: Any) -> Any:
    slot = np.int64(name & np.uint64(_SLOTS - 1))
    while _KEYS[slot] != 0:
        if _KEYS[slot] == name:
            return _PLACES[slot]
        slot = (slot + 1) & (_SLOTS - 1)
    return np.int64(0)


@kernel
def _numeric(data: Any, at: Any, end: Any, written: Any) -> Any:
    position = at + 2
    base = np.int64(10)
    if position < end and data[position] | 0x20 == 0x78:
        base = np.int64(16)
        position += 1
    start = position
    code = np.int64(0)
    while position < end:
        digit = _digit(data[position])
        if digit >= base:
            break
        code = min(code * base + digit, np.int64(0x110000))
        position += 1
    if position == start:
        written[0] = 0x26
        return at + 1, 1
    if position < end and data[position] == 0x3B:
        position += 1
    if 0x80 <= code < 0xA0:
        code = _WINDOWS_1252[code - 0x80]
    if code == 0 or code >= 0x110000 or 0xD800 <= code < 0xE000:
        code = np.int64(0xFFFD)
    return position, encode(code, written)


@kernel
def _digit(byte: Any) -> Any:
    if 0x30 <= byte <= 0x39:
        return np.int64(byte) - 0x30
    lower = byte | 0x20
    if 0x61 <= lower <= 0x66:
        return np.int64(lower) - 0x57
    return np.int64(99)


@kernel
def encode(code: Any, written: Any) -> Any:
    """Write a code point as UTF-8 and return the number of bytes."""
    if code < 0x80:
        written[0] = code
        return 1
    if code < 0x800:
        written[0] = 0xC0 | (code >> 6)
        written[1] = 0x80 | (code & 63)
        return 2
    if code < 0x10000:
        written[0] = 0xE0 | (code >> 12)
        written[1] = 0x80 | ((code >> 6) & 63)
        written[2] = 0x80 | (code & 63)
        return 3
    written[0] = 0xF0 | (code >> 18)
    written[1] = 0x80 | ((code >> 12) & 63)
    written[2] = 0x80 | ((code >> 6) & 63)
    written[3] = 0x80 | (code & 63)
    return 4
