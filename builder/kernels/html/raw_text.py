"""Skip elements without markup: scripts, styles, the title, text areas."""

from __future__ import annotations

from typing import Any

import numpy as np

from builder.kernels.bits import find_byte
from builder.kernels.html.vocabulary import BASIS, PRIME
from builder.kernels.jit import kernel

_IN_COMMENT, _IN_SCRIPT = 1, 2


@kernel
def skip_raw(data: Any, at: Any, end: Any, name: Any, is_script: Any) -> Any:
    """Return the position of the end tag of an element without markup, or the end of the page.

    A script that writes ``<script>`` within a comment of its own ends at the second end tag (HTML standard,
    13.2.5.20 to 13.2.5.31).
    """
    escaped = 0
    while True:
        if escaped:
            at, escaped = _next_in_comment(data, at, end, escaped)
        else:
            at = find_byte(data, at, end, 0x3C)
        if at >= end:
            return end
        if is_script and not escaped and _is_comment(data, at, end):
            escaped = _IN_COMMENT
            at += 2
            continue
        slash = at + 1 < end and data[at + 1] == 0x2F
        if (slash or escaped == _IN_COMMENT) and _is_tag(data, at + 2 if slash else at + 1, end, name):
            if slash and escaped != _IN_SCRIPT:
                return at
            escaped = _IN_COMMENT if slash else _IN_SCRIPT
        at += 1


@kernel
def _is_comment(data: Any, at: Any, end: Any) -> Any:
    return at + 3 < end and data[at + 1] == 0x21 and data[at + 2] == 0x2D and data[at + 3] == 0x2D


@kernel
def _next_in_comment(data: Any, at: Any, end: Any, escaped: Any) -> Any:
    """Return the position of the next ``<``, and whether the comment is still open there."""
    while at < end and data[at] != 0x3C:
        if data[at] == 0x3E and data[at - 1] == 0x2D and data[at - 2] == 0x2D:
            return find_byte(data, at, end, 0x3C), 0
        at += 1
    return at, escaped


@kernel
def _is_tag(data: Any, at: Any, end: Any, name: Any) -> Any:
    """Return whether a tag of that name stands at ``data[at]``, with an end to the name."""
    value = np.uint64(BASIS)
    while at < end:
        byte = data[at]
        if not ((0x41 <= byte <= 0x5A) or (0x61 <= byte <= 0x7A)):
            break
        lower = byte | 0x20
        value = (value ^ np.uint64(lower)) * np.uint64(PRIME)
        at += 1
    if value != name or at >= end:
        return False
    byte = data[at]
    return byte == 0x3E or byte == 0x2F or byte == 0x20 or (0x09 <= byte <= 0x0D and byte != 0x0B)
