"""Clean texts with the kernels and the model of this package."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from builder.kernels.html.trees import CERTAIN
from builder.kernels.plain.cutting import is_flat
from builder.kernels.plain.removal import CLASS_NAMES, KEPT, choose_units, list_spans, write_kept
from builder.kernels.plain.statistics import hash_of_words
from builder.stages.cleaning.model import plain_text_model
from builder.stages.cleaning.unit_reader import UnitReader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

UNIT_LIMITS = (200, 500)
"""The least and the greatest probability from which on a unit stays, in 1/1000."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovedSpan:
    """A part of a text that leaves.

    Attributes:
        start: its first byte.
        end: the byte after its last one.
        kind: its class.
        score: the probability that it is not main text.
    """

    start: int
    end: int
    kind: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanedText:
    """A text without the spans that left. ``text`` is None if nothing left."""

    text: bytes | None
    spans: Sequence[RemovedSpan]

    @property
    def n_removed(self) -> int:
        """The number of bytes in the spans."""
        return sum(span.end - span.start for span in self.spans)


@dataclass(slots=True)
class Cleaner:
    """Cleans one text after the other."""

    _reader: UnitReader = field(default_factory=lambda: UnitReader(plain_text_model()[1]))
    _rows: _Rows | None = None

    def clean(self, data: NDArray[np.uint8], start: int, end: int, title: bytes = b"") -> CleanedText:
        """Take out of a text what is not its main text.

        Args:
            data: UTF-8 bytes.
            start: the first byte of the text.
            end: the end of the text.
            title: the title of the page, as UTF-8, if it is known.
        """
        n, memory = self._reader.read(data, start, end, title)
        if not n:
            return CleanedText(text=None, spans=())
        rows = self._rows_for(n, end - start)
        limits = np.array(UNIT_LIMITS, np.int64)
        key = hash_of_words(np.frombuffer(title, np.uint8), 0, len(title)) if title else np.uint64(0)
        working = (rows.scores, rows.open_rows, rows.buckets, rows.words)
        choose_units(n, memory, plain_text_model()[0], limits, key, working, rows.classes)
        if (rows.classes[:n] == KEPT).all():
            return CleanedText(text=None, spans=())
        n_spans = list_spans(n, memory, rows.scores, rows.classes, rows.spans)
        flat = is_flat(data, start, end)
        length = write_kept(data, start, end, flat, n, memory, rows.classes, rows.written)
        return CleanedText(
            text=rows.written[:length].tobytes(),
            spans=[
                RemovedSpan(
                    start=first - start,
                    end=last - start,
                    kind=CLASS_NAMES[kind],
                    score=(CERTAIN - most) / CERTAIN,
                )
                for first, last, kind, most in rows.spans[:n_spans].tolist()
            ],
        )

    def _rows_for(self, n: int, n_bytes: int) -> _Rows:
        """Return working memory for so many units, and for a text of so many bytes."""
        rows = self._rows
        if rows is None or len(rows.classes) < n or len(rows.written) < n_bytes + 2 * n:
            n = max(2 * n, 1 << 10)
            rows = self._rows = _Rows(
                scores=np.empty(n, np.int32),
                open_rows=np.empty(n, np.int32),
                buckets=np.empty(CERTAIN + 1, np.int64),
                words=np.empty(n, np.int64),
                classes=np.empty(n, np.uint8),
                spans=np.empty((n, 4), np.int64),
                written=np.empty(2 * n_bytes + 2 * n, np.uint8),
            )
        return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    scores: Any
    open_rows: Any
    buckets: Any
    words: Any
    classes: Any
    spans: Any
    written: Any


@cache
def cleaner() -> Cleaner:
    """Return the cleaner of this process, whose working memory serves all batches."""
    return Cleaner()
