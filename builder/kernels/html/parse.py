"""Read a page in one pass over its bytes: text, blocks, block elements, links, and the tags that hold facts.

No tree is built and no object is made for an element. Every byte is looked at a bounded number of times, and
an element climbs at most ``MAX_CLIMB`` levels, so time is linear in the bytes of any page; ``STEPS`` counts.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from builder.kernels.bits import find_byte
from builder.kernels.html.attributes import read_attributes
from builder.kernels.html.characters import trim, write_text
from builder.kernels.html.elements import close_block, end_block, end_link, open_block
from builder.kernels.html.layout import (
    BITS,
    BOLD,
    BOLDED,
    BOLDS,
    HAS_HREF,
    HIDDEN_TAG,
    IMAGES,
    IS_FACT,
    LINE_BREAK,
    LINK,
    LINKED_DATA,
    LINKS,
    M_END,
    M_OUT,
    M_START,
    M_TAG,
    MARKS,
    MATH,
    MUTE,
    MUTE_KIND,
    N_DEPTH,
    N_FLAGS,
    N_PARENT,
    N_TAG,
    NODES,
    OUT,
    SELF_CLOSED,
    SHADOW_ROOT,
    SPACE,
    START,
    STEPS,
    TAG_BITS,
    TAG_FLAGS,
    TAG_SHAPE,
    TITLE_END,
    TITLE_START,
    XHTML,
)
from builder.kernels.html.muting import FOREIGN, end_muted, is_reading, mute, start_muted, unmute
from builder.kernels.html.raw_text import skip_raw
from builder.kernels.html.vocabulary import (
    BASIS,
    BLOCK_TAG,
    MUTED,
    PRIME,
    RAW_TEXT,
    TAG_KINDS,
    TAGS,
    VOID,
    element_tag,
)
from builder.kernels.jit import kernel

_A, _B, _BR, _HR, _IMG, _META, _LINK, _HTML, _SCRIPT, _STRONG, _SPAN, _TEMPLATE, _TITLE, _MATH, _PRE, _SVG = (
    TAGS[name]
    for name in [
        "a",
        "b",
        "br",
        "hr",
        "img",
        "meta",
        "link",
        "html",
        "script",
        "strong",
        "span",
        "template",
        "title",
        "math",
        "pre",
        "svg",
    ]
)
_XML = np.frombuffer(b"<?xml", np.uint8)
_XHTML_WORD = np.frombuffer(b"XHTML", np.uint8)
_CDATA = np.frombuffer(b"<![CDATA[", np.uint8)


@kernel
def parse_page(data: Any, start: Any, end: Any, page: Any) -> None:
    """Read the page ``data[start:end]`` into ``page``.

    Args:
        data: uint8[n_bytes], UTF-8; any bytes are read, and bytes that are not UTF-8 stay as they are.
        start: the first byte of the page.
        end: the byte after the last one.
        page: memory for at least so many bytes and ``<`` characters.
    """
    state = page.state
    _begin(page)
    at = start
    while at < end:
        if data[at] != 0x3C:
            before = at
            at = write_text(data, at, end, page)
            state[STEPS] += at - before
            continue
        before = at
        at = _markup(data, at, end, page)
        state[STEPS] += min(at, end) - before
    unmute(page)
    end_block(page)


@kernel
def _begin(page: Any) -> None:
    state = page.state
    state[:] = 0
    state[SPACE] = 1
    state[LINE_BREAK] = -1
    state[LINK] = -1
    state[BOLD] = -1
    state[NODES] = 1
    root = page.nodes[0]
    root[N_TAG] = 0
    root[N_PARENT] = 0
    root[N_DEPTH] = 0
    root[N_FLAGS] = 0
    page.bits[0] = 0
    page.shapes[0] = np.uint64(0)
    page.names[0] = np.uint64(0)


@kernel
def _markup(data: Any, at: Any, end: Any, page: Any) -> Any:
    """Read what a ``<`` begins, and return the position after it."""
    following = data[at + 1] if at + 1 < end else np.uint8(0x20)
    if _is_letter(following):
        return _start_tag(data, at, end, page)
    if following == 0x2F:
        if at + 2 < end and _is_letter(data[at + 2]):
            return _end_tag(data, at, end, page)
        if at + 2 >= end:
            return _literal(page, at)
        return find_byte(data, at + 2, end, 0x3E) + 1
    if following == 0x21 or following == 0x3F:
        return _declaration(data, at, end, page)
    return _literal(page, at)


@kernel
def _literal(page: Any, at: Any) -> Any:
    state = page.state
    page.out[state[OUT]] = 0x3C
    state[OUT] += 1
    state[SPACE] = 0
    return at + 1


@kernel
def _is_letter(byte: Any) -> Any:
    return (0x41 <= byte <= 0x5A) or (0x61 <= byte <= 0x7A)


@kernel
def _begins(data: Any, at: Any, end: Any, word: Any) -> Any:
    if at + len(word) > end:
        return False
    for i in range(len(word)):  # noqa: SIM110 - a kernel has no generators
        if data[at + i] != word[i]:
            return False
    return True


@kernel
def _declaration(data: Any, at: Any, end: Any, page: Any) -> Any:
    """Skip a comment, doctype or processing instruction; a CDATA section of XHTML or MathML is text."""
    state = page.state
    if at + 3 < end and data[at + 1] == 0x21 and data[at + 2] == 0x2D and data[at + 3] == 0x2D:
        return _comment_end(data, at + 4, end)
    if (state[XHTML] > 0 or state[MATH] > 0) and _begins(data, at, end, _CDATA):
        return _cdata(data, at + len(_CDATA), end, page)
    if _begins(data, at, end, _XML):
        state[XHTML] = 2
    behind = find_byte(data, at + 2, end, 0x3E) + 1
    if data[at + 1] == 0x21 and state[XHTML] == 0:
        for i in range(at, min(behind, at + 200) - len(_XHTML_WORD)):
            if _begins(data, i, end, _XHTML_WORD):
                state[XHTML] = 1
                break
    return behind


@kernel
def _comment_end(data: Any, at: Any, end: Any) -> Any:
    """Return the position after a comment; ``at`` is behind its ``<!--``."""
    start = at
    if at < end and data[at] == 0x3E:
        return at + 1
    if at + 1 < end and data[at] == 0x2D and data[at + 1] == 0x3E:
        return at + 2
    while True:
        at = find_byte(data, at, end, 0x3E)
        if at >= end:
            return end
        dash = at - 2 if data[at - 1] == 0x21 else at - 1
        if dash > start and data[dash] == 0x2D and data[dash - 1] == 0x2D:
            return at + 1
        at += 1


@kernel
def _cdata(data: Any, at: Any, end: Any, page: Any) -> Any:
    """Write the text of a CDATA section; markup and references within are text."""
    state = page.state
    out = page.out
    o = state[OUT]
    space = state[SPACE] != 0
    while at < end and not (
        data[at] == 0x5D and at + 2 < end and data[at + 1] == 0x5D and data[at + 2] == 0x3E
    ):
        byte = data[at]
        white = byte == 0x20 or (0x09 <= byte <= 0x0D and byte != 0x0B)
        if byte != 0 and not (white and space):
            out[o] = 0x20 if white else byte
            o += 1
            space = white
        at += 1
    state[OUT] = o
    state[SPACE] = 1 if space else 0
    return at + 3


@kernel
def _tag_name(data: Any, at: Any, end: Any) -> Any:
    """Return the hash of a tag's name in lower case, whether it has a hyphen, and the position after it."""
    value = np.uint64(BASIS)
    has_hyphen = False
    while at < end:
        byte = data[at]
        if byte == 0x3E or byte == 0x2F or byte == 0x20 or (0x09 <= byte <= 0x0D and byte != 0x0B):
            break
        if byte == 0x2D:
            has_hyphen = True
        lower = byte | 0x20 if 0x41 <= byte <= 0x5A else byte
        value = (value ^ np.uint64(lower)) * np.uint64(PRIME)
        at += 1
    return value, has_hyphen, at


@kernel
def _end_tag(data: Any, at: Any, end: Any, page: Any) -> Any:
    state = page.state
    name, has_hyphen, at = _tag_name(data, at + 2, end)
    at = read_attributes(data, at, end, state, False)
    if at > end:
        return at
    tag = element_tag(name, has_hyphen)
    if state[MUTE] != 0 and end_muted(page, tag, name):
        return at
    if TAG_KINDS[tag] & BLOCK_TAG:
        close_block(page, tag, name)
    elif tag == _A:
        end_link(page, True)
    elif tag in (_B, _STRONG):
        _end_bold(page)
    elif tag == _BR:
        _break_line(page)
    elif tag == _MATH and state[MATH] > 0:
        state[MATH] -= 1
    return at


@kernel
def _start_tag(data: Any, at: Any, end: Any, page: Any) -> Any:
    state = page.state
    before = at
    name, has_hyphen, at = _tag_name(data, at + 1, end)
    tag = element_tag(name, has_hyphen)
    state[TAG_SHAPE] = np.int64(name)
    at = read_attributes(data, at, end, state, True)
    if at > end:
        return at
    if state[MUTE] != 0 and start_muted(page, tag, name):
        if TAG_KINDS[tag] & RAW_TEXT and state[MUTE_KIND] != FOREIGN:
            return skip_raw(data, at, end, name, tag == _SCRIPT)
        return at
    _mark(page, tag, before, at)
    if TAG_KINDS[tag] & RAW_TEXT:
        return _raw(data, at, end, page, tag, name)
    if TAG_KINDS[tag] & MUTED and not (tag == _TEMPLATE and state[TAG_FLAGS] & SHADOW_ROOT):
        if not state[TAG_FLAGS] & SELF_CLOSED or (tag != _SVG and state[XHTML] == 0):
            mute(page, tag, name)
    elif TAG_KINDS[tag] & BLOCK_TAG:
        open_block(page, tag, name)
        if state[TAG_FLAGS] & SELF_CLOSED and state[XHTML] == 2:
            close_block(page, tag, name)
        elif tag == _PRE and at < end and data[at] == 0x0A:
            return at + 1
    else:
        _start_inline(page, tag, name)
    return at


@kernel
def _raw(data: Any, at: Any, end: Any, page: Any, tag: Any, name: Any) -> Any:
    """Skip the content of an element without markup; in XHTML, such an element may close itself."""
    state = page.state
    if state[TAG_FLAGS] & SELF_CLOSED and state[XHTML] > 0:
        return at
    behind = skip_raw(data, at, end, name, tag == _SCRIPT)
    if tag == _TITLE and state[TITLE_END] == 0:
        state[TITLE_START] = at
        state[TITLE_END] = behind
    return behind


@kernel
def _start_inline(page: Any, tag: Any, name: Any) -> None:
    state = page.state
    if tag == _BR:
        _break_line(page)
    elif tag == _HR:
        end_block(page)
    elif tag == _A:
        end_link(page, True)
        if state[TAG_FLAGS] & HAS_HREF:
            state[LINK] = state[OUT]
            state[LINKS] += 1
        state[BITS] |= state[TAG_BITS]
    elif tag in (_B, _STRONG):
        if state[BOLDS] == 0:
            state[BOLD] = state[OUT]
        state[BOLDS] += 1
    elif tag == _IMG:
        state[IMAGES] += 1
    elif tag == _SPAN:
        state[BITS] |= state[TAG_BITS]
    elif tag == _MATH and not state[TAG_FLAGS] & SELF_CLOSED:
        state[MATH] += 1
    hidden = state[TAG_FLAGS] & HIDDEN_TAG and not TAG_KINDS[tag] & VOID
    if hidden or is_reading(tag):
        mute(page, tag, name)


@kernel
def _end_bold(page: Any) -> None:
    state = page.state
    if state[BOLDS] > 0:
        state[BOLDS] -= 1
    if state[BOLDS] == 0 and state[BOLD] >= 0:
        state[BOLDED] += max(state[OUT] - max(state[BOLD], state[START]), 0)
        state[BOLD] = -1


@kernel
def _break_line(page: Any) -> None:
    """Write a newline for the first ``<br>``; a second one without text between ends the block."""
    state = page.state
    trim(page, state[START])
    if state[OUT] == state[START]:
        return
    if state[LINE_BREAK] == state[OUT]:
        end_block(page)
        return
    state[LINE_BREAK] = state[OUT]
    page.out[state[OUT]] = 0x0A
    state[OUT] += 1
    state[SPACE] = 1


@kernel
def _mark(page: Any, tag: Any, start: Any, end: Any) -> None:
    """Keep the place of a tag that can hold a fact of the page."""
    state = page.state
    is_head = tag in (_META, _LINK, _HTML)
    is_data = tag == _SCRIPT and state[TAG_FLAGS] & LINKED_DATA
    if not (is_head or is_data or state[TAG_FLAGS] & IS_FACT):
        return
    row = state[MARKS]
    if row < len(page.marks):
        mark = page.marks[row]
        mark[M_TAG] = tag
        mark[M_START] = start
        mark[M_END] = end
        mark[M_OUT] = state[OUT]
        state[MARKS] = row + 1
