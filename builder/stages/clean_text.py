"""``clean_text``: take menus, notices, comments and repeated titles out of pages that came as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from builder.domain.outcome import MAX_SPAN_CHARS, REMOVED_SCHEMA
from builder.domain.record import RECORD
from builder.domain.rejection import Rejection, rejection_batch
from builder.errors import RecipeError
from builder.protocols import Outcome
from builder.registry import option
from builder.stages.binding.required_columns import text_column_faults
from builder.stages.cleaning.model import PLAIN_MODEL_PATH
from builder.stages.extract_text import EXTRACTED

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from builder.protocols import Guard, Resources
    from builder.stages.cleaning.cleaner import CleanedText

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

    Rows whose text came from ``extract_text`` pass unchanged, unless ``where`` names them. Shape and place
    decide on the class: ``title``; ``amounts`` (with amounts of money); ``links`` (short lines without a
    sentence); ``comments`` (sentences after the end of the main text); ``notice`` (other sentences).
    """

    name: ClassVar[str] = "clean_text"
    untrusted: ClassVar[bool] = False
    needs: ClassVar[tuple[str, ...]] = ("text",)
    rules: ClassVar[int] = 1
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
        cleaned = _clean(column, _titles(batch), self._takes_part(batch, column))
        sizes = pc.fill_null(pc.binary_length(column), 0).to_pylist()
        shares = [
            None if one is None else round(one.n_removed / max(size, 1), 4)
            for one, size in zip(cleaned, sizes, strict=True)
        ]
        over = np.array([share is not None and share > self.max_removed for share in shares], np.bool_)
        kept = batch.set_column(place, batch.schema.field(place), _replaced(column, cleaned, over))
        kept = _with_shares(kept, shares).filter(pa.array(~over))
        changed = [one is not None and one.text is not None for one in cleaned]
        counts = {
            "cleaned": int((np.array(changed, np.bool_) & ~over).sum()),
            "passed_on": sum(one is None for one in cleaned),
        }
        return Outcome(
            kept=kept,
            rejected=rejection_batch(
                self._rejection(batch, row, shares[row], resources=resources)
                for row in np.flatnonzero(over).tolist()
            ),
            counts=counts,
            removed=_spans(batch, column, cleaned),
        )

    def _takes_part(self, batch: pa.RecordBatch, column: pa.Array) -> NDArray[np.bool_]:
        """Return bool[n_rows]: the rows with a text that did not come from ``extract_text``."""
        has_text: NDArray[np.bool_] = column.is_valid().to_numpy(zero_copy_only=False)
        if not self.exempts_extracted or EXTRACTED not in batch.schema.names:
            return has_text
        extracted = pc.fill_null(batch.column(EXTRACTED), False).to_numpy(zero_copy_only=False)
        taking: NDArray[np.bool_] = has_text & ~extracted
        return taking

    def _rejection(
        self, batch: pa.RecordBatch, row: int, share: float | None, *, resources: Resources
    ) -> Rejection:
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


def _clean(column: pa.Array, titles: list[bytes], takes_part: NDArray[np.bool_]) -> list[CleanedText | None]:
    from builder.stages.cleaning.cleaner import cleaner

    found: list[CleanedText | None] = [None] * len(column)
    rows = np.flatnonzero(takes_part)
    if not len(rows):
        return found
    clean = cleaner().clean
    column = column.cast(pa.large_string())
    _, offset_buffer, data = column.buffers()
    offsets = np.frombuffer(offset_buffer, np.int64)[column.offset :]
    view = np.frombuffer(data, np.uint8) if data is not None and data.size else np.zeros(1, np.uint8)
    for row in rows.tolist():
        found[row] = clean(view, int(offsets[row]), int(offsets[row + 1]), titles[row])
    return found


def _replaced(column: pa.Array, cleaned: list[CleanedText | None], over: NDArray[np.bool_]) -> pa.Array:
    """Return the column with the texts that changed."""
    texts = [
        None if one is None or one.text is None or refused else one.text
        for one, refused in zip(cleaned, over.tolist(), strict=True)
    ]
    if not any(text is not None for text in texts):
        return column
    return pc.coalesce(pa.array(texts, pa.large_binary()).cast(pa.large_string()).cast(column.type), column)


def _with_shares(batch: pa.RecordBatch, shares: list[float | None]) -> pa.RecordBatch:
    column = pa.array(shares, pa.float64())
    place = batch.schema.get_field_index(REMOVED_SHARE)
    if place < 0:
        return batch.append_column(pa.field(REMOVED_SHARE, pa.float64()), column)
    return batch.set_column(place, batch.schema.field(place), column)


def _spans(
    batch: pa.RecordBatch, column: pa.Array, cleaned: list[CleanedText | None]
) -> pa.RecordBatch | None:
    """Return the removed spans of all rows, in their order."""
    rows: list[dict[str, Any]] = []
    for row, one in enumerate(cleaned):
        if one is None or not one.spans:
            continue
        whole = column[row].as_py().encode()
        record = batch.column(RECORD)[row]["id"].as_py()
        for span in one.spans:
            text = whole[span.start : span.end].decode()
            rows.append(
                {
                    "record_id": record,
                    "stage": CleanText.name,
                    "class": span.kind,
                    "score": span.score,
                    "start": span.start,
                    "text": text[:MAX_SPAN_CHARS],
                    "text_chars": len(text),
                }
            )
    return pa.RecordBatch.from_pylist(rows, schema=REMOVED_SCHEMA) if rows else None
