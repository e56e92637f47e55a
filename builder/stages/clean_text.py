"""``clean_text``: take menus, notices, comments and repeated titles out of pages that came as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from builder.domain.outcome import REMOVED_SCHEMA
from builder.domain.record import RECORD
from builder.domain.rejection import Rejection, rejection_batch
from builder.errors import RecipeError
from builder.protocols import Outcome
from builder.registry import option
from builder.stages.binding.required_columns import text_column_faults
from builder.stages.cleaning.column import clean_column
from builder.stages.cleaning.model import PLAIN_MODEL_PATH
from builder.stages.extract_text import EXTRACTED

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from builder.protocols import Guard, Resources
    from builder.stages.cleaning.column import CleanedColumn

REMOVED_SHARE = "removed_share"
"""The column with the share of a text's bytes that the stage removed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanText:
    """Take out of pages that came as text what is not their main text.

    A model of this package decides on each line; on each sentence, if nearly all of a page is in one line.
    It removes menus, share and subscribe lines, donation bars, cookie notices, teasers, boxes about authors
    and comments. If the title is there several times, one copy stays; quotes, dashes and the name of the
    site after the title make no difference. Paragraphs, lists, verse, tables, code and dialogue stay.

    The audit has each removed span with its class and score (`removed.parquet`), and `builder why` shows
    them. The column ``removed_share`` is the share of the bytes of the text that left, from 0 to 1; it is
    null for rows that the stage passed on. A document that would lose more than ``max_removed`` is rejected.

    Rows whose text came from ``extract_text`` pass unchanged, unless ``where`` names them. The classes of
    spans are ``navigation``, ``share`` (share and subscribe lines), ``donation`` (at least two amounts of
    money), ``cookies``, ``teasers`` (related pages with a sentence), ``related`` (related links),
    ``author``, ``comments`` and ``title`` (a copy). Words, shape and place decide on the class.
    """

    name: ClassVar[str] = "clean_text"
    untrusted: ClassVar[bool] = False
    needs: ClassVar[tuple[str, ...]] = ("text",)
    rules: ClassVar[int] = 2
    edits_text: ClassVar[bool] = True
    exempts_extracted: ClassVar[bool] = True
    reasons: ClassVar[Mapping[str, str]] = {
        "mostly_removed": "More than `max_removed` of the text is not main text; little would be left.",
    }

    max_removed: float = option(
        0.6,
        help="Maximum share of a text's bytes to remove; documents above it are rejected.",
        minimum=0,
        maximum=1,
    )

    @property
    def column_notes(self) -> dict[str, str]:
        """The descriptions of the columns that the stage writes."""
        return {REMOVED_SHARE: "Share of the bytes of the text that clean_text removed, from 0 to 1."}

    def for_named_rows(self) -> CleanText:
        """Return the stage such that it cleans texts from ``extract_text`` as well."""
        return _CleanEveryText(max_removed=self.max_removed)

    def files(self, folder: Path) -> dict[str, Path]:  # noqa: ARG002 - the model is part of the package
        """Return the model that decides on the text."""
        return {PLAIN_MODEL_PATH.name: PLAIN_MODEL_PATH}

    def bind(self, schema: pa.Schema, resources: Resources) -> pa.Schema:
        """Check that the schema has a text column; add the column of removed shares.

        Raises:
            RecipeError: if the column is missing or has another type.
        """
        faults = text_column_faults(self.name, schema, resources, purpose="clean")
        if faults:
            raise RecipeError(*faults)
        if REMOVED_SHARE in schema.names:
            return schema
        return schema.append(pa.field(REMOVED_SHARE, pa.float64()))

    def apply(self, batch: pa.RecordBatch, *, resources: Resources, guard: Guard) -> Outcome:  # noqa: ARG002
        """Clean the texts of a batch; reject documents of which too little would be left."""
        place = batch.schema.get_field_index(resources.columns.text)
        column = batch.column(place)
        takes_part = self._takes_part(batch, column)
        cleaned = clean_column(column, _titles(batch), takes_part)
        shares = np.round(cleaned.removed / np.maximum(cleaned.sizes, 1), 4)
        over = takes_part & (shares > self.max_removed)
        kept = batch.set_column(place, batch.schema.field(place), cleaned.column)
        kept = _with_shares(kept, pa.array(shares, mask=~takes_part)).filter(pa.array(~over))
        return Outcome(
            kept=kept,
            rejected=rejection_batch(
                self._rejection(batch, row, float(shares[row]), resources=resources)
                for row in np.flatnonzero(over).tolist()
            ),
            counts={
                "cleaned": int(((cleaned.removed > 0) & ~over).sum()),
                "passed_on": int((~takes_part).sum()),
            },
            removed=_removed(batch, cleaned),
        )

    def _takes_part(self, batch: pa.RecordBatch, column: pa.Array) -> NDArray[np.bool_]:
        """Return bool[n_rows]: the rows with a text that did not come from ``extract_text``."""
        has_text: NDArray[np.bool_] = column.is_valid().to_numpy(zero_copy_only=False)
        if not self.exempts_extracted or EXTRACTED not in batch.schema.names:
            return has_text
        extracted = pc.fill_null(batch.column(EXTRACTED), False).to_numpy(zero_copy_only=False)
        taking: NDArray[np.bool_] = has_text & ~extracted
        return taking

    def _rejection(self, batch: pa.RecordBatch, row: int, share: float, *, resources: Resources) -> Rejection:
        url = resources.columns.url
        return Rejection(
            record=batch.column(RECORD)[row].as_py(),
            stage=self.name,
            reason="mostly_removed",
            url=batch.column(url)[row].as_py() if url in batch.schema.names else None,
            value=str(share),
            limit=str(self.max_removed),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _CleanEveryText(CleanText):
    """The stage for rows that ``where`` names."""

    exempts_extracted: ClassVar[bool] = False


def _titles(batch: pa.RecordBatch) -> list[bytes]:
    """Return the title of each page as UTF-8; empty without one."""
    if "title" not in batch.schema.names or not pa.types.is_string(batch.schema.field("title").type):
        return [b""] * batch.num_rows
    return [one or b"" for one in batch.column("title").cast(pa.binary()).to_pylist()]


def _with_shares(batch: pa.RecordBatch, shares: pa.Array) -> pa.RecordBatch:
    place = batch.schema.get_field_index(REMOVED_SHARE)
    if place < 0:
        return batch.append_column(pa.field(REMOVED_SHARE, pa.float64()), shares)
    return batch.set_column(place, batch.schema.field(place), shares)


def _removed(batch: pa.RecordBatch, cleaned: CleanedColumn) -> pa.RecordBatch | None:
    """Return the removed spans of all rows, in their order."""
    n = len(cleaned.rows)
    if not n:
        return None
    ids = pc.struct_field(batch.column(RECORD), "id").cast(pa.string())
    return pa.RecordBatch.from_arrays(
        [
            ids.take(pa.array(cleaned.rows)),
            pa.repeat(pa.scalar(CleanText.name), n),
            cleaned.classes,
            pa.array(cleaned.scores),
            pa.array(cleaned.starts),
            cleaned.texts,
            pa.array(cleaned.text_chars),
        ],
        schema=REMOVED_SCHEMA,
    )
