"""Keep texts of the records that stages drop, so that a person can look at what a rule costs.

A contract's rejections keep the whole record elsewhere. Pages that a person wants to be gone are never kept:
those of tombstones and opt-outs, and personal data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from xxhash import xxh3_64_intdigest

from builder.domain.record import RECORD
from builder.domain.text_buffers import text_digests
from builder.pipeline.tombstones import STAGE as TAKEDOWN
from builder.stages.validate import Validate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from builder.protocols import Columns

SAMPLE, ALL, NO_TEXTS = "sample", "all", "none"
"""The values of the recipe's ``audit.texts``."""

MAX_SAMPLE_TEXTS = 1_000
"""Records of each stage and reason whose texts are kept by default."""

MAX_TEXT_CHARS = 20_000

DROPPED = "dropped"
"""The file of a part with the texts of dropped rows."""

REMOVED = "removed"
"""The file of a part with the spans that stages took out of texts."""

SIGNALS_OF = "signals"
"""The file of a part with the signals of rejected documents."""

PRIVATE_STAGES = frozenset((TAKEDOWN, "opt_out", "pii"))
"""Kinds of stages whose rejections are never shown."""

DROPPED_SCHEMA = pa.schema(
    [
        pa.field("record_id", pa.string(), nullable=False),
        pa.field("stage", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("rank", pa.uint64(), nullable=False),
        pa.field("url", pa.string()),
        pa.field("text", pa.string()),
        pa.field("text_chars", pa.int64()),
        pa.field("digest", pa.binary()),
    ]
)
"""Dropped records with the start of their texts. ``rank`` is a hash of the record id: the records with the
lowest ranks are the sample. ``digest`` is that of the whole text."""


def sample_rank(record_id: str, *, seed: int = 0) -> int:
    """Return the rank of a record, which does not depend on anything but its id and the seed."""
    return xxh3_64_intdigest(record_id.encode(), seed)


class DroppedTexts:
    """Collects the texts of the rows that stages drop from one batch.

    Args:
        texts: the recipe's ``audit.texts``.
    """

    def __init__(self, texts: str) -> None:
        self._texts = texts
        self._batches: list[pa.RecordBatch] = []
        self._removed: list[pa.RecordBatch] = []
        self._measured: list[pa.RecordBatch] = []

    def add(self, batch: pa.RecordBatch, rejected: pa.RecordBatch, *, kind: str, columns: Columns) -> None:
        """Add the rows that one stage dropped; ``batch`` came to the stage.

        The rows that come to ``validate`` have columns of any type, and may hold text that is not UTF-8. Its
        rejections keep the raw record.
        """
        if kind not in PRIVATE_STAGES and kind != Validate.name:
            self._batches += dropped_texts(batch, rejected, columns=columns, texts=self._texts)

    def add_removed(self, removed: pa.RecordBatch) -> None:
        """Add what a stage took out of texts; the spans stay without their texts if the recipe says so."""
        if self._texts == NO_TEXTS:
            at = removed.schema.get_field_index("text")
            removed = removed.set_column(at, removed.schema.field(at), pa.nulls(len(removed), pa.string()))
        self._removed.append(removed)

    def add_measured(self, measured: pa.RecordBatch) -> None:
        """Add the signals of documents that a stage rejected."""
        self._measured.append(measured)

    def files(self) -> dict[str, pa.RecordBatch]:
        """Return the files for the part of the batch; none without a text."""
        batches = {DROPPED: self._batches, REMOVED: self._removed, SIGNALS_OF: self._measured}
        return {name: pa.concat_batches(some) for name, some in batches.items() if some}


def dropped_texts(
    batch: pa.RecordBatch, rejected: pa.RecordBatch, *, columns: Columns, texts: str
) -> list[pa.RecordBatch]:
    """Return the texts of the rows that one stage dropped; an empty list without one.

    Args:
        batch: the rows that came to the stage. A page without text shows its HTML.
        texts: the recipe's ``audit.texts``.
    """
    wanted = rejected.filter(pc.is_null(rejected["record"])) if rejected.num_rows else rejected
    names = [name for name in (columns.text, columns.html) if name is not None and name in batch.schema.names]
    if texts == NO_TEXTS or not wanted.num_rows or not names:
        return []
    ids = pc.struct_field(wanted[RECORD], "id")
    ranks = np.array([sample_rank(one) for one in ids.to_pylist()], np.uint64)
    if texts == SAMPLE:
        keep = pa.array(_lowest(ranks, wanted["reason"].to_pylist()), pa.int64())
        wanted, ids, ranks = wanted.take(keep), ids.take(keep), ranks[keep.to_numpy()]
    at = pc.index_in(ids, value_set=pc.struct_field(batch[RECORD], "id"))
    found = [batch[name].take(at).cast(pa.string()) for name in names]
    text = found[0] if len(found) == 1 else pc.coalesce(_without_blank(found[0]), found[1])
    return [
        pa.RecordBatch.from_arrays(
            [ids, wanted["stage"], wanted["reason"], pa.array(ranks), wanted["url"], *text_columns(text)],
            schema=DROPPED_SCHEMA,
        )
    ]


def text_columns(text: pa.StringArray) -> list[pa.Array]:
    """Return the start of each text, its number of characters, and its digest."""
    digests = text_digests(text.cast(pa.large_binary()).fill_null(b"")).cast(pa.binary())
    return [pc.utf8_slice_codeunits(text, 0, MAX_TEXT_CHARS), pc.utf8_length(text).cast(pa.int64()), digests]


def lowest_ranks(table: pa.Table) -> pa.Table:
    """Return the sample of a table of ``DROPPED_SCHEMA``."""
    keep = _lowest(table["rank"].to_numpy(), table["reason"].to_pylist(), stages=table["stage"].to_pylist())
    return table.take(pa.array(keep, pa.int64()))


def _lowest(ranks: np.ndarray, reasons: Sequence[str], *, stages: Sequence[str] = ()) -> list[int]:
    """Return the rows with the lowest ranks of each stage and reason, in ascending order of their numbers."""
    counts: dict[tuple[str, str], int] = {}
    keep: list[int] = []
    for row in np.argsort(ranks, kind="stable").tolist():
        key = (stages[row] if stages else "", reasons[row])
        counts[key] = counts.get(key, 0) + 1
        if counts[key] <= MAX_SAMPLE_TEXTS:
            keep.append(row)
    return sorted(keep)


def _without_blank(text: pa.StringArray) -> pa.StringArray:
    return pc.if_else(pc.equal(pc.utf8_trim_whitespace(text), ""), pa.scalar(None, pa.string()), text)
