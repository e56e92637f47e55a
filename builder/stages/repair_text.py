"""``repair_text``: mojibake, normal form, control characters and white space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pyarrow as pa

from builder.domain.record import RECORD
from builder.domain.rejection import Rejection, rejection_batch
from builder.errors import RecipeError
from builder.protocols import Outcome
from builder.registry import option
from builder.stages.binding.required_columns import text_column_faults

if TYPE_CHECKING:
    from collections.abc import Mapping

    from builder.protocols import Guard, Resources


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairText:
    r"""Repair the text of each document.

    In this order: what ``ftfy.fix_text`` does with its defaults (HTML entities, only up to the first line
    with a ``<``; mojibake; C1 controls; line ends; terminal escapes; control characters), except that curly
    quotes, character width and Latin ligatures stay as they are unless an option asks for it, because they
    are no faults; Unicode normal form C; control characters other than line end and tab, a form feed
    becoming a line end; white space: blanks at the end of lines go, of several blank lines one stays, blank
    lines at the beginning and end go.

    Each repair is counted by the documents that it changed: ``entities``, ``mojibake_fixed``, ``line_ends``,
    ``control_chars``, ``nfc``, ``whitespace`` and, where asked for, ``ligatures``, ``width``, ``quotes``.
    Lines in which no repair can find anything are told by a scan of their bytes and not touched.
    """

    name: ClassVar[str] = "repair_text"
    untrusted: ClassVar[bool] = False
    reasons: ClassVar[Mapping[str, str]] = {
        "no_text": "Nothing is left of the text after its repair: it was control characters and blanks.",
        "too_many_marks": "More than 1,000 combining marks in a row, which take too long to normalise.",
    }

    uncurl_quotes: bool = option(False, help="Make curly quotes straight.")
    fix_character_width: bool = option(False, help="Make half-width and full-width forms ordinary ones.")
    fix_latin_ligatures: bool = option(False, help="Take Latin ligatures such as fi apart.")

    def bind(self, schema: pa.Schema, resources: Resources) -> pa.Schema:
        """Ask for a column of text.

        Raises:
            RecipeError: if there is none.
        """
        faults = text_column_faults(self.name, schema, resources, purpose="repair")
        if faults:
            raise RecipeError(*faults)
        return schema

    def apply(self, batch: pa.RecordBatch, *, resources: Resources, guard: Guard) -> Outcome:  # noqa: ARG002
        """Repair the documents that need it; a document of which nothing is left goes no further."""
        from builder.stages.repair.column import mend
        from builder.stages.repair.rules import Options

        options = Options(
            uncurl_quotes=self.uncurl_quotes,
            fix_character_width=self.fix_character_width,
            fix_latin_ligatures=self.fix_latin_ligatures,
        )
        place = batch.schema.get_field_index(resources.columns.text)
        mended = mend(batch.column(place), options=options)
        kept = batch.set_column(place, batch.schema.field(place), mended.column)
        faults = {
            **dict.fromkeys(mended.empty.tolist(), "no_text"),
            **dict.fromkeys(mended.too_many_marks.tolist(), "too_many_marks"),
        }
        if faults:
            stays = np.ones(batch.num_rows, dtype=np.bool_)
            stays[list(faults)] = False
            kept = kept.filter(pa.array(stays))
        rejected = rejection_batch(
            self._rejection(batch, row, faults[row], resources=resources) for row in sorted(faults)
        )
        return Outcome(kept=kept, rejected=rejected, counts=dict(mended.counts))

    def _rejection(self, batch: pa.RecordBatch, row: int, reason: str, *, resources: Resources) -> Rejection:
        url = resources.columns.url
        failed = reason == "too_many_marks"
        return Rejection(
            record=batch.column(RECORD)[row].as_py(),
            stage=self.name,
            reason=reason,
            outcome="failed" if failed else "rejected",
            url=batch.column(url)[row].as_py() if url in batch.schema.names else None,
            limit="1000" if failed else None,
        )
