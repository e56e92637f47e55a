"""Measure the nesting depth and the attribute counts of HTML pages without parsing them.

HTML parsers take quadratic time on deeply nested pages and on tags with very many attributes, so each page is
measured before a parser sees it. The depth is a simple estimate that is never too low: the number of start
tags that have no matching end tag yet, counted for each element name and summed over all names. It does not
count elements that have no end tag, elements whose end tag is optional, and elements that close an open one
of their own name (``NOT_COUNTED``); otherwise every list without ``</li>`` would look deep.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from builder.kernels.bits import find_byte
from builder.kernels.jit import array_kernel, kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

NOT_COUNTED = (
    "a area base basefont bgsound body br caption col colgroup command dd dt embed frame head hr html img "
    "input keygen li link meta nobr p param source tbody td tfoot th thead tr track wbr"
)
"""Void elements, elements whose end tag is optional, and those that never nest in themselves."""

RUBY_PARTS = "rb rp rt rtc"
"""Elements whose end tag is optional within an open ``<ruby>``; elsewhere they nest."""

OPTIONS = "optgroup option"
"""Elements whose end tag is optional within an open ``<select>``; elsewhere they nest."""

ROOTS = "body html"
"""Elements that exist once in a page; the attributes of all their tags are added up."""

RAW_TEXT_ELEMENTS = "iframe noembed noframes plaintext script style textarea title xmp"
"""Elements whose content is text up to their own end tag, outside SVG and MathML."""

BREAKS_OUT = (
    "b big blockquote body br center code dd div dl dt em embed font h1 h2 h3 h4 h5 h6 head hr i img li "
    "listing menu meta nobr ol p pre ruby s small span strike strong sub sup table tt u ul var"
)
"""Start tags that end SVG and MathML (HTML standard, 13.2.6.5); within them ``<path/>`` closes itself."""

MAX_NAMES = 1024
"""Element names that are distinguished in one page, at most; start tags with other names stay open."""

_PRIME = 0x100000001B3
_BASIS = 0xCBF29CE484222325
_SLOTS = 1024


def _hash(name: str) -> int:
    value = _BASIS
    for byte in name.encode():
        value = ((value ^ byte) * _PRIME) & 0xFFFFFFFFFFFFFFFF
    return value


_IS_NOT_COUNTED, _IS_RUBY_PART, _IS_OPTION, _IS_ROOT, _IS_RAW, _BREAKS, _IS_FOREIGN = (
    1 << i for i in range(7)
)

_KINDS = {
    _IS_NOT_COUNTED: NOT_COUNTED,
    _IS_RUBY_PART: RUBY_PARTS,
    _IS_OPTION: OPTIONS,
    _IS_ROOT: ROOTS,
    _IS_RAW: RAW_TEXT_ELEMENTS,
    _BREAKS: BREAKS_OUT,
    _IS_FOREIGN: "math svg",
}


def _table() -> tuple[NDArray[np.uint64], NDArray[np.uint8]]:
    """Return a hash table of element names, and the kinds of each name."""
    keys, kinds = np.zeros(_SLOTS, np.uint64), np.zeros(_SLOTS, np.uint8)
    for kind, names in _KINDS.items():
        for name in names.split():
            value = _hash(name)
            slot = value % _SLOTS
            while keys[slot] not in (0, value):
                slot = (slot + 1) % _SLOTS
            keys[slot] = value
            kinds[slot] |= kind
    return keys, kinds


_NAMES, _KINDS_OF_NAMES = _table()
_RUBY, _SELECT = np.uint64(_hash("ruby")), np.uint64(_hash("select"))


@array_kernel
def measure(data: Any, offsets: Any, depth: Any, attributes: Any) -> None:
    """Fill in the depth of each page and the largest number of attributes in one of its tags.

    Args:
        data: uint8[n_bytes], the pages concatenated.
        offsets: int32[n_pages + 1] or int64[n_pages + 1]; page ``i`` is ``data[offsets[i]:offsets[i + 1]]``.
        depth: int64[n_pages], overwritten.
        attributes: int64[n_pages], overwritten; a repeated attribute counts twice, and the attributes of all
            ``<html>`` and ``<body>`` tags are added up.
    """
    keys = np.zeros(2 * MAX_NAMES, dtype=np.uint64)
    unanswered = np.zeros(2 * MAX_NAMES, dtype=np.int64)
    for page in range(len(offsets) - 1):
        keys[:] = 0
        unanswered[:] = 0
        _measure_page(data, offsets[page], offsets[page + 1], keys, unanswered, page, depth, attributes)


@kernel
def _measure_page(
    data: Any, position: Any, end: Any, keys: Any, unanswered: Any, page: Any, depth: Any, attributes: Any
) -> None:
    n_names = 0
    now = np.int64(0)
    deepest = np.int64(0)
    widest = np.int64(0)
    n_root = np.int64(0)
    foreign = False
    while True:
        position, closing = _next_tag(data, position, end)
        if position >= end:
            break
        name, position = _name(data, position, end)
        n_attributes, self_closed, position = _attributes(data, position, end)
        kinds = _KINDS_OF_NAMES[_slot(_NAMES, name)]
        if kinds & _IS_ROOT:
            n_root += n_attributes
        widest = max(widest, n_attributes, n_root)
        slot = _slot(keys, name)
        if closing:
            foreign = foreign and not kinds & _IS_FOREIGN
            if keys[slot] == name and unanswered[slot] > 0:
                unanswered[slot] -= 1
                now -= 1
            continue
        foreign = foreign and not kinds & _BREAKS
        if not foreign and kinds & _IS_RAW:
            position = _skip_raw(data, position, end, name)
            continue
        within_foreign = foreign or kinds & _IS_FOREIGN != 0
        if not _is_counted(kinds, keys, unanswered) or (self_closed and within_foreign):
            continue
        foreign = within_foreign
        now += 1
        deepest = max(deepest, now)
        if keys[slot] == name:
            unanswered[slot] += 1
        elif n_names < MAX_NAMES:
            n_names += 1
            keys[slot] = name
            unanswered[slot] = 1
    depth[page] = deepest
    attributes[page] = widest


@kernel
def _is_counted(kinds: Any, keys: Any, unanswered: Any) -> Any:
    if kinds & _IS_RUBY_PART:
        return unanswered[_slot(keys, _RUBY)] == 0
    if kinds & _IS_OPTION:
        return unanswered[_slot(keys, _SELECT)] == 0
    return kinds & _IS_NOT_COUNTED == 0


@kernel
def _next_tag(data: Any, position: Any, end: Any) -> Any:
    """Return the position of the next tag's name, or the end of the page, and whether it is an end tag."""
    while position < end:
        position = find_byte(data, position, end, 0x3C) + 1
        if position >= end:
            break
        if data[position] == 0x21 or data[position] == 0x3F:
            position = _skip_comment(data, position, end)
            continue
        closing = data[position] == 0x2F
        if closing:
            position += 1
            if position >= end:
                break
        if _is_letter(data[position]):
            return position, closing
        if closing:
            position = find_byte(data, position, end, 0x3E) + 1
    return end, False


@kernel
def _is_letter(byte: Any) -> Any:
    return (0x41 <= byte <= 0x5A) or (0x61 <= byte <= 0x7A)


@kernel
def _is_space(byte: Any) -> Any:
    return byte == 0x20 or (0x09 <= byte <= 0x0D and byte != 0x0B)


@kernel
def _skip_comment(data: Any, position: Any, end: Any) -> Any:
    """Return the position after a comment or declaration; ``position`` is at its ``!`` or ``?``."""
    dashes = position + 2 < end and data[position + 1] == 0x2D and data[position + 2] == 0x2D
    if data[position] != 0x21 or not dashes:
        return find_byte(data, position, end, 0x3E) + 1
    position += 3
    if position < end and data[position] == 0x3E:
        return position + 1
    if position + 1 < end and data[position] == 0x2D and data[position + 1] == 0x3E:
        return position + 2
    while position + 2 < end:
        if data[position] == 0x2D and data[position + 1] == 0x2D:
            if data[position + 2] == 0x3E:
                return position + 3
            if data[position + 2] == 0x21 and position + 3 < end and data[position + 3] == 0x3E:
                return position + 4
        position += 1
    return end


@kernel
def _name(data: Any, position: Any, end: Any) -> Any:
    """Return the hash of a tag's name in lower case, and the position after it."""
    value = np.uint64(_BASIS)
    while position < end:
        byte = data[position]
        if _is_space(byte) or byte == 0x2F or byte == 0x3E:
            break
        lower = byte + 0x20 if 0x41 <= byte <= 0x5A else byte
        value = (value ^ np.uint64(lower)) * np.uint64(_PRIME)
        position += 1
    return value, position


@kernel
def _attributes(data: Any, position: Any, end: Any) -> Any:
    """Return the number of a tag's attributes, whether it ends in ``/>``, and the position after it."""
    count = np.int64(0)
    while position < end:
        byte = data[position]
        if byte == 0x3E:
            return count, data[position - 1] == 0x2F, position + 1
        position += 1
        if _is_space(byte) or byte == 0x2F:
            continue
        count += 1
        while position < end and not (
            _is_space(data[position])
            or data[position] == 0x2F
            or data[position] == 0x3E
            or data[position] == 0x3D
        ):
            position += 1
        while position < end and _is_space(data[position]):
            position += 1
        if position >= end or data[position] != 0x3D:
            continue
        position += 1
        while position < end and _is_space(data[position]):
            position += 1
        if position >= end:
            break
        quote = data[position]
        if quote == 0x22 or quote == 0x27:
            position = find_byte(data, position + 1, end, quote) + 1
            continue
        while position < end and not (_is_space(data[position]) or data[position] == 0x3E):
            position += 1
        if position < end and data[position] == 0x3E:
            # a slash here belongs to the value: <a href=/x/> does not close itself
            return count, False, position + 1
    return count, False, position


@kernel
def _skip_raw(data: Any, position: Any, end: Any, name: Any) -> Any:
    """Return the position of the end tag that closes raw text, or the end of the page."""
    while position + 1 < end:
        if data[position] == 0x3C and data[position + 1] == 0x2F:
            found, behind = _name(data, position + 2, end)
            if found == name and behind < end:
                return position
        position += 1
    return end


@kernel
def _slot(keys: Any, name: Any) -> Any:
    """Return the slot of a name in the table, or the free slot where it belongs."""
    mask = np.uint64(len(keys) - 1)
    slot = np.int64(name & mask)
    while keys[slot] != 0 and keys[slot] != name:
        slot = np.int64((slot + 1) & np.int64(mask))
    return slot
