"""``min_words``: a row filter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from builder.plugin import RowFilter, RowView, option


@dataclass(frozen=True, kw_only=True)
class MinWords(RowFilter):
    """Reject documents with few words."""

    name = "min_words"
    reasons: ClassVar = {"few_words": "The text has fewer words than `words`."}

    words: int = option(50, help="Minimum number of words.", minimum=1)

    def keep(self, row: RowView) -> bool:
        """Count the words."""
        return len(row.text.split()) >= self.words
