"""Cluster near-duplicates in bounded memory.

The rule: documents are processed in order of priority. Each document joins the most similar keeper at or
above the threshold (of equally similar keepers, the earlier one); without such a keeper, it becomes a keeper.
So a cluster is a star around its keeper and never a chain, and no document changes an earlier decision.

Only documents that share a band key are candidates. So each connected component of candidates is decided
separately, and several components are decided in parallel. Texts are read in blocks. Memory: about 30 bytes
for each document, and for each parallel call what ``keepers.Deciding`` holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from builder.kernels.dedup.assign import Block
from builder.kernels.dedup.components import join_equal, join_forests, roots
from builder.kernels.dedup.keepers import Deciding
from builder.kernels.dedup.shingles import shingle_sets
from builder.kernels.text.folding import folding
from builder.kernels.text.words import buffers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Texts = tuple[NDArray[np.uint8], NDArray[np.int64]]
    Forest = tuple[NDArray[np.int64], NDArray[np.uint8]]
    SideBySide = Callable[[Callable[[], Any]], list[Any]]

POOL_HASHES = 1 << 24
"""Shingles of keepers that are held in memory: 128 MiB, the keepers of about 25,000 pages of text."""

MOST_DOCS_SIDE_BY_SIDE = 1 << 22

BLOCK_BYTES = 1 << 24
BLOCK_DOCS = 1 << 13


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """The connections between documents that share a band key.

    Attributes:
        component: int64[n_docs], the first document of each document's component.
        shared: uint8[n_docs, n_bands / 8 rounded up], a bit for each key that another document has too.
    """

    component: NDArray[np.int64]
    shared: NDArray[np.uint8]


def _once(function: Callable[[], Any]) -> list[Any]:
    return [function()]


def link(
    n_docs: int,
    n_bands: int,
    *,
    band: Callable[[int], NDArray[np.uint64]],
    side_by_side: SideBySide = _once,
) -> Links:
    """Find the components of documents that share a key.

    Args:
        band: returns uint64[n_docs], the keys of one band.
        side_by_side: calls a function several times in parallel and returns all results; the outcome does
            not depend on the number of calls. Each call needs about 30 bytes for each document, so above
            ``MOST_DOCS_SIDE_BY_SIDE`` documents there is only one call.
    """
    numbers = iter(range(n_bands))

    def join_some() -> Forest:
        parent = np.arange(n_docs, dtype=np.int64)
        shared = np.zeros((n_docs, -(-n_bands // 8)), np.uint8)
        for number in numbers:
            join_equal(np.ascontiguousarray(band(number)), number, parent, shared)
        return parent, shared

    call = side_by_side if n_docs <= MOST_DOCS_SIDE_BY_SIDE else _once
    (parent, shared), *others = call(join_some)
    for other, more in others:
        join_forests(parent, other)
        shared |= more
    return Links(component=roots(parent), shared=shared)


@dataclass(frozen=True, kw_only=True)
class Clustering:
    """Clusters all documents of a corpus; documents are numbered in their order of priority.

    Attributes:
        threshold: the least Jaccard similarity at which a document joins a keeper; above 0, at most 1.
        width: words in a shingle.
        keys: returns uint64[n, n_bands] for some documents.
        texts: returns the two buffers of some documents' texts: uint8[n_bytes] and int64[n + 1].
        n_fixed: documents below this number are published already, so they are always keepers.
        pool_hashes: shingles of keepers that each parallel call holds in memory; the clusters do not depend
            on it.
    """

    threshold: float
    width: int
    keys: Callable[[NDArray[np.int64]], NDArray[np.uint64]]
    texts: Callable[[NDArray[np.int64]], Texts]
    n_fixed: int = 0
    pool_hashes: int = POOL_HASHES
    block_bytes: int = BLOCK_BYTES
    block_docs: int = BLOCK_DOCS

    def resolve(
        self, links: Links, n_bytes: NDArray[np.int64], *, side_by_side: SideBySide = _once
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return each document's keeper, int64[n_docs], and similarity, float64[n_docs], NaN for keepers.

        Args:
            n_bytes: int64[n_docs], lengths of the texts; blocks are cut by them.
            side_by_side: calls a function several times in parallel; each call takes components until none
                is left.
        """
        keeper_of = np.arange(len(n_bytes), dtype=np.int64)
        similarity_of = np.full(len(n_bytes), np.nan)
        paired = np.flatnonzero(links.shared.any(axis=1))
        paired = paired[np.argsort(links.component[paired], kind="stable")]
        if not len(paired):
            return keeper_of, similarity_of
        # the largest first, so that no call runs alone for long at the end
        runs = iter(sorted(self._runs(paired, links, n_bytes), key=lambda run: -int(n_bytes[run].sum())))
        # one shingle for every 3 bytes is more than any text of words has
        room = max(1, min(self.pool_hashes, int(n_bytes[paired].sum()) // 3 + 64))

        def decide_some() -> None:
            deciding = Deciding(
                threshold=self.threshold,
                n_fixed=self.n_fixed,
                sets=self._sets,
                pool_hashes=room,
                block_docs=self.block_docs,
            )
            for run in runs:
                for docs in self._blocks(run, n_bytes):
                    deciding.decide(self._block(docs, links), keeper_of, similarity_of)

        side_by_side(decide_some)
        return keeper_of, similarity_of

    def _runs(
        self, docs: NDArray[np.int64], links: Links, n_bytes: NDArray[np.int64]
    ) -> Iterator[NDArray[np.int64]]:
        """Split documents, sorted by component, into runs of whole components; join small components."""
        component = links.component[docs]
        bounds = np.flatnonzero(np.diff(component, prepend=-1, append=-1))
        return self._pieces(docs, bounds, n_bytes)

    def _blocks(self, docs: NDArray[np.int64], n_bytes: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
        return self._pieces(docs, np.arange(len(docs) + 1), n_bytes)

    def _pieces(
        self, docs: NDArray[np.int64], bounds: NDArray[np.int64], n_bytes: NDArray[np.int64]
    ) -> Iterator[NDArray[np.int64]]:
        """Split documents at some of ``bounds``, into pieces that fit a block if possible."""
        ends = np.concatenate([[0], np.cumsum(n_bytes[docs])])[bounds]
        first = 0
        while first < len(bounds) - 1:
            last = min(
                np.searchsorted(ends, ends[first] + self.block_bytes, side="right"),
                np.searchsorted(bounds, bounds[first] + self.block_docs, side="right"),
            )
            last = max(int(last) - 1, first + 1)
            yield docs[bounds[first] : bounds[last]]
            first = last

    def _sets(self, docs: NDArray[np.int64]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
        data, offsets = self.texts(docs)
        hashes, starts = shingle_sets(data, offsets, self.width, folding(), buffers())
        return hashes, starts

    def _block(self, docs: NDArray[np.int64], links: Links) -> Block:
        hashes, starts = self._sets(docs)
        return Block(
            docs=np.ascontiguousarray(docs),
            component=links.component[docs],
            hashes=hashes,
            starts=starts,
            keys=np.ascontiguousarray(self.keys(docs)),
            shared=links.shared[docs],
        )
