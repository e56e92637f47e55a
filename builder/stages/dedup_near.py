"""``dedup_near``: keep one document of each cluster of near duplicates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pyarrow as pa

from builder.domain.grouping import best_of_group, instants_of, key_words
from builder.domain.merging import KEEP, MODES, cluster_field, priority_order, settle_merged
from builder.domain.row_numbers import MemoryRows
from builder.domain.text_buffers import BandKeys, text_buffers
from builder.errors import Fault, RecipeError
from builder.kernels.dedup.bands import MAX_BANDS, MAX_ROWS, MAX_WIDTH, choose
from builder.protocols import Verdicts
from builder.registry import option
from builder.stages.binding.required_columns import text_column_faults
from builder.stages.dedup.combined_rows import CombinedRows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from builder.protocols import Outcome, Remembered, Resources, Sketches, Texts, Threads

NO_TEXT = -1
"""Value of ``n_words`` if the text is null."""

_MIN_BLOCK_BYTES = 1 << 20
"""Threads share the bytes of one block. A block smaller than this costs more than it saves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DedupNear:
    """Keep one document of each cluster of near duplicates, and prove each merge by exact similarity.

    The stage folds each text (case, width, compatibility forms; ``NFKC(casefold(NFKC(c)))`` of each code
    point) and splits it into words. Letters, marks and numbers form words; everything else separates them.
    Each character of Han, Hiragana, Katakana, Thai, Lao, Khmer, Myanmar and Tibetan is a word of its own,
    including the vowel signs and tone marks of these scripts. The Unicode version is always 14.0.0; it does
    not depend on the Python version.

    The shingles of a document are the runs of ``shingle_words`` consecutive words. The similarity of two
    documents is the exact Jaccard similarity of their sets of shingles: the number of shingles in both sets,
    divided by the number of shingles in at least one set. Candidates come from a MinHash sketch: two
    documents are candidates if they agree in all rows of at least one band. The default bands and rows find a
    pair at the threshold with a probability of at least 99 % (16 bands of 6 rows at 0.8). The stage merges a
    pair only if its exact similarity is at or above the threshold.

    In the order of ``keep``, each document joins the most similar keeper at or above the threshold (the
    earlier of equally similar keepers). Without such a keeper, it becomes a keeper. So clusters do not chain:
    each merged document is similar to its own keeper, and two similar documents can be in two clusters.

    A document with fewer than ``shingle_words`` words has no shingles. It is a duplicate only of a document
    with the same folded words. A document without words (punctuation, symbols) is a duplicate only of a
    document with equal bytes. Documents whose text is null do not take part.
    """

    name: ClassVar[str] = "dedup_near"
    untrusted: ClassVar[bool] = False
    needs: ClassVar[tuple[str, ...]] = ("text",)
    rules: ClassVar[int] = 1
    reasons: ClassVar[Mapping[str, str]] = {
        "near_duplicate": "Another document has nearly the same text; that document is kept.",
    }

    threshold: float = option(
        0.8, help="Minimum Jaccard similarity of the shingles of two duplicates.", above=0, maximum=1
    )
    shingle_words: int = option(5, help="Words per shingle.", minimum=1, maximum=MAX_WIDTH)
    bands: int | None = option(
        None,
        help="Bands of the sketch; the default depends on the threshold.",
        minimum=1,
        maximum=MAX_BANDS,
    )
    rows: int | None = option(
        None, help="Rows per band; the default depends on the threshold.", minimum=1, maximum=MAX_ROWS
    )
    keep: str = option("first", help="Which document of each cluster is kept.", choices=KEEP)
    mode: str = option("drop", help="Drop merged documents, or keep and mark them.", choices=MODES)

    @property
    def append_stable(self) -> bool:
        """Whether later records never change a decision on an earlier record."""
        return self.keep == "first"

    @property
    def banding(self) -> tuple[int, int]:
        """Number of bands, and of rows per band."""
        return choose(self.threshold, bands=self.bands, rows=self.rows)

    def bind(self, schema: pa.Schema, resources: Resources) -> pa.Schema:
        """Check that the schema has a text column and, for ``keep: newest``, a column of instants.

        In ``mode: tag``, add the cluster column.

        Raises:
            RecipeError: if a column is missing or has another type.
        """
        faults = text_column_faults(self.name, schema, resources, purpose="compare")
        faults += self._instant_faults(schema, resources)
        if faults:
            raise RecipeError(*faults)
        return schema.append(cluster_field(self.name)) if self.mode == "tag" else schema

    def _instant_faults(self, schema: pa.Schema, resources: Resources) -> list[Fault]:
        column = resources.columns.fetched_at
        if self.keep != "newest" or (
            column in schema.names and pa.types.is_timestamp(schema.field(column).type)
        ):
            return []
        what = "keep: newest needs a column of instants, and the contract does not have one"
        advice = "name the column with columns: {fetched_at: NAME}, or use keep: first"
        return [Fault(where=f"{self.name}.keep", what=what, advice=advice)]

    def sketch(self, batch: pa.RecordBatch, *, resources: Resources) -> pa.RecordBatch:
        """Return band keys and number of shingles; without shingles, a hash of the words.

        The sketch has ``fetched_at`` only for ``keep: newest``.
        """
        columns = self.sketch_texts(batch.column(resources.columns.text))
        if self.keep == "newest":
            columns["fetched_at"] = instants_of(batch, resources.columns.fetched_at)
        return pa.RecordBatch.from_pydict(columns)

    def sketch_texts(self, column: pa.Array) -> dict[str, pa.Array]:
        """Return the columns of the sketch that texts alone decide."""
        from builder.kernels.dedup.sketch import sketch_texts
        from builder.kernels.text.folding import folding
        from builder.kernels.text.words import buffers

        data, offsets = text_buffers(column)
        n, (bands, rows) = len(column), self.banding
        keys, words_hash = np.zeros((n, bands), np.uint64), np.zeros((n, 2), np.uint64)
        n_words, n_shingles = np.zeros(n, np.int64), np.zeros(n, np.int64)
        answers = (keys, n_words, n_shingles, words_hash)
        sketch_texts(data, offsets, self.shingle_words, rows, folding(), buffers(), *answers)
        n_bytes = np.diff(offsets)
        if column.null_count:
            null = column.is_null().to_numpy(zero_copy_only=False)
            n_words[null] = NO_TEXT
            for array in (keys, n_shingles, words_hash, n_bytes):
                array[null] = 0
        return {
            "band_keys": _fixed_width(keys),
            "n_words": pa.array(n_words),
            "n_shingles": pa.array(n_shingles),
            "words_hash": _fixed_width(words_hash),
            "n_bytes": pa.array(n_bytes),
        }

    def resolve(
        self,
        sketches: Sketches,
        *,
        alive: NDArray[np.bool_],
        memory: Remembered | None,
        texts: Texts,
        threads: Threads,
    ) -> Verdicts:
        """Find candidates by their band keys, and prove each merge with the texts.

        The threads share the bands and the components.
        """
        both = CombinedRows(memory, self._candidates(memory, sketches, alive), sketches, texts)
        n_bytes, n_words, n_shingles = (_numbers(both, name) for name in ("n_bytes", "n_words", "n_shingles"))
        order = both.order(self._order(sketches))
        order = order[both.alive(alive)[order] & (n_words[order] != NO_TEXT)]
        keeper = np.full(both.n_rows, -1, np.int64)
        similarity = np.full(both.n_rows, np.nan)
        short, long = order[n_shingles[order] == 0], order[n_shingles[order] > 0]
        keeper[short] = short[self._same_words(both, short, n_words)]
        similarity[short[keeper[short] != short]] = 1.0
        near, similarity[long] = self._near(both, long, n_bytes[long], threads)
        keeper[long] = long[near]
        return Verdicts(
            keeper=both.keepers(keeper), similarity=similarity[both.n_old :], reason="near_duplicate"
        )

    def _order(self, sketches: Sketches) -> NDArray[np.int64]:
        fetched_at = _numbers(sketches, "fetched_at") if self.keep == "newest" else None
        return priority_order(self.keep, fetched_at=fetched_at, n_bytes=_numbers(sketches, "n_bytes"))

    def _candidates(
        self, memory: Remembered | None, sketches: Sketches, alive: NDArray[np.bool_]
    ) -> MemoryRows:
        """Return the keepers of earlier versions that share a band key or all words with a row."""
        if memory is None or not memory.n_rows or not alive.any():
            return MemoryRows(np.empty(0, np.int64))
        old, new = (BandKeys(one.column("band_keys")) for one in (memory, sketches))
        rows, all_old = np.flatnonzero(alive), np.arange(memory.n_rows)
        is_long = _numbers(sketches, "n_shingles")[rows] > 0
        old_words, new_words = (key_words(one.column("words_hash"))[0][:, 0] for one in (memory, sketches))
        chosen = np.isin(old_words, new_words[rows[~is_long]])
        long_old = _numbers(memory, "n_shingles") > 0
        chosen &= ~long_old
        for band in range(self.banding[0]):
            shared = np.isin(old.band(band, all_old), new.band(band, rows[is_long]))
            chosen |= shared & long_old
        return MemoryRows(np.flatnonzero(chosen))

    def _same_words(
        self, both: CombinedRows, rows: NDArray[np.int64], n_words: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Return the position in ``rows`` of the keeper of each row; ``rows`` are in order of priority."""
        words, _ = key_words(both.column("words_hash"))
        # a hash of bytes must not be compared with a hash of words
        keys = np.column_stack([words[rows], (n_words[rows] == 0).astype(np.uint64)])
        return best_of_group(keys, np.arange(len(rows)))

    def _near(
        self, both: CombinedRows, rows: NDArray[np.int64], n_bytes: NDArray[np.int64], threads: Threads
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the position in ``rows`` of the keeper of each row, and their similarity.

        All ``rows`` must have shingles.
        """
        from builder.kernels.dedup.clusters import BLOCK_BYTES, POOL_HASHES, Clustering, link

        keys = BandKeys(both.column("band_keys"))

        def band(number: int) -> NDArray[np.uint64]:
            found = keys.band(number, rows)
            both.release()
            return found

        links = link(len(rows), self.banding[0], band=band, side_by_side=threads.side_by_side)
        clustering = Clustering(
            threshold=self.threshold,
            width=self.shingle_words,
            keys=lambda docs: keys.rows(rows[docs]),
            texts=lambda docs: text_buffers(both.take(rows[docs])),
            n_fixed=int((rows < both.n_old).sum()),
            pool_hashes=POOL_HASHES // threads.n,
            block_bytes=max(BLOCK_BYTES // threads.n, _MIN_BLOCK_BYTES),
        )
        return clustering.resolve(links, n_bytes, side_by_side=threads.side_by_side)

    def settle(
        self, batch: pa.RecordBatch, keeper_rows: NDArray[np.int64], rows: NDArray[np.int64]
    ) -> Outcome:
        """Drop the merged rows of one batch, or mark them in ``mode: tag``."""
        return settle_merged(batch, keeper_rows, rows, mode=self.mode, stage=self.name)

    def remember(self, sketches: Sketches, verdicts: Verdicts) -> pa.Table:
        """Return row, band keys, counts and hash of each keeper."""
        stayed = np.flatnonzero(verdicts.keeper == np.arange(len(verdicts.keeper)))
        names = ("band_keys", "n_words", "n_shingles", "words_hash", "n_bytes")
        columns = {name: sketches.column(name).take(pa.array(stayed)) for name in names}
        return pa.table({"row": pa.array(stayed, pa.int64()), **columns})


def _fixed_width(words: NDArray[np.uint64]) -> pa.Array:
    """Convert uint64[n_rows, n] to a column of fixed-width bytes."""
    kind = pa.binary(8 * words.shape[1])
    return pa.Array.from_buffers(kind, len(words), [None, pa.py_buffer(np.ascontiguousarray(words))])


def _numbers(sketches: Sketches | Remembered, name: str) -> NDArray[np.int64]:
    return np.asarray(sketches.column(name).to_numpy(), dtype=np.int64)
