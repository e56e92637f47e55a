"""Sort code points into the few categories that tell running text from other text, in any script."""

from __future__ import annotations

from typing import Any

import numpy as np

from builder.kernels.jit import kernel

(
    WHITE,
    LETTER,
    CAPITAL,
    DIGIT,
    STOP,
    COMMA,
    SEPARATING,
    COPYRIGHT,
    AT_SIGN,
    OTHER_SIGN,
    IDEOGRAPH,
    CLOSING,
    COLON,
) = range(13)
"""``IDEOGRAPH``: a letter of a script without spaces. ``CLOSING``: what may follow the end of a sentence."""

_ASCII = np.full(128, OTHER_SIGN, np.uint8)
for _category, _bytes in {
    WHITE: b" \t\n\f\r",
    LETTER: b"abcdefghijklmnopqrstuvwxyz_",
    CAPITAL: b"ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    DIGIT: b"0123456789",
    STOP: b".!?",
    COMMA: b",;",
    SEPARATING: b"|/>",
    AT_SIGN: b"@",
    CLOSING: b"\"')]",
    COLON: b":",
}.items():
    _ASCII[list(_bytes)] = _category

_RANGES = (
    (0x80, 0xA8, OTHER_SIGN),
    (0xA9, 0xA9, COPYRIGHT),
    (0xAB, 0xAB, SEPARATING),
    (0xB7, 0xB7, SEPARATING),
    (0xBB, 0xBB, CLOSING),
    (0xA0, 0xBF, OTHER_SIGN),
    (0xC0, 0xDE, CAPITAL),
    (0x391, 0x3AB, CAPITAL),
    (0x400, 0x42F, CAPITAL),
    (0x531, 0x556, CAPITAL),
    (0x55D, 0x55D, COMMA),
    (0x589, 0x589, STOP),
    (0x60C, 0x60C, COMMA),
    (0x61B, 0x61B, COMMA),
    (0x61F, 0x61F, STOP),
    (0x660, 0x669, DIGIT),
    (0x6D4, 0x6D4, STOP),
    (0x6F0, 0x6F9, DIGIT),
    (0x964, 0x965, STOP),
    (0xE00, 0xEFF, IDEOGRAPH),
    (0x1000, 0x109F, IDEOGRAPH),
    (0x1362, 0x1362, STOP),
    (0x1780, 0x17D3, IDEOGRAPH),
    (0x17D4, 0x17D5, STOP),
    (0x2019, 0x2019, CLOSING),
    (0x201D, 0x201D, CLOSING),
    (0x2022, 0x2022, SEPARATING),
    (0x2026, 0x2026, STOP),
    (0x2039, 0x203A, SEPARATING),
    (0x2000, 0x206F, OTHER_SIGN),
    (0x2190, 0x21FF, SEPARATING),
    (0x2500, 0x27BF, SEPARATING),
    (0x2200, 0x2BFF, OTHER_SIGN),
    (0x3001, 0x3001, COMMA),
    (0x3002, 0x3002, STOP),
    (0x300D, 0x300D, CLOSING),
    (0x300F, 0x300F, CLOSING),
    (0x3000, 0x303F, OTHER_SIGN),
    (0x3040, 0x30FF, IDEOGRAPH),
    (0x3400, 0x9FFF, IDEOGRAPH),
    (0xF900, 0xFAFF, IDEOGRAPH),
    (0xFF01, 0xFF01, STOP),
    (0xFF0C, 0xFF0C, COMMA),
    (0xFF0E, 0xFF0E, STOP),
    (0xFF1A, 0xFF1A, COLON),
    (0xFF1B, 0xFF1B, COMMA),
    (0xFF1F, 0xFF1F, STOP),
    (0xFF10, 0xFF19, DIGIT),
    (0xFF00, 0xFF20, OTHER_SIGN),
    (0xFFFD, 0xFFFD, OTHER_SIGN),
)
"""First and last code point of a range, and its category; the first range that fits counts."""


def _table() -> Any:
    """Return the category of each code point below 0x10000; all that is in no range is a letter."""
    table = np.full(0x10000, LETTER, np.uint8)
    for first, last, category in reversed(_RANGES):
        table[first : last + 1] = category
    table[:128] = _ASCII
    return table


CATEGORIES = _table()


@kernel
def decode_point(data: Any, at: Any, end: Any) -> Any:
    """Return the code point at ``data[at]`` and its length in bytes; U+FFFD for a byte that begins none."""
    lead = np.int64(data[at])
    if lead < 0x80:
        return lead, 1
    length = 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
    if lead < 0xC0 or at + length > end:
        return np.int64(0xFFFD), 1
    point = lead & (0x7F >> length)
    for i in range(1, length):
        point = (point << 6) | (np.int64(data[at + i]) & 0x3F)
    return point, length


@kernel
def category(point: Any) -> Any:
    """Return the category of a code point."""
    if point < 0x10000:
        return np.int64(CATEGORIES[point])
    return np.int64(IDEOGRAPH) if 0x20000 <= point < 0x40000 else np.int64(LETTER)


@kernel
def ends_sentence(data: Any, behind: Any, end: Any) -> Any:
    """Return whether a stop of ASCII ends a sentence; a dot within a number or an address does not.

    Args:
        data: uint8[n_bytes], UTF-8.
        behind: the byte after the stop.
        end: the end of the text.
    """
    if behind >= end:
        return True
    following = data[behind]
    return following >= 0x80 or CATEGORIES[following] == WHITE or CATEGORIES[following] == CLOSING
