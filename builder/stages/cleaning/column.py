"""Clean a column of texts: buffers of Arrow in, buffers of Arrow out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from builder.domain.outcome import MAX_SPAN_CHARS
from builder.domain.text_buffers import text_buffers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_MAX_BYTES_OF_CHAR = 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CleanedColumn:
    """A column without what left its texts, and what left.

    Attributes:
        column: the texts; null where they were null.
        sizes: int64[n_rows], bytes of each text as it came.
        removed: int64[n_rows], bytes in removed spans.
        rows: int64[n_spans], the row of each span.
        classes: the class of each span.
        scores: float64[n_spans], the probability that it is not main text.
        starts: int64[n_spans], its first byte in the text as it came.
        texts: its text, at most ``MAX_SPAN_CHARS`` characters.
        text_chars: int64[n_spans], all its characters.
    """

    column: pa.Array
    sizes: NDArray[np.int64]
    removed: NDArray[np.int64]
    rows: NDArray[np.int64]
    classes: pa.Array
    scores: NDArray[np.float64]
    starts: NDArray[np.int64]
    texts: pa.Array
    text_chars: NDArray[np.int64]


def clean_column(column: pa.Array, titles: Sequence[bytes], takes_part: NDArray[np.bool_]) -> CleanedColumn:
    """Clean the texts of some rows; other rows stay as they are.

    Args:
        column: strings.
        titles: the title of each page as UTF-8; empty if it is not known.
        takes_part: bool[n_rows], the rows to clean; none of them is null.
    """
    from builder.kernels.html.trees import CERTAIN
    from builder.kernels.plain.classes import CLASS_NAMES
    from builder.kernels.plain.removal import SPAN_CLASS, SPAN_MOST, SPAN_ROW, SPAN_START
    from builder.stages.cleaning.cleaner import cleaner

    data, offsets = text_buffers(column)
    chosen = np.flatnonzero(takes_part)
    ranges = np.stack([offsets[chosen], offsets[chosen + 1]], 1)
    cleaned = cleaner().clean(data, ranges, [titles[row] for row in chosen.tolist()])
    removed = np.zeros(len(column), np.int64)
    removed[chosen] = cleaned.removed
    spans = cleaned.spans
    rows = chosen[spans[:, SPAN_ROW]]
    texts, text_chars = _texts_of(data, spans)
    return CleanedColumn(
        column=_replaced(column, chosen, cleaned.text, cleaned.offsets) if len(spans) else column,
        sizes=np.diff(offsets),
        removed=removed,
        rows=rows,
        classes=pa.array(CLASS_NAMES, pa.string()).take(pa.array(spans[:, SPAN_CLASS])),
        scores=(CERTAIN - spans[:, SPAN_MOST]) / CERTAIN,
        starts=spans[:, SPAN_START] - offsets[rows],
        texts=texts,
        text_chars=text_chars,
    )


def _texts_of(data: NDArray[np.uint8], spans: NDArray[np.int64]) -> tuple[pa.Array, NDArray[np.int64]]:
    """Return the texts of spans, cut where they are long, and how many characters each one has."""
    from builder.kernels.plain.removal import SPAN_END, SPAN_START
    from builder.kernels.plain.texts import copy_spans

    n = len(spans)
    sizes = np.minimum(spans[:, SPAN_END] - spans[:, SPAN_START], _MAX_BYTES_OF_CHAR * MAX_SPAN_CHARS)
    out, offsets, chars = (
        np.empty(int(sizes.sum()), np.uint8),
        np.empty(n + 1, np.int64),
        np.empty(n, np.int64),
    )
    copy_spans(data, spans, n, MAX_SPAN_CHARS, out, offsets, chars)
    return _strings(out, offsets).cast(pa.string()), chars


def _replaced(
    column: pa.Array, chosen: NDArray[np.int64], text: NDArray[np.uint8], offsets: NDArray[np.int64]
) -> pa.Array:
    """Return the column with the cleaned texts of some rows."""
    cleaned = _strings(text, offsets)
    if len(chosen) < len(column):
        whole = np.full(len(column), -1, np.int64)
        whole[chosen] = np.arange(len(chosen))
        cleaned = cleaned.take(pa.array(whole, mask=whole < 0))
        return pc.coalesce(cleaned.cast(column.type), column)
    return cleaned.cast(column.type)


def _strings(text: NDArray[np.uint8], offsets: NDArray[np.int64]) -> pa.Array:
    """View bytes and offsets as strings; nothing is copied."""
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(text)]
    return pa.Array.from_buffers(pa.large_string(), len(offsets) - 1, buffers)
