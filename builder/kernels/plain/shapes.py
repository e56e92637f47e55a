"""Correct the choice of units by shape: tables, code and verse stay whole, short threads leave whole."""

from __future__ import annotations

from typing import Any

import numpy as np

from builder.kernels.html.letters import COMMA, STOP
from builder.kernels.jit import kernel
from builder.kernels.plain.layout import (
    H_WORDS,
    U_BLANK,
    UNIT_AMOUNTS,
    UNIT_CELLS,
    UNIT_CHARS,
    UNIT_CODE,
    UNIT_COPIES,
    UNIT_LAST,
    UNIT_SEPARATORS,
    UNIT_WORDS,
)

SMALL_UNITS = 40
"""In a text with at most so many units the model has little to go by."""

_SURE_OF_FIRST = 120
_MIN_ROWS = 3
_CODE_REACH, _MAX_CODE_CHARS = 3, 200
_MAX_VERSE_CHARS, _MIN_VERSE_LINES, _MAX_VERSE_LINES = 90, 3, 60
_BUTTON_WORDS = 3
_MARKER_WORDS, _MARKER_CHARS, _MAX_COMMENT_UNITS = 3, 24, 12
_CLEARLY_MAIN = 600
_THREAD_SHARE = 5
"""The words that leave with a thread are at most one fifth of those that would stay."""

_IN_THREAD = 2
"""A unit that leaves if the threads of its text are not most of the text."""


@kernel
def correct_by_shape(n: Any, memory: Any, scores: Any, leaves: Any) -> None:
    """Change which units leave.

    Args:
        n: number of units.
        memory: ``Units`` that are described.
        scores: int32[n], the probability that a unit is main text, in 1/1000.
        leaves: uint8[n], 1 for a unit that leaves; changed in place.
    """
    _drop_threads(n, memory, scores, leaves)
    _drop_buttons(n, memory, leaves)
    _keep_first(n, memory, scores, leaves)
    _keep_tables(n, memory, leaves)
    _keep_code(n, memory, leaves)
    _keep_verse(n, memory, leaves)


@kernel
def _touches(i: Any, memory: Any) -> Any:
    """Return whether no blank line is between a unit and the one before it."""
    return i > 0 and memory.units[i, U_BLANK] == 0


@kernel
def _keep_first(n: Any, memory: Any, scores: Any, leaves: Any) -> None:
    """Keep the first line of a small text if it can be its title and the model is not sure against it."""
    row = memory.counts[0]
    if n > SMALL_UNITS or row[UNIT_WORDS] < 2 or row[UNIT_SEPARATORS] > 0 or row[UNIT_AMOUNTS] > 0:
        return
    heads_a_block = n > 1 and _touches(1, memory) and leaves[1] == 1
    if heads_a_block and memory.hashes[0, H_WORDS] != memory.hashes[1, H_WORDS]:
        return
    if row[UNIT_LAST] != STOP and scores[0] >= _SURE_OF_FIRST:
        leaves[0] = 0


@kernel
def _keep_tables(n: Any, memory: Any, leaves: Any) -> None:
    """Keep at least three lines next to each other with the same number of cells."""
    start = 0
    for i in range(1, n + 1):
        cells = memory.counts[start, UNIT_CELLS]
        if i < n and cells > 0 and memory.counts[i, UNIT_CELLS] == cells and _touches(i, memory):
            continue
        if cells > 0 and i - start >= _MIN_ROWS:
            for k in range(start, i):
                leaves[k] = 0
        start = i


@kernel
def _keep_code(n: Any, memory: Any, leaves: Any) -> None:
    """Keep lines with signs of programs that are near each other, and what is between them."""
    before = -1
    for i in range(n):
        row = memory.counts[i]
        if row[UNIT_CODE] == 0 or row[UNIT_CHARS] > _MAX_CODE_CHARS:
            continue
        if before >= 0 and i - before <= _CODE_REACH:
            for k in range(before, i + 1):
                leaves[k] = 0
        before = i


@kernel
def _keep_verse(n: Any, memory: Any, leaves: Any) -> None:
    """Keep a line that continues one with a comma, and stanzas of which most lines stay.

    A stanza is a few short lines next to each other, at least half of them with a sign at the end.
    """
    start = 0
    kept = 0
    signs = 0
    short = True
    for i in range(n + 1):
        if i == n or not _touches(i, memory):
            size = i - start
            is_stanza = short and _MIN_VERSE_LINES <= size <= _MAX_VERSE_LINES and 2 * signs >= size
            if is_stanza and 3 * kept >= 2 * size:
                for k in range(start, i):
                    leaves[k] = 0
            start = i
            kept = 0
            signs = 0
            short = True
        if i == n:
            break
        row = memory.counts[i]
        if leaves[i] == 1 and row[UNIT_CHARS] <= _MAX_VERSE_CHARS and _continues(i, memory, leaves):
            leaves[i] = 0
        kept += leaves[i] == 0
        signs += row[UNIT_LAST] == COMMA or row[UNIT_LAST] == STOP
        short = short and row[UNIT_CHARS] <= _MAX_VERSE_CHARS


@kernel
def _continues(i: Any, memory: Any, leaves: Any) -> Any:
    """Return whether the line before a unit stays and ends with a comma."""
    return _touches(i, memory) and leaves[i - 1] == 0 and memory.counts[i - 1, UNIT_LAST] == COMMA


@kernel
def _drop_buttons(n: Any, memory: Any, leaves: Any) -> None:
    """Let a few words leave with the block that they belong to: a button below it, or its heading."""
    for i in range(n):
        row = memory.counts[i]
        if leaves[i] == 1 or row[UNIT_WORDS] > _BUTTON_WORDS or row[UNIT_LAST] in (STOP, COMMA):
            continue
        joined_before = i > 0 and _touches(i, memory)
        joined_after = i + 1 < n and _touches(i + 1, memory)
        leaves_before = i > 0 and leaves[i - 1] == 1
        leaves_after = i + 1 < n and leaves[i + 1] == 1
        is_button = joined_before and leaves_before and (not joined_after or leaves_after)
        is_heading = joined_after and leaves_after and (not joined_before or leaves_before)
        if is_button or is_heading:
            leaves[i] = 1


@kernel
def _drop_threads(n: Any, memory: Any, scores: Any, leaves: Any) -> None:
    """Let whole comments leave: what is between copies of a short line, such as a button to reply.

    What the model is sure of stays. In a forum and in a list of products, the threads are the main text: if
    many words would leave, all of them stay.
    """
    for i in range(n):
        row = memory.counts[i]
        if leaves[i] != 1 or row[UNIT_COPIES] < 2 or not _is_marker(row):
            continue
        for k in range(i + 2, min(i + _MAX_COMMENT_UNITS + 1, n)):
            if memory.hashes[k, H_WORDS] == memory.hashes[i, H_WORDS]:
                if leaves[k] == 1 and _leave_mostly(i, k, leaves):
                    _mark_thread(_start_of_first(i, k, scores, leaves), k, scores, leaves)
                break
    stays = np.int64(0)
    in_threads = np.int64(0)
    for i in range(n):
        if leaves[i] == 0:
            stays += memory.counts[i, UNIT_WORDS]
        elif leaves[i] == _IN_THREAD:
            in_threads += memory.counts[i, UNIT_WORDS]
    is_few = _THREAD_SHARE * in_threads <= stays + in_threads
    for i in range(n):
        if leaves[i] == _IN_THREAD:
            leaves[i] = is_few


@kernel
def _leave_mostly(start: Any, end: Any, leaves: Any) -> Any:
    """Return whether at least half of some units leave by themselves."""
    n_leave = 0
    for i in range(start, end):
        n_leave += leaves[i] == 1
    return 2 * n_leave >= end - start


@kernel
def _start_of_first(marker: Any, following: Any, scores: Any, leaves: Any) -> Any:
    """Return the first unit of a comment and of the one before it, which has as many units.

    If one of the units before the comment is clearly main text, they are not a comment.
    """
    start = max(2 * marker - following + 1, 1)
    for i in range(start, marker):
        if leaves[i] == 0 and scores[i] >= _CLEARLY_MAIN:
            return np.int64(marker)
    return np.int64(min(start, marker))


@kernel
def _mark_thread(start: Any, end: Any, scores: Any, leaves: Any) -> None:
    for i in range(start, end):
        if leaves[i] == 0 and scores[i] < _CLEARLY_MAIN:
            leaves[i] = _IN_THREAD


@kernel
def _is_marker(row: Any) -> Any:
    return (
        row[UNIT_WORDS] <= _MARKER_WORDS
        and row[UNIT_CHARS] <= _MARKER_CHARS
        and row[UNIT_LAST] not in (STOP, COMMA)
    )
