"""Clusters of near-duplicates, in bounded memory.

The rule: in their order, each document joins the most similar keeper at or above the threshold (of equal ones
the earlier), else it becomes a keeper. So a cluster is a star around its keeper and never a chain, and what
comes later never changes what was decided before.

Only documents that share a band key can be similar, so each connected component of them is decided by
itself, several side by side. Texts are read a block at a time. Beside what ``keepers.Deciding`` holds for
each that runs at once stand about 30 bytes a document.
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
"""Shingles of keepers that are held: 128 MiB, the keepers of some 25,000 pages of text."""

MOST_DOCS_SIDE_BY_SIDE = 1 << 22

BLOCK_BYTES = 1 << 24
BLOCK_DOCS = 1 << 13


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Which documents share a band key.

    Attributes:
        component: int64[n_docs], the first document of each one's component.
        shared: uint8[n_docs, n_bands / 8 rounded up], bits of the keys that another document has as well.
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
    """Join documents that have an equal key.

    Args:
        band: gives uint64[n_docs], the keys of one band.
        side_by_side: calls a function several times at once, and gives all that it returned; the outcome
            does not depend on how many times. Each call takes some 30 bytes a document, so above
            ``MOST_DOCS_SIDE_BY_SIDE`` there is one.
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
    """Decides on all documents of a corpus; documents are numbered in their order of priority.

    Attributes:
        threshold: Jaccard similarity from which on a document joins a keeper, above 0, at most 1.
        width: words in a shingle.
        keys: gives uint64[n, n_bands] for some documents.
        texts: gives the two buffers of some documents' texts: uint8[n_bytes] and int64[n + 1].
        n_fixed: documents below this number are keepers whatever they resemble: those that were published.
        pool_hashes: shingles of keepers that each of what runs side by side holds at a time; any number gives
            the same clusters.
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
        """Return int64[n_docs], each one's keeper, and float64[n_docs], the similarity, NaN for keepers.

        Args:
            n_bytes: int64[n_docs], lengths of the texts, by which blocks are cut.
            side_by_side: calls a function several times at once; each takes components until none is left.
        """
        keeper_of = np.arange(len(n_bytes), dtype=np.int64)
        similarity_of = np.full(len(n_bytes), np.nan)
        paired = np.flatnonzero(links.shared.any(axis=1))
        paired = paired[np.argsort(links.component[paired], kind="stable")]
        if not len(paired):
            return keeper_of, similarity_of
        # the greatest first, so that none is left over at the end
        runs = iter(sorted(self._runs(paired, links, n_bytes), key=lambda run: -int(n_bytes[run].sum())))
        # a shingle for every 3 bytes is more than any text in words has
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
        """Cut documents that are in order of their components into whole components, small ones together."""
        component = links.component[docs]
        bounds = np.flatnonzero(np.diff(component, prepend=-1, append=-1))
        return self._pieces(docs, bounds, n_bytes)

    def _blocks(self, docs: NDArray[np.int64], n_bytes: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
        return self._pieces(docs, np.arange(len(docs) + 1), n_bytes)

    def _pieces(
        self, docs: NDArray[np.int64], bounds: NDArray[np.int64], n_bytes: NDArray[np.int64]
    ) -> Iterator[NDArray[np.int64]]:
        """Cut documents at some of ``bounds``, into pieces of no more than a block if that can be."""
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
