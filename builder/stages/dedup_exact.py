"""``dedup_exact``: of the documents of one text, one stays."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from builder.domain.grouping import KEY_TYPE, best_of_group, instants_of, key_words, ranks
from builder.domain.merging import MODES, cluster_field, priority_order, settle_merged
from builder.errors import Fault, RecipeError
from builder.protocols import Verdicts
from builder.registry import option

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from builder.protocols import Engine, Outcome, Resources, Sketches, Texts

SKETCH_SCHEMA = pa.schema([("text_key", KEY_TYPE), ("fetched_at", pa.int64()), ("n_bytes", pa.int64())])
COMPARED_BYTES = 32 << 20
"""Bytes of text on either side that are compared at one go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DedupExact:
    """Keep one document of each text, compared byte for byte.

    Equal texts are found by a hash of 128 bits and then compared, so that texts that only share a hash are
    never merged. Nothing is folded: texts that differ in one space are different. Null takes no part.
    """

    name: ClassVar[str] = "dedup_exact"
    untrusted: ClassVar[bool] = False
    reasons: ClassVar[Mapping[str, str]] = {
        "same_text": "Another document has exactly the same text and is kept in its place.",
    }

    keep: str = option("first", help="Which document of a text stays.", choices=("first", "newest"))
    mode: str = option("drop", help="Drop merged documents, or keep and mark them.", choices=MODES)

    @property
    def append_stable(self) -> bool:
        """Whether later records never change what was decided on earlier ones."""
        return self.keep == "first"

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
                    what="there is no column of text to compare",
                    advice="put extract_text before it, or say which it is with columns: {text: NAME}",
                )
            )
        return schema.append(cluster_field(self.name)) if self.mode == "tag" else schema

    def sketch(self, batch: pa.RecordBatch, *, resources: Resources) -> pa.RecordBatch:
        """Return the hash of each text, the instant of the fetch and the length of the text."""
        column = batch.column(resources.columns.text)
        n_bytes = pc.binary_length(column).cast(pa.int64()).fill_null(0)
        when = instants_of(batch, resources.columns.fetched_at)
        return pa.RecordBatch.from_arrays([_hashes(column), when, n_bytes], schema=SKETCH_SCHEMA)

    def resolve(
        self,
        sketches: Sketches,
        *,
        alive: NDArray[np.bool_],
        memory: Sequence[pa.Table],  # noqa: ARG002 - nothing is remembered yet
        texts: Texts,
        engine: Engine,  # noqa: ARG002 - one sort is enough
    ) -> Verdicts:
        """Give each document of a text the best of them as its keeper; the texts have the last word."""
        words, has_text = key_words(sketches.column("text_key"))
        n_bytes = sketches.column("n_bytes").to_numpy()
        order = priority_order(
            self.keep, fetched_at=sketches.column("fetched_at").to_numpy(), n_bytes=n_bytes
        )
        keys, rank = np.column_stack([words, n_bytes.astype(np.uint64)]), ranks(order)
        keeper = np.full(len(alive), -1, dtype=np.int64)
        pending = np.flatnonzero(alive & has_text)
        while len(pending):
            best = pending[best_of_group(keys[pending], rank[pending])]
            same = _equal(pending, best, n_bytes=n_bytes, texts=texts)
            keeper[pending[same]] = best[same]
            pending = pending[~same]
        similarity = np.where((keeper >= 0) & (keeper != np.arange(len(alive))), 1.0, np.nan)
        return Verdicts(keeper=keeper, similarity=similarity, reason="same_text")

    def settle(
        self, batch: pa.RecordBatch, keeper_rows: NDArray[np.int64], rows: NDArray[np.int64]
    ) -> Outcome:
        """Drop or mark the merged rows of one batch."""
        return settle_merged(batch, keeper_rows, rows, mode=self.mode, stage=self.name)

    def remember(self, sketches: Sketches, verdicts: Verdicts) -> pa.Table:
        """Return key, instant, length and row of each document that stayed."""
        rows = np.flatnonzero(verdicts.keeper == np.arange(len(verdicts.keeper)))
        columns = {name: sketches.column(name).take(rows) for name in SKETCH_SCHEMA.names}
        return pa.table({**columns, "row": pa.array(rows, pa.int64())})


def _hashes(column: pa.Array) -> pa.Array:
    """Hash texts where they lie; null stays null."""
    from xxhash import xxh3_128_digest

    column = column.cast(pa.large_binary())
    _, offsets, data = column.buffers()
    ends = np.frombuffer(offsets, dtype=np.int64)[column.offset : column.offset + len(column) + 1].tolist()
    view = memoryview(data) if data is not None else memoryview(b"")
    keys = [xxh3_128_digest(view[start:end]) for start, end in pairwise(ends)]
    mask = column.is_null().to_numpy(zero_copy_only=False) if column.null_count else None
    return pa.array(keys, KEY_TYPE, mask=mask)


def _equal(
    rows: NDArray[np.int64], keepers: NDArray[np.int64], *, n_bytes: NDArray[np.int64], texts: Texts
) -> NDArray[np.bool_]:
    """Compare the texts of rows with those of their keepers: bool[n_rows]."""
    same: NDArray[np.bool_] = rows == keepers
    others = np.flatnonzero(~same)
    for part in _parts(others, n_bytes[rows[others]]):
        answer = pc.equal(texts.take(rows[part]), texts.take(keepers[part]))
        same[part] = answer.to_numpy(zero_copy_only=False)
    return same


def _parts(places: NDArray[np.int64], n_bytes: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Cut into parts of at most ``COMPARED_BYTES``, or of one place."""
    cumulated = np.cumsum(n_bytes)
    start = 0
    while start < len(places):
        before = cumulated[start - 1] if start else 0
        stop = max(int(np.searchsorted(cumulated, before + COMPARED_BYTES, side="right")), start + 1)
        yield places[start:stop]
        start = stop
