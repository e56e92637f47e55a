"""Cut texts into pieces of whole lines, for identification by paragraph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from builder.kernels.language.pieces import cut_pieces

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIN_PIECE_CHARS = 100
"""Characters of the shortest piece; shorter paragraphs are joined with those that follow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """Pieces of some texts, in order.

    Attributes:
        starts: int64[n_pieces].
        ends: int64[n_pieces].
        texts: int64[n_pieces], the text of each piece.
        chars: int64[n_pieces], its characters.
    """

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    texts: NDArray[np.int64]
    chars: NDArray[np.int64]

    @classmethod
    def of(cls, data: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]) -> Pieces:
        """Cut each text into pieces of at least ``MIN_PIECE_CHARS`` characters; an empty text has none."""
        most = int(np.maximum((ends - starts) // MIN_PIECE_CHARS, 1).sum())
        found = np.zeros((4, most), np.int64)
        n = cut_pieces(data, starts, ends, MIN_PIECE_CHARS, found)
        return cls(starts=found[0, :n], ends=found[1, :n], texts=found[2, :n], chars=found[3, :n])
