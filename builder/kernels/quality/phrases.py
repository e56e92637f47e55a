"""Find the phrases of a line that rules name: phrases of policies, references, and counters."""

from __future__ import annotations

from typing import Any

import numpy as np

from builder.kernels.bits import load8, trailing_zeros
from builder.kernels.jit import kernel
from builder.kernels.quality.characters import IS_LETTER, IS_NUMBER
from builder.kernels.quality.words import entry_at

JAVASCRIPT, POLICY = 1 << 12, 1 << 13
"""Flags of a line with a phrase: it names JavaScript, or a policy of the site."""


def _ascii(text: str) -> np.ndarray:
    array = np.frombuffer(text.encode(), np.uint8)
    array.flags.writeable = False
    return array


_JAVASCRIPT = _ascii("javascript")
_LOREM = _ascii("lorem ipsum")
_TERMS = _ascii("terms of use")
_PRIVACY = _ascii("privacy policy")
_COOKIE = _ascii("cookie policy")
_USES = _ascii("uses cookies")
_USE_OF = _ascii("use of cookies")
_USE = _ascii("use cookies")
_EDIT = _ascii("[edit]")
_NEEDED = _ascii("[citation needed]")

_HIGH = np.uint64(0x8080808080808080)
_ONES = np.uint64(0x0101010101010101)
_CASE = np.uint64(0x2020202020202020)


def _eight(byte: str) -> np.uint64:
    return np.uint64(ord(byte)) * _ONES


_C, _J, _K, _M, _O, _P, _S, _Y = map(_eight, "cjkmopsy")


_COUNTED = _ascii(
    "likes\0shares\0comments\0retweets\0reposts\0quotes\0bookmarks\0upvotes\0downvotes\0downloads\0views\0"
    "followers\0"
)
"""The words of a counter, each followed by a zero."""


@kernel
def matches(data: Any, at: Any, end: Any, pattern: Any) -> Any:
    """Return whether ``data[at:end]`` begins with a lower-case ASCII pattern, in any case."""
    if at + len(pattern) > end:
        return False
    for i in range(len(pattern)):
        byte = data[at + i]
        if 0x41 <= byte <= 0x5A:
            byte = byte | 0x20
        if byte != pattern[i]:
            return False
    return True


@kernel
def _zeros(x: Any) -> Any:
    """Mark zero bytes by their high bits; bytes above the first one can be marked wrongly."""
    return (x - _ONES) & ~x & _HIGH


@kernel
def find_phrases(data: Any, start: Any, end: Any) -> Any:
    """Find phrases in ``data[start:end]``, in any case.

    Each phrase has two letters that are rare in text: ``j`` alone, or ``ok``, ``ms``, ``ps`` and ``cy``. Only
    at these places the phrase is compared.

    Returns:
        The flags of the phrases, and the number of ``lorem ipsum``s.
    """
    flags, lorem, at = 0, 0, start
    while at + 8 < end:
        x, y = load8(data, at) | _CASE, load8(data, at + 1) | _CASE
        found = _zeros(x ^ _J) | _zeros((x ^ _O) | (y ^ _K)) | _zeros((x ^ _C) | (y ^ _Y))
        found |= _zeros((x ^ _M) | (y ^ _S)) | _zeros((x ^ _P) | (y ^ _S))
        while found:
            here = at + (trailing_zeros(found) >> 3)
            flags |= _phrase_at(data, here, start, end)
            lorem += here >= start + 7 and matches(data, here - 7, end, _LOREM)
            found &= found - np.uint64(1)
        at += 8
    while at < end:
        flags |= _phrase_at(data, at, start, end)
        lorem += at >= start + 7 and matches(data, at - 7, end, _LOREM)
        at += 1
    return flags, lorem


@kernel
def _phrase_at(data: Any, at: Any, start: Any, end: Any) -> Any:
    """Return the flags of the phrase whose rare letters are at ``at``."""
    byte = data[at] | 0x20
    if byte == 0x6A:
        return JAVASCRIPT if matches(data, at, end, _JAVASCRIPT) else 0
    if byte == 0x6D:
        return POLICY if at >= start + 3 and matches(data, at - 3, end, _TERMS) else 0
    if byte == 0x63:
        return POLICY if at >= start + 5 and matches(data, at - 5, end, _PRIVACY) else 0
    if byte == 0x6F and at >= start + 2:
        found = matches(data, at - 2, end, _COOKIE)
        found = found or (at >= start + 6 and matches(data, at - 6, end, _USE))
        found = found or (at >= start + 7 and matches(data, at - 7, end, _USES))
        found = found or (at >= start + 9 and matches(data, at - 9, end, _USE_OF))
        return POLICY if found else 0
    return 0


@kernel
def citation_end(data: Any, at: Any, end: Any) -> Any:
    """Return the end of a reference such as ``[12]``, ``[edit]`` or ``[citation needed]``; -1 without one."""
    if matches(data, at, end, _EDIT):
        return at + len(_EDIT)
    if matches(data, at, end, _NEEDED):
        return at + len(_NEEDED)
    i = at + 1
    while i < end and 0x30 <= data[i] <= 0x39:
        i += 1
    return i + 1 if i < end and data[i] == 0x5D else -1


@kernel
def is_counter(data: Any, at: Any, end: Any, table: Any) -> Any:
    """Return whether a line is a number, maybe with K, M or B, and one of the words of counters."""
    while at < end and not 0x30 <= data[at] <= 0x39:
        _, size, entry = entry_at(data, at, end, table)
        if entry & (IS_LETTER | IS_NUMBER):
            return False
        at += size
    while at < end and (0x30 <= data[at] <= 0x39 or data[at] in (0x2C, 0x2E)):
        at += 1
    if at < end and data[at] | 0x20 in (0x6B, 0x6D, 0x62):
        at += 1
    while at < end and data[at] == 0x20:
        at += 1
    stop = _counted_end(data, at, end)
    if stop < 0:
        return False
    while stop < end:
        _, size, entry = entry_at(data, stop, end, table)
        if entry & (IS_LETTER | IS_NUMBER):
            return False
        stop += size
    return True


@kernel
def _counted_end(data: Any, at: Any, end: Any) -> Any:
    """Return the end of the word of a counter that begins at ``at``; -1 without one."""
    i, first = 0, 0
    while i < len(_COUNTED):
        if _COUNTED[i] == 0:
            if matches(data, at, end, _COUNTED[first:i]):
                return at + i - first
            first = i + 1
        i += 1
    return -1
