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
from builder.domain.url import canonical_url
from builder.errors import Fault, RecipeError
from builder.protocols import Verdicts
from builder.registry import option

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from builder.protocols import Engine, Outcome, Resources, Sketches, Texts

SKETCH_SCHEMA = pa.schema([("url_key", KEY_TYPE), ("fetched_at", pa.int64()), ("n_bytes", pa.int64())])


@dataclass(frozen=True, slots=True, kw_only=True)
class DedupUrl:
    """Keep one page of each canonical URL.

    Two URLs are the same if their canonical forms are (scheme and host in lower case, no default port, no
    fragment, no tracking parameters, ordered query; docs/deduplication.md has the numbered rules).
    Records without an ``http`` or ``https`` URL take no part. With ``keep: newest`` the page with the latest
    ``fetched_at`` stays; pages without that instant are older than all others, and among equals the first
    stays. The texts of merged pages are not compared: a URL that was fetched twice is one page, however it
    changed.
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
        name = resources.columns.url
        if name is None or name not in schema.names:
            raise RecipeError(
                Fault(
                    where=self.name,
                    what="the contract has no column of URLs",
                    advice="say which it is with columns: {url: NAME}, or leave the stage out",
                )
            )
        return schema.append(cluster_field(self.name)) if self.mode == "tag" else schema

    def sketch(self, batch: pa.RecordBatch, *, resources: Resources) -> pa.RecordBatch:
        """Return the hash of each canonical URL, the instant of the fetch and the length of the text."""
        columns = resources.columns
        keys = [_key(url) for url in batch.column(columns.url).to_pylist()]
        return pa.RecordBatch.from_arrays(
            [
                pa.array(keys, KEY_TYPE),
                instants_of(batch, columns.fetched_at),
                _lengths(batch, (columns.text, columns.html)),
            ],
            schema=SKETCH_SCHEMA,
        )

    def resolve(
        self,
        sketches: Sketches,
        *,
        alive: NDArray[np.bool_],
        memory: Sequence[pa.Table],  # noqa: ARG002 - nothing is remembered yet
        texts: Texts,  # noqa: ARG002 - URLs decide alone
        engine: Engine,  # noqa: ARG002 - one sort is enough
    ) -> Verdicts:
        """Give each page of a URL the best of them as its keeper."""
        keys, has_url = key_words(sketches.column("url_key"))
        order = priority_order(
            self.keep,
            fetched_at=sketches.column("fetched_at").to_numpy(),
            n_bytes=sketches.column("n_bytes").to_numpy(),
        )
        rows = np.flatnonzero(alive & has_url)
        keeper = np.full(len(alive), -1, dtype=np.int64)
        keeper[rows] = rows[best_of_group(keys[rows], ranks(order)[rows])]
        return Verdicts(keeper=keeper, similarity=np.full(len(alive), np.nan), reason="same_url")

    def settle(
        self, batch: pa.RecordBatch, keeper_rows: NDArray[np.int64], rows: NDArray[np.int64]
    ) -> Outcome:
        """Drop or mark the merged rows of one batch."""
        return settle_merged(batch, keeper_rows, rows, mode=self.mode, stage=self.name)

    def remember(self, sketches: Sketches, verdicts: Verdicts) -> pa.Table:
        """Return key, instant, length and row of each page that stayed."""
        rows = np.flatnonzero(verdicts.keeper == np.arange(len(verdicts.keeper)))
        columns = {name: sketches.column(name).take(rows) for name in SKETCH_SCHEMA.names}
        return pa.table({**columns, "row": pa.array(rows, pa.int64())})


def _key(url: str | None) -> bytes | None:
    canonical = canonical_url(url) if url else None
    return hashlib.blake2b(canonical.encode(), digest_size=16).digest() if canonical else None


def _lengths(batch: pa.RecordBatch, names: Sequence[str | None]) -> pa.Array:
    """Return the length of the first column that is there: int64[n_rows]."""
    for name in names:
        if name in batch.schema.names:
            return pc.binary_length(batch.column(name)).cast(pa.int64()).fill_null(0)
    return pa.repeat(pa.scalar(0, pa.int64()), batch.num_rows)
