"""``repair_text``: repair mojibake, normal form, control characters and white space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from builder.domain.record import RECORD
from builder.domain.rejection import Rejection, rejection_batch
from builder.errors import RecipeError
from builder.protocols import Outcome
from builder.registry import option
from builder.stages.binding.required_columns import text_column_faults
from builder.stages.repair.work import MAX_STEPS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from builder.protocols import Guard, Resources

_LIMITS = {"too_many_marks": "1000", "too_much_repair": str(MAX_STEPS)}

_PAGE_SOURCES = ("warc", "html", "text")
"""Kinds of sources whose texts are pages and files as they were served."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairText:
    r"""Repair the text of each document.

    The stage applies these repairs in this order:

    1. The repairs of ``ftfy.fix_text`` with its defaults: HTML entities, mojibake, C1 controls, line ends,
       terminal escapes, control characters. Unlike in ftfy, curly quotes, character width and Latin ligatures
       change only if you set their options, because they are not faults. Entities are decoded only in a
       record that came as text from a feed or a table, and there up to the first line with a ``<``. In the
       text of an HTML page, and of a page or file of plain text, a reader sees them as text.
    2. Soft hyphens are removed. A vertical tab becomes a space.
    3. Unicode normal form C.
    4. Control characters other than line end and tab are removed. A form feed becomes a line end.
    5. White space: blanks at line ends are removed, several blank lines become one, and blank lines at the
       beginning and end are removed.

    For each repair, the stage counts the documents that it changed: ``entities``, ``mojibake_fixed``,
    ``line_ends``, ``control_chars``, ``nfc``, ``whitespace`` and, if enabled, ``ligatures``, ``width``,
    ``quotes``. A scan of the bytes finds the lines that a repair could change; all other lines are skipped.
    """

    name: ClassVar[str] = "repair_text"
    untrusted: ClassVar[bool] = False
    needs: ClassVar[tuple[str, ...]] = ("text",)
    rules: ClassVar[int] = 1
    libraries: ClassVar[tuple[str, ...]] = ("ftfy",)
    edits_text: ClassVar[bool] = True
    reasons: ClassVar[Mapping[str, str]] = {
        "no_text": "The text is empty after its repair: it had only control characters and blanks.",
        "too_many_marks": "The text has over 1,000 combining marks in a row; normalising takes too long.",
        "too_much_repair": f"The repair of the text takes over {MAX_STEPS:,} steps.",
    }

    entities: bool = option(
        True, help="Decode HTML entities in records that came as text; never in pages with HTML."
    )
    uncurl_quotes: bool = option(False, help="Replace curly quotes with straight quotes.")
    fix_character_width: bool = option(
        False, help="Replace half-width and full-width forms with ordinary characters."
    )
    fix_latin_ligatures: bool = option(
        False, help="Replace Latin ligatures, such as the single character for fi, with letters."
    )

    def bind(self, schema: pa.Schema, resources: Resources) -> pa.Schema:
        """Check that the schema has a text column; return the schema unchanged.

        Raises:
            RecipeError: if the column is missing or has another type.
        """
        faults = text_column_faults(self.name, schema, resources, purpose="repair")
        if faults:
            raise RecipeError(*faults)
        return schema

    def apply(self, batch: pa.RecordBatch, *, resources: Resources, guard: Guard) -> Outcome:  # noqa: ARG002
        """Repair the texts of a batch; reject documents whose text is empty after the repair."""
        from builder.stages.repair.column import repair_column
        from builder.stages.repair.rules import Options

        options = Options(
            uncurl_quotes=self.uncurl_quotes,
            fix_character_width=self.fix_character_width,
            fix_latin_ligatures=self.fix_latin_ligatures,
        )
        place = batch.schema.get_field_index(resources.columns.text)
        is_literal = self._is_literal(batch, resources)
        repaired = repair_column(batch.column(place), options=options, is_literal=is_literal)
        kept = batch.set_column(place, batch.schema.field(place), repaired.column)
        faults = {
            **dict.fromkeys(repaired.empty.tolist(), "no_text"),
            **repaired.refused,
        }
        if faults:
            stays = np.ones(batch.num_rows, dtype=np.bool_)
            stays[list(faults)] = False
            kept = kept.filter(pa.array(stays))
        rejected = rejection_batch(
            self._rejection(batch, row, faults[row], resources=resources) for row in sorted(faults)
        )
        return Outcome(kept=kept, rejected=rejected, counts=dict(repaired.counts))

    def _is_literal(self, batch: pa.RecordBatch, resources: Resources) -> NDArray[np.bool_]:
        """Return bool[n], the rows whose entities a reader of the page sees as text."""
        if not self.entities:
            return np.ones(batch.num_rows, np.bool_)
        literal = [name for name, kind in resources.kinds.items() if kind in _PAGE_SOURCES]
        is_literal = pa.array(np.zeros(batch.num_rows, np.bool_))
        if literal:
            sources = pc.struct_field(batch.column(RECORD), "source")
            is_literal = pc.is_in(sources, pa.array(literal, sources.type))
        html = resources.columns.html
        if html is not None and html in batch.schema.names:
            has_html = pc.greater(pc.binary_length(batch.column(html)), 0)
            is_literal = pc.or_(is_literal, pc.fill_null(has_html, False))
        found: NDArray[np.bool_] = is_literal.to_numpy(zero_copy_only=False)
        return found

    def _rejection(self, batch: pa.RecordBatch, row: int, reason: str, *, resources: Resources) -> Rejection:
        url = resources.columns.url
        limit = _LIMITS.get(reason)
        return Rejection(
            record=batch.column(RECORD)[row].as_py(),
            stage=self.name,
            reason=reason,
            outcome="failed" if limit else "rejected",
            url=batch.column(url)[row].as_py() if url in batch.schema.names else None,
            limit=limit,
        )
