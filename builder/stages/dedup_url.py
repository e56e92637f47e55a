"""``dedup_url``: keep one page of each canonical URL."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from builder.domain.grouping import KEY_TYPE, best_of_group, instants_of, key_words, ranks
from builder.domain.merging import MODES, cluster_field, priority_order, settle_merged
from builder.domain.row_numbers import MemoryRows
from builder.domain.text_buffers import text_keys
from builder.domain.url import URL_RULES, canonical_url
from builder.errors import RecipeError
from builder.protocols import Verdicts
from builder.registry import option
from builder.stages.binding.required_columns import contract_column_faults
from builder.stages.dedup.combined_rows import CombinedRows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from builder.protocols import Outcome, Remembered, Resources, Sketches, Texts, Threads

_SKETCH_SCHEMA = pa.schema(
    [("url_key", KEY_TYPE), ("fetched_at", pa.int64()), ("n_bytes", pa.int64()), ("text_key", KEY_TYPE)]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DedupUrl:
    """Keep one page of each canonical URL.

    Two URLs are the same if their canonical forms are equal (scheme and host in lower case, no default port,
    no fragment except a route, no tracking parameters, ordered query; docs/deduplication.md has the numbered
    rules). Records without an ``http`` or ``https`` URL do not take part. ``keep: newest`` keeps the page
    with the latest ``fetched_at``. Pages without ``fetched_at`` count as older than all other pages. Among
    pages of the same instant, the first is kept. The stage does not compare texts: it merges all fetches of a
    URL, even if the text changed.

    A page of an earlier version stays published, with one exception: with ``keep: newest``, a page of the
    same URL with a later ``fetched_at`` and another text replaces it and takes its document id. With
    ``mode: tag``, no page is replaced.
    """

    name: ClassVar[str] = "dedup_url"
    untrusted: ClassVar[bool] = False
    needs: ClassVar[tuple[str, ...]] = ("url", "text")
    rules: ClassVar[int] = 1
    reasons: ClassVar[Mapping[str, str]] = {
        "same_url": "Another page has the same canonical URL; that page is kept.",
    }

    keep: str = option(
        "newest", help="Which page of each URL is kept.", choices=("newest", "first", "longest")
    )
    mode: str = option("drop", help="Drop merged pages, or keep and mark them.", choices=MODES)

    @property
    def append_stable(self) -> bool:
        """Whether later records never change a decision on an earlier record."""
        return self.keep == "first"

    def bind(self, schema: pa.Schema, resources: Resources) -> pa.Schema:
        """Check that the contract has a column for URLs; in ``mode: tag``, add the cluster column.

        Raises:
            RecipeError: if the column is missing.
        """
        faults = contract_column_faults(self.name, schema, resources, "url")
        if faults:
            raise RecipeError(*faults)
        return schema.append(cluster_field(self.name)) if self.mode == "tag" else schema

    def sketch(self, batch: pa.RecordBatch, *, resources: Resources) -> pa.RecordBatch:
        """Return the hash of the canonical URL, the instant of the fetch, and length and hash of the text."""
        columns = resources.columns
        keys = [url_key(url, resources.url_rules) for url in batch.column(columns.url).to_pylist()]
        content = _content(batch, (columns.text, columns.html))
        return pa.RecordBatch.from_arrays(
            [
                pa.array(keys, KEY_TYPE),
                instants_of(batch, columns.fetched_at),
                pc.binary_length(content).cast(pa.int64()).fill_null(0),
                text_keys(content) if self.keep == "newest" else pa.nulls(batch.num_rows, KEY_TYPE),
            ],
            schema=_SKETCH_SCHEMA,
        )

    def resolve(
        self,
        sketches: Sketches,
        *,
        alive: NDArray[np.bool_],
        memory: Remembered | None,
        texts: Texts,  # noqa: ARG002 - only URLs count
        threads: Threads,  # noqa: ARG002 - one sort is enough
    ) -> Verdicts:
        """Choose the keeper of the pages of each URL."""
        both = CombinedRows.choose(memory, sketches, "url_key")
        keys, has_url = key_words(both.column("url_key"))
        order = priority_order(
            self.keep,
            fetched_at=sketches.column("fetched_at").to_numpy(),
            n_bytes=sketches.column("n_bytes").to_numpy(),
        )
        rank = ranks(both.order(order))
        rows = np.flatnonzero(both.alive(alive) & has_url)
        keeper = np.full(both.n_rows, -1, dtype=np.int64)
        keeper[rows] = rows[best_of_group(keys[rows], rank[rows])]
        replaces = self._replace_old_pages(both, keeper, rank) if both.n_old else None
        similarity = np.full(len(alive), np.nan)
        return Verdicts(
            keeper=both.keepers(keeper), similarity=similarity, reason="same_url", replaces=replaces
        )

    def _replace_old_pages(
        self, both: CombinedRows, keeper: NDArray[np.int64], rank: NDArray[np.int64]
    ) -> MemoryRows | None:
        """Replace pages of earlier versions with the newest page of their URL, if its text is different.

        Args:
            keeper: int64[n_rows], changed in place for replaced pages.

        Returns:
            int64[n_new], the row of ``memory`` that each row replaces, or -1; None without ``keep: newest``
            or in ``mode: tag``.
        """
        if self.keep != "newest" or self.mode == "tag":
            return None
        again = both.n_old + np.flatnonzero((keeper[both.n_old :] >= 0) & (keeper[both.n_old :] < both.n_old))
        again = again[np.argsort(rank[again])]
        old, first = np.unique(keeper[again], return_index=True)
        new = again[first]
        fetched_at = both.column("fetched_at").to_numpy()
        texts, _ = key_words(both.column("text_key"))
        better = (fetched_at[new] > fetched_at[old]) & (texts[new] != texts[old]).any(axis=1)
        old, new = old[better], new[better]
        successor = np.full(both.n_old, -1, np.int64)
        successor[old] = new
        rows = again[successor[keeper[again]] >= 0]
        keeper[rows] = successor[keeper[rows]]
        replaces = np.full(both.n_rows - both.n_old, -1, np.int64)
        replaces[new - both.n_old] = both.chosen[old]
        return MemoryRows(replaces)

    def settle(
        self, batch: pa.RecordBatch, keeper_rows: NDArray[np.int64], rows: NDArray[np.int64]
    ) -> Outcome:
        """Drop the merged rows of one batch, or mark them in ``mode: tag``."""
        return settle_merged(batch, keeper_rows, rows, mode=self.mode, stage=self.name)

    def remember(self, sketches: Sketches, verdicts: Verdicts) -> pa.Table:
        """Return row, keys, instant and length of each keeper."""
        rows = np.flatnonzero(verdicts.keeper == np.arange(len(verdicts.keeper)))
        columns = {name: sketches.column(name).take(rows) for name in _SKETCH_SCHEMA.names}
        return pa.table({**columns, "row": pa.array(rows, pa.int64())})


def url_key(url: str | None, rules: int = URL_RULES) -> bytes | None:
    """Hash the canonical form of a URL to 16 bytes (BLAKE2b); return None without an http or https URL."""
    canonical = canonical_url(url, rules) if url else None
    return hashlib.blake2b(canonical.encode(), digest_size=16).digest() if canonical else None


def _content(batch: pa.RecordBatch, names: Sequence[str | None]) -> pa.Array:
    """Return the first column that exists, or a column of nulls."""
    for name in names:
        if name in batch.schema.names:
            return batch.column(name)
    return pa.nulls(batch.num_rows, pa.string())
