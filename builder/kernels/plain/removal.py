"""Choose the units that leave a text, and write the text without them."""

from __future__ import annotations

from typing import Any

import numpy as np

from builder.kernels.html.letters import COMMA
from builder.kernels.html.trees import best_cut
from builder.kernels.jit import kernel
from builder.kernels.plain.classes import KEPT, NAVIGATION, TITLE
from builder.kernels.plain.layout import (
    H_FRONT,
    H_WORDS,
    U_BLANK,
    U_END,
    U_INDENT,
    U_START,
    UNIT_AMOUNTS,
    UNIT_COPIES,
    UNIT_LAST,
    UNIT_SEPARATORS,
    UNIT_STOPS,
    UNIT_WORDS,
)
from builder.kernels.plain.leaves import score_units
from builder.kernels.plain.runs import choose_runs
from builder.kernels.plain.shapes import correct_by_shape

SPAN_ROW, SPAN_START, SPAN_END, SPAN_CLASS, SPAN_MOST, N_SPAN = range(6)
"""Columns of a removed span: its text, its first byte, its end, its class, the greatest score in it."""

_FIRST_UNITS, _NEAR_UNITS = 40, 8
_MIN_TITLE_WORDS, _MAX_TITLE_WORDS = 2, 48
_NEAR_DOUBLES, _MIN_DOUBLE_WORDS = 4, 3
_GONE_TITLE = 255
"""The class of a copy of the title that the model left out, until it is known whether another one stays."""


@kernel
def choose_units(n: Any, memory: Any, trees: Any, limits: Any, title: Any, rows: Any) -> None:
    """Choose which units leave, and fill in the probability that a unit is main text.

    Args:
        n: number of units.
        memory: ``Units`` that are described.
        trees: the model.
        limits: int64[2]; the cut is not below the first and not above the second, in 1/1000.
        title: the hash of the page's title, 0 if it has none.
        rows: ``Choice``, overwritten. The class of units that leave is ``NAVIGATION``, of copies of the
            title ``TITLE``.
    """
    scores, classes = rows.scores, rows.classes
    score_units(memory.columns, n, trees, rows.left, scores)
    for i in range(n):
        rows.words[i] = memory.counts[i, UNIT_WORDS]
    cut = best_cut(scores, rows.words, n, limits[0], limits[1], rows.buckets)
    choose_runs(n, scores, rows.words, cut, rows.steps, classes)
    if n > 0:
        correct_by_shape(n, memory, scores, classes)
    for i in range(n):
        if classes[i] != KEPT:
            classes[i] = NAVIGATION
    _leave_out_titles(n, memory, title, scores, classes)


@kernel
def _leave_out_titles(n: Any, memory: Any, title: Any, scores: Any, classes: Any) -> None:
    """Leave out all lines with the words of the title except one.

    The title is the one of the page, or the first line, also without what follows its first separator, or a
    line that is there twice close above the main text. Words alone are compared, so that quotes and dashes do
    not matter. The copy with the greatest score stays. If the model leaves all copies out, the one closest
    above the main text stays.
    """
    head = 0
    while head < n and (classes[head] != KEPT or memory.counts[head, UNIT_STOPS] == 0):
        head += 1
    doubled = _doubled(head if head < n else 0, memory)
    stays = -1
    nearest = -1
    end = min(n, max(_FIRST_UNITS, head))
    for i in range(end):
        if not _is_title(i, n, memory, title, doubled):
            continue
        if classes[i] != KEPT:
            if not (i > 0 or title != 0 or memory.counts[i, UNIT_COPIES] > 1):
                continue
            classes[i] = _GONE_TITLE
            if head < n and head - _NEAR_UNITS <= i < head and _can_be_title(memory.counts[i]):
                nearest = i
        elif stays >= 0:
            loser = i if scores[stays] >= scores[i] else stays
            stays = stays if loser == i else i
            classes[loser] = TITLE
            scores[loser] = 0
        else:
            stays = i
    if stays < 0 and nearest >= 0:
        classes[nearest] = KEPT
        stays = nearest
    for i in range(end):
        if classes[i] == _GONE_TITLE:
            classes[i] = TITLE if stays >= 0 else NAVIGATION


@kernel
def _can_be_title(row: Any) -> Any:
    return row[UNIT_SEPARATORS] == 0 and row[UNIT_AMOUNTS] == 0 and row[UNIT_LAST] != COMMA


@kernel
def _doubled(head: Any, memory: Any) -> Any:
    """Return the hash of a line that is there twice, once close above the main text; 0 without one.

    Args:
        head: the first unit that stays and has a sentence.
    """
    for i in range(head - 1, max(head - _NEAR_DOUBLES, 0) - 1, -1):
        row = memory.counts[i]
        if row[UNIT_WORDS] >= _MIN_DOUBLE_WORDS and row[UNIT_COPIES] == 2 and _can_be_title(row):
            return memory.hashes[i, H_WORDS]
    return np.uint64(0)


@kernel
def _is_title(i: Any, n: Any, memory: Any, title: Any, doubled: Any) -> Any:
    """Return whether a unit has the words of the title.

    A line of a poem may be there twice as well. So a copy of the first line counts only if a blank line is
    next to it, or if it is near and the only copy.
    """
    row = memory.counts[i]
    if not _MIN_TITLE_WORDS <= row[UNIT_WORDS] <= _MAX_TITLE_WORDS or row[UNIT_LAST] == COMMA:
        return False
    words = memory.hashes[i, H_WORDS]
    front = memory.hashes[i, H_FRONT]
    if title != 0 and (words == title or front == title):
        return True
    if doubled != 0 and words == doubled:
        return True
    whole = memory.hashes[0, H_WORDS]
    before = memory.hashes[0, H_FRONT]
    if i > 0 and words != whole and (before == 0 or words != before) and front != whole:
        return False
    is_alone = memory.units[i, U_BLANK] > 0 or (i + 1 < n and memory.units[i + 1, U_BLANK] > 0)
    return is_alone or (i <= _NEAR_UNITS and row[UNIT_COPIES] <= 2)


@kernel
def append_bytes(data: Any, start: Any, end: Any, out: Any, o: Any) -> Any:
    """Copy bytes to ``out[o:]``, and return the end of what is written."""
    size = end - start
    source = data[start:end]
    target = out[o : o + size]
    for i in range(size):
        target[i] = source[i]
    return o + size


@kernel
def write_kept(
    data: Any, start: Any, end: Any, flat: Any, n: Any, memory: Any, classes: Any, out: Any, o: Any
) -> Any:
    """Write the units that stay, and return the end of what is written.

    White space between two units that were next to each other stays. Where units left between them, a line
    end remains, and a blank line if there was one. The result is never longer than the text.

    Args:
        out: uint8[n_out], overwritten from ``o`` on.
        o: where to write.
    """
    units = memory.units
    before = -1
    for i in range(n):
        if classes[i] != KEPT:
            continue
        first = units[i, U_START]
        if before == i - 1:
            first = units[before, U_END] if before >= 0 else start
        elif before < 0:
            first -= units[i, U_INDENT]
        elif flat:
            if first > start and data[first - 1] <= 0x20:
                first -= 1
        else:
            blank = 0
            for k in range(before + 1, i + 1):
                blank |= units[k, U_BLANK] > 0
            for _ in range(1 + blank):
                out[o] = 0x0A
                o += 1
            first -= units[i, U_INDENT]
        o = append_bytes(data, first, units[i, U_END], out, o)
        before = i
    if before == n - 1 and before >= 0:
        o = append_bytes(data, units[before, U_END], end, out, o)
    return o


@kernel
def list_spans(n: Any, memory: Any, scores: Any, classes: Any, row: Any, spans: Any, at: Any) -> Any:
    """Add the runs of units of one class that left, and return how many spans there are then.

    Args:
        row: the row of the text, which each span names.
        spans: int64[n_spans, N_SPAN], overwritten from ``at`` on.
        at: how many spans there are.
    """
    before = KEPT
    for i in range(n):
        kind = classes[i]
        if kind != KEPT:
            if kind == before:
                spans[at - 1, SPAN_END] = memory.units[i, U_END]
                spans[at - 1, SPAN_MOST] = max(spans[at - 1, SPAN_MOST], np.int64(scores[i]))
            else:
                spans[at, SPAN_ROW] = row
                spans[at, SPAN_START] = memory.units[i, U_START]
                spans[at, SPAN_END] = memory.units[i, U_END]
                spans[at, SPAN_CLASS] = kind
                spans[at, SPAN_MOST] = scores[i]
                at += 1
        before = kind
    return at
