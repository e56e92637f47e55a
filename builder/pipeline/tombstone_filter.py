"""Remove the rows that tombstones match: a tombstone acts as a keeper that is not published."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from builder.domain.text_buffers import BandKeys, text_buffers, text_digests
from builder.domain.url import URL_RULES, domain
from builder.history.lineage import is_among
from builder.pipeline.tombstones import STAGE, Tombstones, halved, tombstone_rejections
from builder.protocols import Outcome
from builder.stages.binding.placed import inner_stage, stage_kind
from builder.stages.dedup_url import url_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from builder.pipeline.tombstones import TextTombstone
    from builder.protocols import CorpusStage, Guard, Resources, Sketches, Texts
    from builder.stages.dedup_near import DedupNear

_DOCS_AT_ONCE = 1 << 12


@dataclass(frozen=True, slots=True, kw_only=True)
class TombstoneFilter:
    """The stage before ``publishable``: rejects pages whose URL, domain or exact text was taken down.

    At a corpus stage, tombstones match more, also near-duplicates; but a recipe need not have corpus stages.
    Domains are matched only here. So the records that were merged into a page of such a domain leave together
    with it, as they do when a published page is taken down.
    """

    name: ClassVar[str] = STAGE
    untrusted: ClassVar[bool] = False
    tombstones: Tombstones

    def bind(self, schema: pa.Schema, resources: Resources) -> pa.Schema:  # noqa: ARG002 - a stage
        """Return the schema unchanged."""
        return schema

    def apply(self, batch: pa.RecordBatch, *, resources: Resources, guard: Guard) -> Outcome:  # noqa: ARG002
        """Reject the rows that a tombstone matches."""
        tombstoned = np.zeros(batch.num_rows, np.bool_)
        columns = resources.columns
        if columns.url in batch.schema.names:
            urls = batch.column(columns.url).to_pylist()
            tombstoned |= are_taken_down(self.tombstones, urls)
            tombstoned |= self.tombstones.match_hosts([domain(url) if url else None for url in urls])
        if columns.text in batch.schema.names:
            text = batch.column(columns.text)
            there = text.is_valid().to_numpy(zero_copy_only=False)
            tombstoned |= (
                self.tombstones.match_contents(text_digests(text.cast(pa.large_binary())).to_pylist()) & there
            )
        return Outcome(
            kept=batch.filter(pa.array(~tombstoned)),
            rejected=tombstone_rejections(batch.filter(pa.array(tombstoned))),
        )


def are_taken_down(tombstones: Tombstones, urls: Sequence[str | None]) -> NDArray[np.bool_]:
    """Return bool[n], whether the page of each URL was taken down, by the rules of each tombstone."""
    found = np.zeros(len(urls), np.bool_)
    for rules in tombstones.url_rules:
        found |= tombstones.match_urls((url_key(url, rules) for url in urls), rules=rules)
    return found


def find_tombstoned(
    tombstones: Tombstones,
    stage: CorpusStage,
    sketches: Sketches,
    *,
    alive: NDArray[np.bool_],
    texts: Texts,
    url_rules: int = URL_RULES,
) -> NDArray[np.bool_]:
    """Return bool[n_rows], the rows that a tombstone matches by the sketches of one stage.

    URLs of tombstones with other rules than ``url_rules`` are matched by ``TombstoneFilter``.
    """
    tombstoned = np.zeros(len(alive), np.bool_)
    rows = np.flatnonzero(alive)
    kind = stage_kind(stage)
    if kind == "dedup_url":
        keys = sketches.column("url_key").to_pylist()
        tombstoned[rows] = tombstones.match_urls((keys[row] for row in rows), rules=url_rules)
    elif kind == "dedup_exact":
        digests = sketches.column("text_digest").to_pylist()
        tombstoned[rows] = tombstones.match_contents(digests[row] for row in rows)
    elif kind == "dedup_near":
        for found in _near(tombstones, inner_stage(stage), sketches, rows, texts):
            tombstoned[found] = True
        short = rows[few_words(sketches).to_numpy(zero_copy_only=False)[rows]]
        tombstoned[short] = tombstones.match_words(
            sketches.column("words_hash").take(pa.array(short)).to_pylist()
        )
    return tombstoned


def few_words(sketches: Sketches | pa.RecordBatch) -> pa.Array:
    """Return bool[n_rows], whether a text has words, but too few for a shingle."""
    n_words, n_shingles = (sketches.column(name) for name in ("n_words", "n_shingles"))
    few = pc.and_(pc.greater(n_words, 0), pc.equal(n_shingles, 0))
    return few.combine_chunks() if isinstance(few, pa.ChunkedArray) else few


def _near(
    tombstones: Tombstones, stage: DedupNear, sketches: Sketches, rows: NDArray[np.int64], texts: Texts
) -> Iterator[NDArray[np.int64]]:
    """Yield the rows that are near-duplicates of a tombstone, by exact Jaccard similarity."""
    from builder.kernels.dedup.near_sets import KnownSets

    width, threshold = stage.shingle_words, stage.threshold
    pages = [page for page in tombstones.pages if page.shingle_words == width and len(page.shingles)]
    if not pages:
        return
    bands, n_rows = stage.banding
    usable = [page for page in pages if (len(page.keys), page.rows) == (bands, n_rows)]
    candidates = (
        _sharing(tombstones, usable, BandKeys(sketches.column("band_keys")), rows) if usable else rows[:0]
    )
    if len(usable) < len(pages):  # their keys were made with other bands and find nothing: compare all rows
        candidates = rows
    known = KnownSets.of([page.shingles for page in pages], threshold=threshold)
    for start in range(0, len(candidates), _DOCS_AT_ONCE):
        some = candidates[start : start + _DOCS_AT_ONCE]
        hashes, starts = _sets(some, texts, width)
        yield some[known.near(halved(tombstones.keyed_words(hashes)), starts)]


def _sharing(
    tombstones: Tombstones, pages: list[TextTombstone], keys: BandKeys, rows: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return int64[n], the rows that have a band key in common with a tombstone."""
    known = np.unique(np.concatenate([page.keys for page in pages]))
    shared = np.zeros(len(rows), np.bool_)
    for band in range(len(pages[0].keys)):
        shared |= is_among(halved(tombstones.keyed_words(keys.band(band, rows))), known)
    return rows[shared]


def keyed_shingles(tombstones: Tombstones, hashes: NDArray[np.uint64]) -> NDArray[np.uint32]:
    """Return the keyed hashes that a tombstone stores for a set of shingles, ascending."""
    return np.unique(halved(tombstones.keyed_words(hashes)))


def _sets(rows: NDArray[np.int64], texts: Texts, width: int) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return the shingles of some rows, end to end, and the position where each row's shingles begin."""
    from builder.kernels.dedup.shingles import shingle_sets
    from builder.kernels.text.folding import folding
    from builder.kernels.text.words import buffers

    hashes, starts = shingle_sets(*text_buffers(texts.take(rows)), width, folding(), buffers())
    return hashes, starts
