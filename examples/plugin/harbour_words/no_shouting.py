"""``no_shouting``: a batch stage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from builder.plugin import BatchStage, option


@dataclass(frozen=True, kw_only=True)
class NoShouting(BatchStage):
    """Reject texts in capital letters."""

    name = "no_shouting"
    reasons: ClassVar = {"shouting": "Too large a share of the characters are capital letters."}
    needs = ("text",)

    share: float = option(0.5, help="Maximum share of capital letters.", minimum=0, maximum=1)

    def process(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Compare the number of capital letters with the number of characters."""
        text = pc.fill_null(batch.column("text"), "")
        letters = pc.utf8_length(pc.replace_substring_regex(text, "[^A-Z]", ""))
        shouts = pc.greater(letters, pc.multiply(pc.utf8_length(text), self.share))
        return batch.append_column("_reason", pc.if_else(shouts, "shouting", None))
