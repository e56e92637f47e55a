"""Repair a text column: kernels find the lines to repair in Python, and tidy all white space themselves."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from builder.domain.text_buffers import text_buffers
from builder.kernels.text import screen as screening
from builder.kernels.text.tidy import find_lines, tidy
from builder.stages.repair import rules
from builder.stages.repair.rules import TooManyMarksError, fix_bytes, tables
from builder.stages.repair.work import TooMuchRepairError, Work

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from builder.stages.repair.rules import Options

    Texts = tuple[NDArray[np.uint8], NDArray[np.int64]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairedColumn:
    """A repaired column.

    Attributes:
        column: the repaired texts, with the type and the nulls of the original column.
        counts: number of changed documents (``repaired``), and the number for each repair.
        empty: int64[n], rows whose text is empty after the repair.
        refused: row -> ``too_many_marks`` or ``too_much_repair``; its text in ``column`` is undefined.
    """

    column: pa.Array
    counts: Counter[str]
    empty: NDArray[np.int64]
    refused: Mapping[int, str]


def repair_column(
    column: pa.Array, *, options: Options, is_literal: NDArray[np.bool_] | None = None
) -> RepairedColumn:
    """Repair each text of a string column.

    Args:
        is_literal: bool[n], the texts whose entities are not decoded, because a reader of the page sees them
            as text; None for no such text.
    """
    texts = text_buffers(column)
    data, offsets = texts
    flags, html_at = screen_column(data, offsets[:-1], offsets[1:], options=options)
    if is_literal is not None:
        html_at[is_literal] = -1
        flags[is_literal] &= ~screening.MARKUP
    if column.null_count:
        flags[column.is_null().to_numpy(zero_copy_only=False)] = 0
    if not flags.any():
        return RepairedColumn(
            column=column, counts=Counter(repaired=0), empty=np.empty(0, np.int64), refused={}
        )
    changes: dict[int, set[str]] = {row: {"line_ends"} for row in _rows(flags & screening.CRLF)}
    refused = dict.fromkeys(_rows(flags & screening.MANY_MARKS), "too_many_marks")
    fixed = _fix_lines(texts, flags, html_at, changes, refused, options=options)
    wanted = flags != 0
    wanted[list(refused)] = False
    (data, ends), n_removed = _tidied(fixed, wanted)
    for row in _rows(n_removed):
        changes.setdefault(row, set()).add("whitespace")
    emptied = wanted & (np.diff(ends) == 0) & (np.diff(offsets) > 0)
    counts = Counter(name for row in changes if row not in refused for name in sorted(changes[row]))
    counts["repaired"] = sum(row not in refused and not emptied[row] for row in changes)
    return RepairedColumn(
        column=_column_of(data, ends, like=column),
        counts=counts,
        empty=np.flatnonzero(emptied),
        refused=refused,
    )


def screen_column(
    data: NDArray[np.uint8], starts: NDArray[np.int64], stops: NDArray[np.int64], *, options: Options
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the flags of possible repairs in each text, and the position of its first ``<``.

    Returns:
        Two arrays int64[n_docs].
    """
    flags, html_at = np.zeros(len(starts), np.int64), np.zeros(len(starts), np.int64)
    max_line = rules.MAX_LINE_CHARS
    screening.screen(data, starts, stops, *tables(options), max_line, flags, html_at)
    return flags, html_at


def _rows(marks: NDArray[np.int64]) -> list[int]:
    rows: list[int] = np.flatnonzero(marks).tolist()
    return rows


# -- lines -----------------------------------------------------------------------------------------


def _fix_lines(
    texts: Texts,
    flags: NDArray[np.int64],
    html_at: NDArray[np.int64],
    changes: dict[int, set[str]],
    refused: dict[int, str],
    *,
    options: Options,
) -> Texts:
    """Replace faulty lines with repaired lines; add to ``changes`` and ``refused``."""
    data, offsets = texts
    view = memoryview(cast("Any", data))
    pieces: list[memoryview | bytes] = []
    grown = np.zeros(len(offsets) - 1, np.int64)
    done = int(offsets[0])
    work, worked_on = Work(), -1
    for row, start, stop in _lines_to_repair(texts, flags, html_at, options=options):
        if row in refused:
            continue
        if row != worked_on:
            work, worked_on = Work(), row
        is_html = bool(html_at[row] < start)
        try:
            fixed, changed = fix_bytes(view[start:stop], is_html=is_html, options=options, work=work)
        except (TooManyMarksError, TooMuchRepairError) as error:
            refused[row] = error.reason
            continue
        if changed:
            changes.setdefault(row, set()).update(changed)
            pieces += [view[done:start], fixed]
            grown[row] += len(fixed) - (stop - start)
            done = stop
    if not pieces:
        return texts
    pieces.append(view[done : int(offsets[-1])])
    lengths = np.diff(offsets) + grown
    return np.frombuffer(b"".join(pieces), np.uint8), np.concatenate([[0], np.cumsum(lengths)])


def _lines_to_repair(
    texts: Texts, flags: NDArray[np.int64], html_at: NDArray[np.int64], *, options: Options
) -> Iterator[tuple[int, int, int]]:
    """Yield row, start and stop of each line that the kernels cannot repair, in order."""
    data, offsets = texts
    wanted = (flags & ~screening.SOFT != 0) & (flags & screening.MANY_MARKS == 0)
    if not wanted.any():
        return
    room = np.empty((3, 1 << 12), np.int64)
    while (n_lines := find_lines(data, offsets, wanted, *room)) > room.shape[1]:
        room = np.empty((3, n_lines), np.int64)
    starts, stops, rows = room[:, :n_lines]
    found, _ = screen_column(data, starts, stops, options=options)
    found[starts > html_at[rows]] &= ~screening.MARKUP
    at = np.flatnonzero(found & ~screening.SOFT)
    yield from zip(rows[at].tolist(), starts[at].tolist(), stops[at].tolist(), strict=True)


# -- columns ---------------------------------------------------------------------------------------


def _tidied(texts: Texts, wanted: NDArray[np.bool_]) -> tuple[Texts, NDArray[np.int64]]:
    """Tidy the ``wanted`` texts; return all texts, and the number of bytes removed from each."""
    data, offsets = texts
    out = np.empty(int(offsets[-1] - offsets[0]), np.uint8)
    out_offsets, n_removed = np.empty(len(offsets), np.int64), np.empty(len(wanted), np.int64)
    tidy(data, offsets, wanted, out, out_offsets, n_removed)
    return (out, out_offsets), n_removed


def _column_of(data: NDArray[np.uint8], offsets: NDArray[np.int64], *, like: pa.Array) -> pa.Array:
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(data)]
    column = pa.Array.from_buffers(pa.large_string(), len(like), buffers)
    if like.null_count:
        column = pc.if_else(like.is_valid(), column, pa.scalar(None, pa.large_string()))
    return column.cast(like.type)
