"""Read the attributes of one tag: what they say about the element."""

from __future__ import annotations

from typing import Any

import numpy as np

from builder.kernels.bits import find_byte
from builder.kernels.html.layout import (
    ARIA_HIDDEN,
    HAS_HREF,
    HIDDEN_TAG,
    HREF_END,
    HREF_START,
    INVISIBLE,
    IS_FACT,
    LINKED_DATA,
    SELF_CLOSED,
    SHADOW_ROOT,
    TAG_BITS,
    TAG_FLAGS,
    TAG_SHAPE,
    XHTML,
)
from builder.kernels.html.vocabulary import BASIS, PRIME, group_bit, name_hash
from builder.kernels.jit import kernel

MAX_WORDS_BYTES = 512
"""Bytes of a class, id or role that are read; a longer value is data, not a name."""

_CLASS, _ID, _ROLE, _ITEMPROP, _STYLE, _HIDDEN, _ARIA, _HREF, _SHADOW, _TYPE, _REL, _PUBDATE, _XMLNS = (
    np.uint64(name_hash(name))
    for name in (
        [
            "class",
            "id",
            "role",
            "itemprop",
            "style",
            "hidden",
            "aria-hidden",
            "href",
            "shadowrootmode",
            "type",
            "rel",
            "pubdate",
            "xmlns",
        ]
    )
)
_DISPLAY = np.frombuffer(b"display", np.uint8)
_NONE = np.frombuffer(b"none", np.uint8)
_UNTIL_FOUND = np.frombuffer(b"until-found", np.uint8)
_LD_JSON = np.frombuffer(b"ld+json", np.uint8)
_XHTML = np.frombuffer(b"xhtml", np.uint8)
_TRUE = np.frombuffer(b"true", np.uint8)


@kernel
def read_attributes(data: Any, at: Any, end: Any, state: Any, wants: Any) -> Any:
    """Read the attributes from ``data[at]`` on, and return the position after the tag.

    The position is ``end + 1`` for a tag without an end: it is not a tag, and the page ends there.

    Args:
        data: uint8[n_bytes], the page.
        at: a position within a tag, after its name.
        end: the end of the page.
        state: the scalars of the pass; ``TAG_BITS``, ``TAG_SHAPE``, ``TAG_FLAGS`` and the place of ``href``
            are set. ``TAG_SHAPE`` must hold the hash of the name.
        wants: False skips the values.
    """
    state[TAG_BITS] = 0
    state[TAG_FLAGS] = 0
    while at < end:
        byte = data[at]
        if byte == 0x3E:
            if data[at - 1] == 0x2F:
                state[TAG_FLAGS] |= SELF_CLOSED
            return at + 1
        if _is_space(byte) or byte == 0x2F:
            at += 1
            continue
        name, at = _attribute_name(data, at, end)
        behind = at
        while behind < end and _is_space(data[behind]):
            behind += 1
        if behind >= end or data[behind] != 0x3D:
            at = behind
            if wants:
                _use(data, at, at, name, state)
            continue
        start, stop, at, unquoted = _attribute_value(data, behind + 1, end)
        if wants and start < stop:
            _use(data, start, stop, name, state)
        elif wants:
            _use(data, stop, stop, name, state)
        if unquoted and at < end and data[at] == 0x3E:
            return at + 1
    return end + 1


@kernel
def _is_space(byte: Any) -> Any:
    return byte == 0x20 or (0x09 <= byte <= 0x0D and byte != 0x0B)


@kernel
def _lower(byte: Any) -> Any:
    return byte | 0x20 if 0x41 <= byte <= 0x5A else byte


@kernel
def _attribute_name(data: Any, at: Any, end: Any) -> Any:
    """Return the hash of an attribute's name in lower case, and the position after it."""
    value = np.uint64(BASIS)
    first = at
    while at < end:
        byte = data[at]
        if byte == 0x3E or byte == 0x2F or _is_space(byte) or (byte == 0x3D and at > first):
            break
        value = (value ^ np.uint64(_lower(byte))) * np.uint64(PRIME)
        at += 1
    return value, at


@kernel
def _attribute_value(data: Any, at: Any, end: Any) -> Any:
    """Return start and end of a value, the position after it, and whether it had no quotes."""
    while at < end and _is_space(data[at]):
        at += 1
    if at >= end:
        return end, end, end, False
    quote = data[at]
    if quote == 0x22 or quote == 0x27:
        stop = find_byte(data, at + 1, end, quote)
        return at + 1, stop, stop + 1, False
    start = at
    while at < end and data[at] != 0x3E and not _is_space(data[at]):
        at += 1
    return start, at, at, True


@kernel
def _use(data: Any, start: Any, stop: Any, name: Any, state: Any) -> None:
    flag = 0
    if name in (_CLASS, _ID, _ROLE):
        _read_words(data, start, min(stop, start + MAX_WORDS_BYTES), name == _CLASS, state)
    elif name == _ITEMPROP:
        _read_words(data, start, min(stop, start + MAX_WORDS_BYTES), False, state)
        flag = IS_FACT
    elif name == _HREF:
        state[HREF_START] = start
        state[HREF_END] = stop
        flag = HAS_HREF
    elif name == _HIDDEN:
        flag = 0 if _is(data, start, stop, _UNTIL_FOUND) else HIDDEN_TAG
    elif name == _ARIA:
        flag = ARIA_HIDDEN if _is(data, start, stop, _TRUE) else 0
    elif name == _STYLE:
        flag = INVISIBLE if _is_invisible(data, start, stop) else 0
    elif name == _TYPE:
        flag = LINKED_DATA if _find(data, start, min(stop, start + 64), _LD_JSON) >= 0 else 0
    elif name in (_REL, _PUBDATE):
        flag = IS_FACT
    elif name == _SHADOW:
        flag = SHADOW_ROOT
    elif name == _XMLNS and _find(data, start, min(stop, start + 64), _XHTML) >= 0:
        state[XHTML] = max(state[XHTML], 1)
    state[TAG_FLAGS] |= flag


@kernel
def _read_words(data: Any, start: Any, stop: Any, has_shape: Any, state: Any) -> None:
    """Find the words of a value: runs of letters, apart where a capital follows a small letter."""
    value = np.uint64(BASIS)
    shape = np.uint64(state[TAG_SHAPE])
    bits = state[TAG_BITS]
    length = 0
    was_small: Any = False
    at = start
    while at <= stop:
        byte = data[at] if at < stop else np.uint8(0x20)
        small: Any = 0x61 <= byte <= 0x7A
        letter = small or 0x41 <= byte <= 0x5A
        if length > 0 and (not letter or (was_small and not small)):
            bits |= group_bit(value)
            if has_shape:
                shape = (shape ^ value) * np.uint64(PRIME)
            value = np.uint64(BASIS)
            length = 0
        if letter:
            value = (value ^ np.uint64(byte | 0x20)) * np.uint64(PRIME)
            length += 1
        was_small = small
        at += 1
    state[TAG_BITS] = bits
    state[TAG_SHAPE] = np.int64(shape)


@kernel
def _is(data: Any, start: Any, stop: Any, word: Any) -> Any:
    """Return whether a value is the word, in any case."""
    if stop - start != len(word):
        return False
    for i in range(len(word)):  # noqa: SIM110 - a kernel has no generators
        if _lower(data[start + i]) != word[i]:
            return False
    return True


@kernel
def _find(data: Any, start: Any, stop: Any, word: Any) -> Any:
    """Return where a word stands in a value, in any case; -1 if nowhere."""
    for at in range(start, stop - len(word) + 1):
        i = 0
        while i < len(word) and _lower(data[at + i]) == word[i]:
            i += 1
        if i == len(word):
            return at
    return np.int64(-1)


@kernel
def _is_invisible(data: Any, start: Any, stop: Any) -> Any:
    """Return whether a style has ``display: none``."""
    at = _find(data, start, stop, _DISPLAY)
    if at < 0:
        return False
    at += len(_DISPLAY)
    while at < stop and (_is_space(data[at]) or data[at] == 0x3A):
        at += 1
    return _find(data, at, min(stop, at + len(_NONE)), _NONE) == at
