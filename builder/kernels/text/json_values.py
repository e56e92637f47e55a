"""Find the records of a JSON text of any size, chunk by chunk, without parsing them.

A text is a sequence of values: one document, several documents one after the other, or JSON lines. Each value
is a record, or a path leads from it to its records: the elements of an array, or the places of a JSON
pointer. Containers on the path are open ``levels``. A value that is not on the path, and a record, is only
balanced: brackets are counted, strings are skipped.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from builder.kernels.jit import kernel
from builder.kernels.text.json_escapes import next_mark

EVENT_RECORD, EVENT_MISS, EVENT_BEGIN = 0, 1, 2
"""Kinds of events: a record, a value in which the path leads to no record, the begin of a value."""

MAX_POINTER_STEPS = 64
"""Steps of a path, at most."""

MAX_BRACKETS = 1025
"""Levels inside a record of which the kind of bracket is known."""

LOOK_AHEAD_BYTES = 64
"""Bytes behind a line feed in a string that decide whether a new record begins there."""

S_MODE, S_LEVEL, S_INNER, S_WANTED, S_START, S_TOP, S_STEPS, S_DEEPEST, S_N_FOUND = range(9)
S_IS_EMPTY, S_ESCAPED, S_BEFORE, S_NEW_LINE, S_KEY_BYTES, S_MATCHES, S_N_EVENTS, S_ANY = range(9, 17)
N_STATE = 17
"""The places of the state that is kept between two chunks; all are 0 at the begin of a file."""

IN_BETWEEN, IN_INSIDE, IN_STRING, IN_KEY, IN_COLON, IN_MEMBER, IN_WORD, IN_LINE = range(8)
"""The modes. IN_WORD is a scalar in a container on the path, IN_LINE is text outside all containers."""

_LF, _RS, _QUOTE, _COMMA, _COLON, _SLASH = 0x0A, 0x1E, 0x22, 0x2C, 0x3A, 0x5C
_OPEN_ARRAY, _CLOSE_ARRAY, _OPEN_OBJECT, _CLOSE_OBJECT = 0x5B, 0x5D, 0x7B, 0x7D


@kernel
def find_values(
    data: Any,
    at: Any,
    base: Any,
    is_last: Any,
    state: Any,
    brackets: Any,
    children: Any,
    inner: Any,
    key: Any,
    names: Any,
    name_offsets: Any,
    indexes: Any,
    is_auto: Any,
    events: Any,
) -> Any:
    """Scan a chunk from ``at``, and fill ``events`` while there is room.

    A record that breaks off does not take the next ones with it. It ends before an object that begins a line
    where no value can begin, and before a line feed in a string that is followed by ``{"``.

    Args:
        data: uint8[n_bytes], a chunk of the text.
        base: the offset of the chunk in the text.
        is_last: whether no chunk follows.
        state: int64[N_STATE].
        brackets: uint8[MAX_POINTER_STEPS], the brackets of the open containers on the path.
        children: int64[MAX_POINTER_STEPS], the number of their children so far.
        inner: uint8[MAX_BRACKETS], the open brackets inside a record.
        key: uint8[n], room for one byte more than the longest name.
        names: uint8[n], the steps of the path concatenated, as they are written between quotes.
        name_offsets: int64[n_steps + 1].
        indexes: int64[n_steps]: -2 for a step that matches any child, the number of an element, or -1.
        is_auto: whether the path leads into arrays only; any other value is a record itself.
        events: int64[room, 4]: kind, start and stop in the text, and the steps of the path that matched.

    Returns:
        The position in ``data`` up to which the text is scanned. It is before the end if ``events`` is full,
        or if bytes of the next chunk decide; ``state[S_N_EVENTS]`` is the number of events.
    """
    state[S_N_EVENTS] = 0
    end = len(data)
    while at < end and state[S_N_EVENTS] < len(events) - 3:
        mode = state[S_MODE]
        if mode == IN_INSIDE:
            at = _inside(data, at, base, state, brackets, inner, events)
        elif mode == IN_STRING:
            stop = _string(data, at, base, is_last, state, brackets, events)
            if stop < 0:
                return at
            at = stop
        elif mode == IN_KEY:
            at = _key(data, at, state, key, names, name_offsets)
        elif mode == IN_COLON:
            if data[at] > 0x20:
                state[S_MODE] = IN_MEMBER
            at += np.int64(data[at] <= 0x20 or data[at] == _COLON)
        elif mode == IN_WORD:
            byte = data[at]
            if byte in (_COMMA, _CLOSE_ARRAY, _CLOSE_OBJECT):
                _end(base + at, state, events)
            else:
                at += 1
        elif mode == IN_LINE:
            at = _line(data, at, base, state, events)
        else:
            at = _between(data, at, base, state, brackets, children, inner, indexes, is_auto, events)
    return at


@kernel
def _between(
    data: Any, at: Any, base: Any, state: Any, brackets: Any, children: Any, inner: Any, indexes: Any,
    is_auto: Any, events: Any,
) -> Any:  # fmt: skip
    """Scan one byte between two values, or between a colon and the value of a member."""
    byte = data[at]
    level = state[S_LEVEL]
    if byte == 32 or byte == 9 or byte == 13 or byte in (_LF, _RS):
        return at + 1
    if byte == _COMMA:
        state[S_MODE] = IN_BETWEEN
        return at + 1
    if level > 0 and (byte in (_CLOSE_ARRAY, _CLOSE_OBJECT)):
        if children[level - 1] == 0 and indexes[level - 1] == -2:
            state[S_IS_EMPTY] = 1
        state[S_LEVEL] = level - 1
        state[S_MODE] = IN_BETWEEN
        if level == 1:
            _end_of_top(base + at + 1, state, events)
        return at + 1
    if state[S_MODE] == IN_BETWEEN and level > 0 and brackets[level - 1] == _OPEN_OBJECT:
        if byte == _QUOTE:
            state[S_MODE] = IN_KEY
            state[S_KEY_BYTES] = state[S_ESCAPED] = 0
            return at + 1
        state[S_MATCHES] = -1
    return _begin(byte, at, base, state, brackets, children, inner, indexes, is_auto, events)


@kernel
def _begin(
    byte: Any, at: Any, base: Any, state: Any, brackets: Any, children: Any, inner: Any, indexes: Any,
    is_auto: Any, events: Any,
) -> Any:  # fmt: skip
    """Begin a value: open a container on the path, or begin a record or a value that is skipped."""
    level = state[S_LEVEL]
    is_container = byte in (_OPEN_ARRAY, _OPEN_OBJECT)
    is_on_path = True
    if level == 0:
        state[S_ANY] = 1
        state[S_TOP] = base + at
        state[S_N_FOUND] = state[S_DEEPEST] = state[S_IS_EMPTY] = 0
        state[S_STEPS] = len(indexes)
        if not is_container or (is_auto and byte == _OPEN_OBJECT):
            state[S_STEPS] = 0
        if not is_auto:
            _emit(EVENT_BEGIN, base + at, base + at, 0, state, events)
    else:
        index = indexes[level - 1]
        if brackets[level - 1] == _OPEN_ARRAY:
            is_on_path = index == -2 or index == children[level - 1]
        else:
            is_on_path = index == -2 or state[S_MATCHES] == level - 1
        children[level - 1] += 1
    if is_on_path:
        state[S_DEEPEST] = max(state[S_DEEPEST], level)
    state[S_WANTED] = np.int64(is_on_path and level == state[S_STEPS])
    if is_container and is_on_path and level < state[S_STEPS]:
        brackets[level] = byte
        children[level] = 0
        state[S_LEVEL] = level + 1
        state[S_MODE] = IN_BETWEEN
        return at + 1
    state[S_START] = base + at
    state[S_INNER] = state[S_ESCAPED] = state[S_NEW_LINE] = 0
    if is_container:
        state[S_MODE] = IN_INSIDE
        state[S_INNER] = 1
        inner[0] = state[S_BEFORE] = byte
    elif level == 0:
        state[S_MODE] = IN_LINE
    elif byte == _QUOTE:
        state[S_MODE] = IN_STRING
    else:
        state[S_MODE] = IN_WORD
    return at + 1


@kernel
def _inside(data: Any, at: Any, base: Any, state: Any, brackets: Any, inner: Any, events: Any) -> Any:
    """Scan a container up to its end, to a string in it, or to the end of the chunk."""
    depth, before, is_new_line = state[S_INNER], state[S_BEFORE], state[S_NEW_LINE]
    while at < len(data):
        byte = np.int64(data[at])
        if byte <= 0x20:
            is_new_line |= np.int64(byte == _LF)
            at += 1
            continue
        if byte == _QUOTE:
            state[S_MODE] = IN_STRING
            at += 1
            break
        if byte in (_OPEN_OBJECT, _OPEN_ARRAY):
            kind = inner[depth - 1] if depth <= MAX_BRACKETS else _OPEN_ARRAY
            is_place = before in (_COLON, _OPEN_ARRAY) or (before == _COMMA and kind == _OPEN_ARRAY)
            if is_new_line and byte == _OPEN_OBJECT and not is_place and _may_begin(state, brackets):
                _end(base + at, state, events)
                break
            if depth < MAX_BRACKETS:
                inner[depth] = byte
            depth += 1
        elif byte in (_CLOSE_OBJECT, _CLOSE_ARRAY):
            depth -= 1
            if depth == 0:
                at += 1
                _end(base + at, state, events)
                break
        is_new_line = 0
        before = byte
        at += 1
    state[S_INNER], state[S_BEFORE], state[S_NEW_LINE] = depth, before, is_new_line
    return at


@kernel
def _string(data: Any, at: Any, base: Any, is_last: Any, state: Any, brackets: Any, events: Any) -> Any:
    """Scan a string up to its next mark; return -1 if bytes of the next chunk decide."""
    if state[S_ESCAPED]:
        state[S_ESCAPED] = 0
        return at + 1
    at = next_mark(data, at, len(data))
    if at == len(data):
        return at
    if data[at] == _SLASH:
        state[S_ESCAPED] = 1
    elif data[at] == _QUOTE:
        state[S_BEFORE] = _QUOTE
        state[S_NEW_LINE] = 0
        state[S_MODE] = IN_INSIDE
        if state[S_INNER] == 0:
            _end(base + at + 1, state, events)
    elif data[at] == _LF and state[S_INNER] > 0 and _may_begin(state, brackets):
        answer = _record_follows(data, at + 1)
        if answer < 0 and not is_last:
            return -1
        if answer > 0:
            _end(base + at, state, events)
    return at + 1


@kernel
def _record_follows(data: Any, at: Any) -> Any:
    """Return 1 if ``{"`` follows behind blanks, 0 if something else follows, -1 if the chunk ends before."""
    stop = at + LOOK_AHEAD_BYTES
    while at < stop and at < len(data) and (data[at] == 0x20 or data[at] == 0x09 or data[at] == 0x0D):
        at += 1
    if at >= stop:
        return 0
    if at >= len(data):
        return -1
    if data[at] != _OPEN_OBJECT:
        return 0
    if at + 1 >= len(data):
        return -1
    return 1 if data[at + 1] == _QUOTE else 0


@kernel
def _may_begin(state: Any, brackets: Any) -> Any:
    """Return whether another value may follow the current one without a key."""
    return state[S_LEVEL] == 0 or brackets[state[S_LEVEL] - 1] == _OPEN_ARRAY


@kernel
def _line(data: Any, at: Any, base: Any, state: Any, events: Any) -> Any:
    """Scan text outside all containers: it ends where a line begins with a container."""
    while at < len(data):
        byte = data[at]
        is_container = byte in (_OPEN_OBJECT, _OPEN_ARRAY)
        if byte == _RS or (is_container and state[S_NEW_LINE]):
            _end(base + at, state, events)
            return at
        if byte == _LF:
            state[S_NEW_LINE] = 1
        elif byte != 0x20 and byte != 0x09 and byte != 0x0D:
            state[S_NEW_LINE] = 0
        at += 1
    return at


@kernel
def _key(data: Any, at: Any, state: Any, key: Any, names: Any, name_offsets: Any) -> Any:
    """Scan one byte of a key of an object on the path; at its end, compare it with the step of the path."""
    byte = data[at]
    if byte == _QUOTE and not state[S_ESCAPED]:
        step = state[S_LEVEL] - 1
        first = name_offsets[step]
        size = name_offsets[step + 1] - first
        matches = size == state[S_KEY_BYTES]
        for i in range(size if matches else 0):
            matches = matches and key[i] == names[first + i]
        state[S_MATCHES] = step if matches else -1
        state[S_MODE] = IN_COLON
        return at + 1
    state[S_ESCAPED] = np.int64(byte == _SLASH and not state[S_ESCAPED])
    if state[S_KEY_BYTES] < len(key):
        key[state[S_KEY_BYTES]] = byte
        state[S_KEY_BYTES] += 1
    return at + 1


@kernel
def _end(stop: Any, state: Any, events: Any) -> None:
    """End a record or a value that was skipped."""
    if state[S_WANTED]:
        state[S_N_FOUND] += 1
        _emit(EVENT_RECORD, state[S_START], stop, state[S_LEVEL], state, events)
    state[S_MODE] = IN_BETWEEN
    if state[S_LEVEL] == 0:
        _end_of_top(stop, state, events)


@kernel
def _end_of_top(stop: Any, state: Any, events: Any) -> None:
    if state[S_N_FOUND] == 0 and not state[S_IS_EMPTY]:
        _emit(EVENT_MISS, state[S_TOP], stop, state[S_DEEPEST], state, events)


@kernel
def _emit(kind: Any, start: Any, stop: Any, steps: Any, state: Any, events: Any) -> None:
    place = state[S_N_EVENTS]
    events[place, 0] = kind
    events[place, 1] = start
    events[place, 2] = stop
    events[place, 3] = steps
    state[S_N_EVENTS] = place + 1
