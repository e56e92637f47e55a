"""Find published documents that are similar to those of a takedown, so that a person can decide on them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from builder.domain.document_ids import DocumentIds, parse_id
from builder.domain.text_buffers import BandKeys, text_buffers
from builder.history.lineage import is_among
from builder.protocols import Columns
from builder.removal.make_tombstones import memories_of
from builder.stages.dedup_near import DedupNear

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa
    from numpy.typing import NDArray

    from builder.history.past import Past, StageMemory

LEAST_SIMILARITY = 0.5
"""Minimum Jaccard similarity of a listed document.

Below the threshold of the recipe, the bands may miss a document: the less similar it is, the more often.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearby:
    """A published document that is similar to a requested one."""

    id: str
    url: str | None
    like: str
    similarity: float

    def document(self) -> dict[str, Any]:
        """Return the document as plain JSON values."""
        return {"id": self.id, "url": self.url, "like": self.like, "similarity": self.similarity}


def find_nearby(past: Past, documents: Iterable[bytes]) -> list[Nearby]:
    """Find the published documents that share a band key with ``documents``, and compare their shingles.

    The most similar documents come first.
    """
    wanted = set(documents)
    if not wanted or not past.text_column:
        return []
    found: list[Nearby] = []
    for options, memory in memories_of(past, DedupNear.name):
        found += _nearby(past, memory, wanted, width=DedupNear(**options).shingle_words)
    return _with_urls(past, _best_of_each(found))


def _nearby(past: Past, memory: StageMemory, wanted: set[bytes], *, width: int) -> list[Nearby]:
    """Find the documents that are similar by the shingles of one stage."""
    keys = BandKeys(memory.column("band_keys"))
    here = memory.represented_by(wanted)
    here = here[np.asarray(memory.column("n_shingles").to_numpy())[here] > 0]
    pairs = _pairs_with_shared_bands(keys, here, memory.n_rows)
    others = np.unique(np.asarray([other for _, other in pairs], np.int64))
    if not len(others):
        return []
    sets = _shingle_sets(memory.texts.take(np.concatenate([here, others])), width)
    place = {row: i for i, row in enumerate([*here.tolist(), *others.tolist()])}
    found: dict[int, tuple[float, int]] = {}
    for row, other in pairs:
        similarity = _jaccard(sets[place[row]], sets[place[other]])
        if similarity >= LEAST_SIMILARITY and similarity > found.get(other, (0.0, 0))[0]:
            found[other] = similarity, row
    return _matches(past, memory, found, wanted)


def _pairs_with_shared_bands(keys: BandKeys, rows: NDArray[np.int64], n_rows: int) -> set[tuple[int, int]]:
    pairs: set[tuple[int, int]] = set()
    if not len(rows):
        return pairs
    own = keys.rows(rows)
    everything = np.arange(n_rows)
    for band in range(own.shape[1]):
        column = keys.band(band, everything)
        hits = np.setdiff1d(np.flatnonzero(is_among(column, np.sort(own[:, band]))), rows)
        for other in hits.tolist():
            pairs |= {(int(row), other) for row in rows[own[:, band] == column[other]]}
    return pairs


def _shingle_sets(texts: pa.LargeBinaryArray, width: int) -> list[NDArray[np.uint64]]:
    from builder.kernels.dedup.shingles import shingle_sets
    from builder.kernels.text.folding import folding
    from builder.kernels.text.words import buffers

    hashes, starts = shingle_sets(*text_buffers(texts), width, folding(), buffers())
    return [np.sort(hashes[a:b]) for a, b in itertools.pairwise(starts)]


def _jaccard(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> float:
    common = int(is_among(one, other).sum())
    union = len(one) + len(other) - common
    return common / union if union else 0.0


def _matches(
    past: Past, memory: StageMemory, found: dict[int, tuple[float, int]], wanted: set[bytes]
) -> list[Nearby]:
    if not found:
        return []
    others = np.asarray(list(found), np.int64)
    kept = past.kept_ids(memory.past_rows(others))
    likes = past.kept_ids(memory.past_rows(np.asarray([row for _, row in found.values()], np.int64)))
    return [
        Nearby(id=one.hex(), url=None, like=like.hex() if like else "", similarity=similarity)
        for one, like, (similarity, _) in zip(kept, likes, found.values(), strict=True)
        if one is not None and one not in wanted
    ]


def _best_of_each(found: Iterable[Nearby]) -> list[Nearby]:
    """Return the most similar pair of each document, the most similar document first."""
    best: dict[str, Nearby] = {}
    for one in found:
        if one.id not in best or best[one.id].similarity < one.similarity:
            best[one.id] = one
    return sorted(best.values(), key=lambda n: (-n.similarity, n.id))


def _with_urls(past: Past, nearby: list[Nearby]) -> list[Nearby]:
    column = Columns.of_manifest(past.lineage.manifest).url
    if column is None:
        return nearby
    ids = DocumentIds.from_hex(one.id for one in nearby)
    urls = past.lineage.texts(ids, column)
    return [
        Nearby(
            id=one.id,
            url=urls.get(parse_id(one.id), b"").decode() or None,
            like=one.like,
            similarity=one.similarity,
        )
        for one in nearby
    ]
