"""Clean the texts of a batch with the kernels and the model of this package."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from builder.kernels.plain.removal import N_SPAN
from builder.kernels.plain.texts import Choice, CleanedTexts, clean_texts
from builder.stages.cleaning.model import plain_text_model
from builder.stages.cleaning.unit_reader import FIRST_ROOM, allocate_choice, allocate_units

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from builder.kernels.plain.layout import Units
    from builder.stages.cleaning.model import PlainModel

UNIT_LIMITS = (200, 500)
"""The least and the greatest probability from which on a unit stays, in 1/1000."""


@dataclass(slots=True)
class Cleaner:
    """Cleans one batch of texts after the other, with working memory that serves all of them.

    Attributes:
        model: what decides on a unit.
    """

    model: PlainModel
    _memory: Units = field(default_factory=lambda: allocate_units(FIRST_ROOM), init=False)
    _rows: Choice = field(default_factory=lambda: allocate_choice(FIRST_ROOM), init=False)
    _spans: NDArray[np.int64] = field(
        default_factory=lambda: np.empty((FIRST_ROOM, N_SPAN), np.int64), init=False
    )

    def clean(
        self, data: NDArray[np.uint8], ranges: NDArray[np.int64], titles: Sequence[bytes]
    ) -> CleanedTexts:
        """Take out of texts what is not their main text.

        Args:
            data: UTF-8 bytes of all texts.
            ranges: int64[n_texts, 2], the first byte of each text, and its end.
            titles: the title of each page as UTF-8; empty if it is not known.
        """
        out = CleanedTexts(
            text=np.empty(int((ranges[:, 1] - ranges[:, 0]).sum()), np.uint8),
            offsets=np.zeros(len(ranges) + 1, np.int64),
            removed=np.zeros(len(ranges), np.int64),
            spans=self._spans,
        )
        all_titles = np.frombuffer(b"".join(titles), np.uint8)
        ends = np.cumsum([len(title) for title in titles], dtype=np.int64)
        model = (self.model.trees, self.model.vocabulary, self.model.classes, np.array(UNIT_LIMITS, np.int64))
        at = np.zeros(2, np.int64)
        while needed := int(
            clean_texts(data, ranges, all_titles, ends, model, self._memory, self._rows, at, out)
        ):
            out = self._grow(needed, needed - int(at[1]), out)
        return out._replace(spans=out.spans[: at[1]])

    def _grow(self, n_spans: int, n_units: int, out: CleanedTexts) -> CleanedTexts:
        """Make room for so many spans, and for so many units of one text; keep the spans that are there."""
        if n_units > len(self._memory.units):
            self._memory, self._rows = allocate_units(2 * n_units), allocate_choice(2 * n_units)
        if n_spans > len(out.spans):
            self._spans = np.concatenate([out.spans, np.empty((2 * n_spans, N_SPAN), np.int64)])
        return out._replace(spans=self._spans)


@cache
def cleaner() -> Cleaner:
    """Return the cleaner of this process."""
    return Cleaner(plain_text_model())
