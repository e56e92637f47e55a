"""``dedup_exact``: keep one document of all documents with the same text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from builder.domain.grouping import KEY_TYPE, best_of_group, instants_of, key_words, ranks
from builder.domain.merging import MODES, cluster_field, priority_order, settle_merged
from builder.domain.text_buffers import DIGEST_TYPE, text_digests, text_keys
from builder.errors import RecipeError
from builder.protocols import Verdicts
from builder.registry import option
from builder.stages.binding.required_columns import text_column_faults
from builder.stages.dedup.combined_rows import CombinedRows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from builder.protocols import Outcome, Remembered, Resources, Sketches, Texts, Threads

_SKETCH_SCHEMA = pa.schema(
    [
        ("text_key", KEY_TYPE),
        ("fetched_at", pa.int64()),
        ("n_bytes", pa.int64()),
        ("text_digest", DIGEST_TYPE),
    ]
)
COMPARED_BYTES = 32 << 20
"""Maximum bytes of text, on each side, that are compared at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DedupExact:
    """Keep one document of all documents with the same text, compared byte for byte.

    The stage finds equal texts by a 128-bit hash and then compares the texts, so it never merges texts that
    share only the hash. It does not normalise texts: two texts that differ in one space are different.
    Documents whose text is null do not take part.
    """

    name: ClassVar[str] = "dedup_exact"
    untrusted: ClassVar[bool] = False
    needs: ClassVar[tuple[str, ...]] = ("text",)
    rules: ClassVar[int] = 1
    reasons: ClassVar[Mapping[str, str]] = {
        "same_text": "Another document has exactly the same text; that document is kept.",
    }

    keep: str = option("first", help="Which document of each text is kept.", choices=("first", "newest"))
    mode: str = option("drop", help="Drop merged documents, or keep and mark them.", choices=MODES)

    @property
    def append_stable(self) -> bool:
        """Whether later records never change a decision on an earlier record."""
        return self.keep == "first"

    def bind(self, schema: pa.Schema, resources: Resources) -> pa.Schema:
        """Check that the schema has a text column; in ``mode: tag``, add the cluster column.

        Raises:
            RecipeError: if the column is missing or has another type.
        """
        faults = text_column_faults(self.name, schema, resources, purpose="compare")
        if faults:
            raise RecipeError(*faults)
        return schema.append(cluster_field(self.name)) if self.mode == "tag" else schema

    def sketch(self, batch: pa.RecordBatch, *, resources: Resources) -> pa.RecordBatch:
        """Return hash, digest and length of each text, and the instant of the fetch."""
        column = batch.column(resources.columns.text)
        n_bytes = pc.binary_length(column).cast(pa.int64()).fill_null(0)
        when = instants_of(batch, resources.columns.fetched_at)
        arrays = [text_keys(column), when, n_bytes, text_digests(column)]
        return pa.RecordBatch.from_arrays(arrays, schema=_SKETCH_SCHEMA)

    def resolve(
        self,
        sketches: Sketches,
        *,
        alive: NDArray[np.bool_],
        memory: Remembered | None,
        texts: Texts,
        threads: Threads,  # noqa: ARG002 - one sort is enough
    ) -> Verdicts:
        """Choose the keeper of each group with equal hash and length, after comparing the texts."""
        both = CombinedRows.choose(memory, sketches, "text_key", texts=texts)
        words, has_text = key_words(both.column("text_key"))
        n_bytes = both.column("n_bytes").to_numpy()
        order = priority_order(
            self.keep,
            fetched_at=sketches.column("fetched_at").to_numpy(),
            n_bytes=sketches.column("n_bytes").to_numpy(),
        )
        keys, rank = np.column_stack([words, n_bytes.astype(np.uint64)]), ranks(both.order(order))
        keeper = np.full(both.n_rows, -1, dtype=np.int64)
        pending = np.flatnonzero(both.alive(alive) & has_text)
        while len(pending):
            best = pending[best_of_group(keys[pending], rank[pending])]
            same = _equal(pending, best, n_bytes=n_bytes, both=both)
            keeper[pending[same]] = best[same]
            pending = pending[~same]
        keeper = both.keepers(keeper)
        similarity = np.where((keeper != -1) & (keeper != np.arange(len(alive))), 1.0, np.nan)
        return Verdicts(keeper=keeper, similarity=similarity, reason="same_text")

    def settle(
        self, batch: pa.RecordBatch, keeper_rows: NDArray[np.int64], rows: NDArray[np.int64]
    ) -> Outcome:
        """Drop the merged rows of one batch, or mark them in ``mode: tag``."""
        return settle_merged(batch, keeper_rows, rows, mode=self.mode, stage=self.name)

    def remember(self, sketches: Sketches, verdicts: Verdicts) -> pa.Table:
        """Return row, key, length and digest of each keeper.

        Later versions compare the digest, so they do not read the text again.
        """
        rows = np.flatnonzero(verdicts.keeper == np.arange(len(verdicts.keeper)))
        names = ("text_key", "n_bytes", "text_digest")
        columns = {name: sketches.column(name).take(pa.array(rows)) for name in names}
        return pa.table({"row": pa.array(rows, pa.int64()), **columns})


def _equal(
    rows: NDArray[np.int64], keepers: NDArray[np.int64], *, n_bytes: NDArray[np.int64], both: CombinedRows
) -> NDArray[np.bool_]:
    """Compare the texts of rows with those of their keepers: bool[n_rows]."""
    same: NDArray[np.bool_] = (rows == keepers) | (rows < both.n_old)
    others = np.flatnonzero(~same)
    for at in _parts(np.arange(len(others)), n_bytes[rows[others]]):
        part = others[at]
        is_old = keepers[part] < both.n_old
        for some, compare in ((part[is_old], _same_digest), (part[~is_old], _same_bytes)):
            if len(some):
                same[some] = compare(both, rows[some], keepers[some]).to_numpy(zero_copy_only=False)
    return same


def _same_bytes(both: CombinedRows, rows: NDArray[np.int64], keepers: NDArray[np.int64]) -> pa.BooleanArray:
    return pc.equal(both.take(rows), both.take(keepers))


def _same_digest(both: CombinedRows, rows: NDArray[np.int64], keepers: NDArray[np.int64]) -> pa.BooleanArray:
    """Compare rows with documents of earlier versions, whose digests are known without their texts."""
    known = both.remembered("text_digest", keepers)
    return pc.equal(text_digests(both.take(rows)), known)


def _parts(places: NDArray[np.int64], n_bytes: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Split ``places`` into parts of at most ``COMPARED_BYTES``; a longer text is a part of its own."""
    cumulated = np.cumsum(n_bytes)
    start = 0
    while start < len(places):
        before = cumulated[start - 1] if start else 0
        stop = max(int(np.searchsorted(cumulated, before + COMPARED_BYTES, side="right")), start + 1)
        yield places[start:stop]
        start = stop
