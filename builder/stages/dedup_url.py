"""``dedup_url``: of the pages of one canonical URL, one stays."""

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
from builder.domain.url import canonical_url
from builder.errors import RecipeError
from builder.protocols import Verdicts
from builder.registry import option
from builder.stages.binding.required_columns import contract_column_faults
from builder.stages.dedup.together import Together

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

    Two URLs are the same if their canonical forms are (scheme and host in lower case, no default port, no
    fragment, no tracking parameters, ordered query; docs/deduplication.md has the numbered rules).
    Records without an ``http`` or ``https`` URL take no part. With ``keep: newest`` the page with the latest
    ``fetched_at`` stays; pages without that instant are older than all others, and among equals the first
    stays. The texts of merged pages are not compared: a URL that was fetched twice is one page, however it
    changed.

    A page of an earlier version stays, unless ``keep: newest`` meets one of its URL that was fetched later
    and has another text: that one takes its id and its place. With ``mode: tag`` nothing takes a place.
    """

    name: ClassVar[str] = "dedup_url"
    untrusted: ClassVar[bool] = False
    reasons: ClassVar[Mapping[str, str]] = {
        "same_url": "Another page has the same canonical URL and is kept in its place.",
    }

    keep: str = option("newest", help="Which page of a URL stays.", choices=("newest", "first", "longest"))
    mode: str = option("drop", help="Drop merged pages, or keep and mark them.", choices=MODES)

    @property
    def append_stable(self) -> bool:
        """Whether later records never change what was decided on earlier ones."""
        return self.keep == "first"

    def bind(self, schema: pa.Schema, resources: Resources) -> pa.Schema:
        """Ask for a column of URLs.

        Raises:
            RecipeError: if there is none.
        """
        faults = contract_column_faults(self.name, schema, resources, "url")
        if faults:
            raise RecipeError(*faults)
        return schema.append(cluster_field(self.name)) if self.mode == "tag" else schema

    def sketch(self, batch: pa.RecordBatch, *, resources: Resources) -> pa.RecordBatch:
        """Return hashes of canonical URL and text, the instant of the fetch and the length of the text."""
        columns = resources.columns
        keys = [url_key(url) for url in batch.column(columns.url).to_pylist()]
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
        texts: Texts,  # noqa: ARG002 - URLs decide alone
        threads: Threads,  # noqa: ARG002 - one sort is enough
    ) -> Verdicts:
        """Give each page of a URL the best of them as its keeper."""
        both = Together.choose(memory, sketches, "url_key")
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
        replaces = self._recrawl(both, keeper, rank) if both.n_old else None
        similarity = np.full(len(alive), np.nan)
        return Verdicts(
            keeper=both.keepers(keeper), similarity=similarity, reason="same_url", replaces=replaces
        )

    def _recrawl(
        self, both: Together, keeper: NDArray[np.int64], rank: NDArray[np.int64]
    ) -> MemoryRows | None:
        """Let the newest page of a URL take the place of a remembered one, where its text is another.

        Args:
            keeper: int64[n_rows], changed in place where the page of a URL is replaced.

        Returns:
            int64[n_new], the row of ``memory`` that each row replaces, or -1.
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
        taker = np.full(both.n_old, -1, np.int64)
        taker[old] = new
        rows = again[taker[keeper[again]] >= 0]
        keeper[rows] = taker[keeper[rows]]
        replaces = np.full(both.n_rows - both.n_old, -1, np.int64)
        replaces[new - both.n_old] = both.chosen[old]
        return MemoryRows(replaces)

    def settle(
        self, batch: pa.RecordBatch, keeper_rows: NDArray[np.int64], rows: NDArray[np.int64]
    ) -> Outcome:
        """Drop or mark the merged rows of one batch."""
        return settle_merged(batch, keeper_rows, rows, mode=self.mode, stage=self.name)

    def remember(self, sketches: Sketches, verdicts: Verdicts) -> pa.Table:
        """Return row, keys, instant and length of each page that stayed."""
        rows = np.flatnonzero(verdicts.keeper == np.arange(len(verdicts.keeper)))
        columns = {name: sketches.column(name).take(rows) for name in _SKETCH_SCHEMA.names}
        return pa.table({**columns, "row": pa.array(rows, pa.int64())})


def url_key(url: str | None) -> bytes | None:
    """Hash a canonical URL to 16 bytes (BLAKE2b); None for what is none."""
    canonical = canonical_url(url) if url else None
    return hashlib.blake2b(canonical.encode(), digest_size=16).digest() if canonical else None


def _content(batch: pa.RecordBatch, names: Sequence[str | None]) -> pa.Array:
    """Return the first column that is there, or one of nulls."""
    for name in names:
        if name in batch.schema.names:
            return batch.column(name)
    return pa.nulls(batch.num_rows, pa.string())
