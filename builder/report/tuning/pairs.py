"""Print two texts side by side: the passages in which they differ."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

from builder.charts.text_changes import changed_parts
from builder.domain.visible import visible
from builder.report.bars.bar import WIDTH, cut_start

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from builder.charts.text_changes import Run
    from builder.operations.tune.near import NearPair

_MARGIN = 4
_COLUMN = (WIDTH - _MARGIN - 3) // 2
_MAX_LINES = 4
"""Lines of one passage."""

_CONTEXT_CHARS = 30
_CHANGE_CHARS = 90
MAX_PASSAGES = 3
"""Passages of a pair that are printed."""


def pair_lines(pair: NearPair) -> Iterator[str]:
    """Yield the addresses of a pair, and what differs: the merged document left, the kept one right."""
    room = WIDTH - 17
    merged, kept = (cut_start(one.url or one.record, width=room) for one in (pair.merged, pair.kept))
    yield f"  {pair.similarity:.3f}  merged  {merged}"
    yield f"         kept    {kept}"
    passages = list(_passages(pair.merged.text, pair.kept.text))
    if not passages:
        yield f"{' ' * _MARGIN}the words are the same"
    for left, right in passages[:MAX_PASSAGES]:
        yield from _beside(left, right)
    if (left_out := len(passages) - MAX_PASSAGES) > 0:
        yield f"{' ' * _MARGIN}and {left_out:,} more passages"


def _passages(left: str, right: str) -> Iterator[tuple[str, str]]:
    """Yield each difference with the words around it; brackets mark what only one side has."""
    start = max(0, _n_equal(left, right) - 2 * _CONTEXT_CHARS)
    parts = changed_parts(left[start:], right[start:])
    segments = list(_segments(parts.old, parts.new))
    for i, (old, new, differs) in enumerate(segments):
        if not differs or not (old + new).strip():
            continue
        before = _one_line(segments[i - 1][0])[-_CONTEXT_CHARS:] if i else ""
        after = _one_line(segments[i + 1][0])[:_CONTEXT_CHARS] if i + 1 < len(segments) else ""
        yield _marked(before, old, after), _marked(before, new, after)


def _n_equal(left: str, right: str) -> int:
    """Count the characters with which both texts begin."""
    shorter = min(len(left), len(right))
    return next((i for i in range(shorter) if left[i] != right[i]), shorter)


def _segments(old: Sequence[Run], new: Sequence[Run]) -> Iterator[tuple[str, str, bool]]:
    """Yield the parts that are equal on both sides, and between them those that differ."""
    i = j = 0
    while i < len(old) or j < len(new):
        left = old[i] if i < len(old) else None
        right = new[j] if j < len(new) else None
        if left and right and not left.differs and not right.differs:
            yield left.text, right.text, False
            i, j = i + 1, j + 1
            continue
        only_left = left.text if left and left.differs else ""
        only_right = right.text if right and right.differs else ""
        i, j = i + bool(only_left), j + bool(only_right)
        if not only_left and not only_right:
            return
        yield only_left, only_right, True


def _marked(before: str, change: str, after: str) -> str:
    shown = _one_line(change).strip()
    shown = shown if len(shown) <= _CHANGE_CHARS else f"{shown[:_CHANGE_CHARS]}…"
    return f"{before.lstrip()} [{shown}] {after.rstrip()}".strip()


def _one_line(text: str) -> str:
    return visible(re.sub(r"\s+", " ", text))


def _beside(left: str, right: str) -> Iterator[str]:
    columns = [textwrap.wrap(one, _COLUMN)[:_MAX_LINES] for one in (left, right)]
    for i in range(max(map(len, columns))):
        cells = [one[i] if i < len(one) else "" for one in columns]
        yield f"{' ' * _MARGIN}{cells[0].ljust(_COLUMN)} | {cells[1]}".rstrip()
    yield f"{' ' * _MARGIN}{'-' * _COLUMN}-+-{'-' * _COLUMN}"
