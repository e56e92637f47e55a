"""Elements whose text is not read: SVG, media, select, hidden inline elements, and the readings of ruby.

Their markup is read like any other, so that a missing end tag costs no second look at the page. The text is
written, and removed where the element ends.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from builder.kernels.html.layout import (
    MUTE,
    MUTE_BLOCKS,
    MUTE_COUNT,
    MUTE_KIND,
    MUTE_OUT,
    MUTE_SPACE,
    OUT,
    SELF_CLOSED,
    SPACE,
    TAG_FLAGS,
)
from builder.kernels.html.vocabulary import BLOCK_TAG, BREAKOUT, TAG_KINDS, TAGS, VOID, is_table_part
from builder.kernels.jit import kernel

PLAIN, FOREIGN, SELECT, RUBY = range(4)
"""Kinds: what ends the element apart from its own end tag."""

_SVG, _SELECT, _RT, _RP, _RTC, _RB, _RUBY, _INPUT, _TEXTAREA, _FOREIGN_OBJECT = (
    TAGS[name]
    for name in ["svg", "select", "rt", "rp", "rtc", "rb", "ruby", "input", "textarea", "foreignobject"]
)


@kernel
def mute(page: Any, tag: Any, name: Any) -> None:
    """Begin an element whose text is not read."""
    state = page.state
    state[MUTE] = np.int64(name)
    state[MUTE_KIND] = PLAIN
    if tag == _SVG:
        state[MUTE_KIND] = FOREIGN
    elif tag == _SELECT:
        state[MUTE_KIND] = SELECT
    elif is_reading(tag):
        state[MUTE_KIND] = RUBY
    state[MUTE_COUNT] = 1
    state[MUTE_BLOCKS] = 0
    state[MUTE_OUT] = state[OUT]
    state[MUTE_SPACE] = state[SPACE]


@kernel
def unmute(page: Any) -> None:
    """End the element, and remove what was written within it."""
    state = page.state
    if state[MUTE] != 0:
        state[MUTE] = 0
        state[OUT] = state[MUTE_OUT]
        state[SPACE] = state[MUTE_SPACE]


@kernel
def is_reading(tag: Any) -> Any:
    """Return whether an element holds the reading of a ruby annotation, or a parenthesis around it."""
    return tag in (_RT, _RP, _RTC)


@kernel
def start_muted(page: Any, tag: Any, name: Any) -> Any:
    """Return whether a start tag belongs to the muted element; if it does not, the element has ended."""
    state = page.state
    kind = state[MUTE_KIND]
    if kind == RUBY:
        if is_reading(tag):
            return True
        if tag in (_RB, _RUBY) or TAG_KINDS[tag] & BLOCK_TAG:
            unmute(page)
            return False
        return True
    if kind == SELECT and (tag in (_INPUT, _TEXTAREA, _SELECT) or is_table_part(tag)):
        unmute(page)
        return tag == _SELECT
    if kind == FOREIGN and TAG_KINDS[tag] & BREAKOUT and state[MUTE_BLOCKS] == 0:
        unmute(page)
        return False
    if state[TAG_FLAGS] & SELF_CLOSED and kind == FOREIGN:
        return True
    if np.int64(name) == state[MUTE]:
        state[MUTE_COUNT] += 1
    elif _is_counted(tag) and (kind != FOREIGN or tag == _FOREIGN_OBJECT or state[MUTE_BLOCKS] > 0):
        state[MUTE_BLOCKS] += 1
    return True


@kernel
def end_muted(page: Any, tag: Any, name: Any) -> Any:
    """Return whether an end tag belongs to the muted element; if it does not, the element has ended."""
    state = page.state
    if state[MUTE_KIND] == RUBY:
        belongs = is_reading(tag)
        if belongs or tag in (_RUBY, _RB) or TAG_KINDS[tag] & BLOCK_TAG:
            unmute(page)
            return belongs
        return True
    if np.int64(name) == state[MUTE]:
        state[MUTE_COUNT] -= 1
        if state[MUTE_COUNT] == 0:
            unmute(page)
        return True
    if not _is_counted(tag):
        return True
    if state[MUTE_BLOCKS] > 0:
        state[MUTE_BLOCKS] -= 1
        return True
    if tag == _FOREIGN_OBJECT:
        return True
    unmute(page)
    return False


@kernel
def _is_counted(tag: Any) -> Any:
    kinds = TAG_KINDS[tag]
    return (kinds & BLOCK_TAG and not kinds & VOID) or tag == _FOREIGN_OBJECT
