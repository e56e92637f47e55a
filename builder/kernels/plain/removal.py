"""Choose the units that leave a text, name their class, and write the text without them."""

from __future__ import annotations

from typing import Any

import numpy as np

from builder.kernels.html.letters import COMMA
from builder.kernels.html.trees import best_cut, score
from builder.kernels.jit import kernel
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
    UNIT_STOPS,
    UNIT_WORDS,
)
from builder.kernels.plain.shapes import correct_by_shape

KEPT, REPEATED_TITLE, AMOUNTS, SHORT_LINES, THREAD, NOTICE = range(6)
"""Classes of a unit."""

CLASS_NAMES = ("kept", "title", "amounts", "links", "comments", "notice")

SURE = 1000
"""The score of a unit that leaves by a rule."""

_FIRST_UNITS, _NEAR_UNITS = 40, 8
_MIN_TITLE_WORDS, _MAX_TITLE_WORDS = 2, 48


@kernel
def choose_units(n: Any, memory: Any, trees: Any, limits: Any, title: Any, rows: Any, classes: Any) -> None:
    """Fill in the class of each unit, and the probability that it is main text.

    Args:
        n: number of units.
        memory: ``Units`` that are described.
        trees: the model.
        limits: int64[2]; the cut is not below the first and not above the second, in 1/1000.
        title: the hash of the page's title, 0 if it has none.
        rows: scores int32[n], open_rows int32[n], buckets int64[CERTAIN + 1] and words int64[n], overwritten.
        classes: uint8[n], overwritten.
    """
    scores, open_rows, buckets, words = rows
    score(memory.features, n, trees, scores, open_rows)
    for i in range(n):
        words[i] = memory.counts[i, UNIT_WORDS]
    cut = best_cut(scores, words, n, limits[0], limits[1], buckets)
    for i in range(n):
        classes[i] = scores[i] < cut
    if n > 0:
        correct_by_shape(n, memory, scores, classes)
    last = -1
    for i in range(n):
        if classes[i] != KEPT:
            classes[i] = SHORT_LINES
        if classes[i] == KEPT and memory.counts[i, UNIT_STOPS] > 0:
            last = i
    _name_classes(n, last, memory, classes)
    _leave_out_titles(n, memory, title, scores, classes)


@kernel
def _name_classes(n: Any, last: Any, memory: Any, classes: Any) -> None:
    """Tell amounts, comments and notices from links by their shape and place.

    Args:
        last: the last unit that stays and has a sentence, -1 without one.
    """
    for i in range(n):
        if classes[i] == KEPT:
            continue
        row = memory.counts[i]
        if row[UNIT_AMOUNTS] > 0:
            classes[i] = AMOUNTS
        elif row[UNIT_STOPS] > 0 and row[UNIT_WORDS] >= 4:
            classes[i] = THREAD if 0 <= last < i else NOTICE


@kernel
def _leave_out_titles(n: Any, memory: Any, title: Any, scores: Any, classes: Any) -> None:
    """Leave out all lines with the words of the title except one.

    The title is the one of the page, or the first line, also without what follows its first separator. Words
    alone are compared, so that quotes and dashes do not matter. The copy with the greatest score stays, or
    none if the model leaves all of them out.
    """
    if n == 0:
        return
    stays = -1
    for i in range(min(n, _FIRST_UNITS)):
        if classes[i] != KEPT or not _is_title(i, n, memory, title):
            continue
        if stays >= 0:
            loser = i if scores[stays] >= scores[i] else stays
            stays = stays if loser == i else i
            classes[loser] = REPEATED_TITLE
            scores[loser] = 0
        else:
            stays = i


@kernel
def _is_title(i: Any, n: Any, memory: Any, title: Any) -> Any:
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
    whole = memory.hashes[0, H_WORDS]
    before = memory.hashes[0, H_FRONT]
    if i > 0 and words != whole and (before == 0 or words != before) and front != whole:
        return False
    is_alone = memory.units[i, U_BLANK] > 0 or (i + 1 < n and memory.units[i + 1, U_BLANK] > 0)
    return is_alone or (i <= _NEAR_UNITS and row[UNIT_COPIES] <= 2)


@kernel
def write_kept(
    data: Any, start: Any, end: Any, flat: Any, n: Any, memory: Any, classes: Any, out: Any
) -> Any:
    """Write the units that stay, and return the number of bytes.

    White space between two units that were next to each other stays. Where units left between them, a line
    end remains, and a blank line if there was one.

    Args:
        out: uint8[end - start + n], overwritten.
    """
    units = memory.units
    o = 0
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
        for at in range(first, units[i, U_END]):
            out[o] = data[at]
            o += 1
        before = i
    if before == n - 1 and before >= 0:
        for at in range(units[before, U_END], end):
            out[o] = data[at]
            o += 1
    return o


@kernel
def list_spans(n: Any, memory: Any, scores: Any, classes: Any, spans: Any) -> Any:
    """Write the runs of units of one class that left, and return how many there are.

    Args:
        spans: int64[n, 4], overwritten: first byte, end, class, and the greatest probability of main text.
    """
    n_spans = 0
    before = KEPT
    for i in range(n):
        kind = classes[i]
        if kind != KEPT:
            if kind == before:
                spans[n_spans - 1, 1] = memory.units[i, U_END]
                spans[n_spans - 1, 3] = max(spans[n_spans - 1, 3], np.int64(scores[i]))
            else:
                spans[n_spans, 0] = memory.units[i, U_START]
                spans[n_spans, 1] = memory.units[i, U_END]
                spans[n_spans, 2] = kind
                spans[n_spans, 3] = scores[i]
                n_spans += 1
        before = kind
    return n_spans
