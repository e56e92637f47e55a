"""``repair_text``: mojibake, normal form, control characters and white space."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from builder.domain.record import RECORD
from builder.domain.rejection import Rejection, rejection_batch
from builder.errors import Fault, RecipeError
from builder.protocols import Outcome
from builder.registry import option

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from builder.protocols import Guard, Resources
    from builder.stages.repair_rules import Options

LARGE_BYTES = 4 << 20
"""Texts from this size on are repaired in pieces, of which few are held at a time."""


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
    Documents in which no repair can find anything are told by a scan of their bytes and not touched.
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
        name = resources.columns.text
        if name is None or name not in schema.names:
            raise RecipeError(
                Fault(
                    where=self.name,
                    what="there is no column of text to repair",
                    advice="put extract_text before it, or say which it is with columns: {text: NAME}",
                )
            )
        return schema

    def apply(self, batch: pa.RecordBatch, *, resources: Resources, guard: Guard) -> Outcome:  # noqa: ARG002
        """Repair the documents that need it; a document of which nothing is left goes no further."""
        from builder.stages.repair_rules import Options, TooManyMarksError

        options = Options(
            uncurl_quotes=self.uncurl_quotes,
            fix_character_width=self.fix_character_width,
            fix_latin_ligatures=self.fix_latin_ligatures,
        )
        column = batch.column(resources.columns.text)
        flags = _flags(column, options=options)
        rows = np.flatnonzero(flags).tolist()
        counts: Counter[str] = Counter({"repaired": 0})
        repaired: dict[int, str | bytes] = {}
        faults: dict[int, Rejection] = {}
        for row in rows:
            try:
                came, fixed, changes = _repaired(column[row], options=options, flags=int(flags[row]))
            except TooManyMarksError:
                faults[row] = self._rejection(batch, row, "too_many_marks", resources=resources)
                continue
            counts.update(sorted(changes))
            if came and not fixed:
                faults[row] = self._rejection(batch, row, "no_text", resources=resources)
            elif fixed != came:
                counts["repaired"] += 1
                repaired[row] = fixed
        kept = _replaced(batch, resources.columns.text, repaired)
        if faults:
            stays = np.ones(batch.num_rows, dtype=np.bool_)
            stays[list(faults)] = False
            kept = kept.filter(pa.array(stays))
        return Outcome(
            kept=kept, rejected=rejection_batch(faults[row] for row in sorted(faults)), counts=dict(counts)
        )

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


def _flags(column: pa.Array, *, options: Options) -> NDArray[np.int64]:
    """Return what could be repaired in each document; 0 for null."""
    from builder.kernels.text_screen import screen
    from builder.stages.repair_rules import tables

    column = column.cast(pa.large_string())
    flags = np.zeros(len(column), dtype=np.int64)
    _, offset_buffer, data = column.buffers()
    if data is None or not data.size:
        return flags
    offsets = np.frombuffer(offset_buffer, np.int64)[column.offset : column.offset + len(column) + 1]
    screen(np.frombuffer(data, np.uint8), offsets, *tables(options), flags)
    if column.null_count:
        flags[column.is_null().to_numpy(zero_copy_only=False)] = 0
    return flags


def _repaired(
    cell: pa.Scalar, *, options: Options, flags: int
) -> tuple[str | memoryview, str | bytes, set[str]]:
    """Return a text as it came, what it is now, and what was done: a large one as bytes, piece by piece."""
    from builder.stages.repair_rules import repair, repair_pieces
    from builder.stages.text_pieces import pieces

    view = memoryview(cell.as_buffer())
    if len(view) < LARGE_BYTES:
        text = str(view, "utf-8")
        return text, *repair(text, options=options, flags=flags)
    mended, changes = repair_pieces(pieces(view), options=options, flags=flags)
    return view, b"".join(piece.encode() for piece in mended), changes


def _replaced(batch: pa.RecordBatch, name: str | None, texts: dict[int, str | bytes]) -> pa.RecordBatch:
    if not texts:
        return batch
    place = batch.schema.get_field_index(name)
    field = batch.schema.field(place)
    mask = np.zeros(batch.num_rows, dtype=np.bool_)
    mask[list(texts)] = True
    new = pa.array([texts[row] for row in sorted(texts)], field.type)
    merged = pc.replace_with_mask(batch.column(place), pa.array(mask), new)
    return batch.set_column(place, field, merged)
