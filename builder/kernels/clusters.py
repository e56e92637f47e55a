"""Clusters of near-duplicates, in bounded memory.

The rule: in their order, each document joins the most similar keeper at or above the threshold (of equal ones
the earlier), else it becomes a keeper. So a cluster is a star around its keeper and never a chain, and what
comes later never changes what was decided before.

Only documents that share a band key can be similar, so each connected component of them is decided by
itself. Texts are read a block at a time; in memory are the shingles of one block and of the keepers of one
component, and of these no more than fit in a pool: those that were not needed for longest are put away, and
read and hashed again when they are asked for. Beside that stand about 30 bytes a document, and about 40
bytes for each band key of a keeper in the component at hand that another document has as well.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from builder.kernels import assign as rule
from builder.kernels.components import join_equal, join_forests, roots
from builder.kernels.folding import folding
from builder.kernels.shingles import shingle_sets
from builder.kernels.words import buffers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Texts = tuple[NDArray[np.uint8], NDArray[np.int64]]
    Forest = tuple[NDArray[np.int64], NDArray[np.uint8]]

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


def _once(function: Callable[[], Forest]) -> list[Forest]:
    return [function()]


def link(
    n_docs: int,
    n_bands: int,
    *,
    band: Callable[[int], NDArray[np.uint64]],
    side_by_side: Callable[[Callable[[], Forest]], list[Forest]] = _once,
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


@dataclass(kw_only=True)
class Clustering:
    """Decides on all documents of a corpus; documents are numbered in their order of priority.

    Attributes:
        threshold: Jaccard similarity from which on a document joins a keeper, above 0, at most 1.
        width: words in a shingle.
        keys: gives uint64[n, n_bands] for some documents.
        texts: gives the two buffers of some documents' texts: uint8[n_bytes] and int64[n + 1].
        n_fixed: documents below this number are keepers whatever they resemble: those that were published.
        pool_hashes: shingles of keepers that are held at a time; any number gives the same clusters.
    """

    threshold: float
    width: int
    keys: Callable[[NDArray[np.int64]], NDArray[np.uint64]]
    texts: Callable[[NDArray[np.int64]], Texts]
    n_fixed: int = 0
    pool_hashes: int = POOL_HASHES
    block_bytes: int = BLOCK_BYTES
    block_docs: int = BLOCK_DOCS
    _keepers: rule.Keepers = field(init=False)
    _buckets: rule.Buckets = field(init=False)
    _pool: NDArray[np.uint64] = field(init=False)

    def resolve(
        self, links: Links, n_bytes: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return int64[n_docs], each one's keeper, and float64[n_docs], the similarity, NaN for keepers.

        Args:
            n_bytes: int64[n_docs], lengths of the texts, by which blocks are cut.
        """
        n_docs = len(n_bytes)
        keeper_of = np.arange(n_docs, dtype=np.int64)
        similarity_of = np.full(n_docs, np.nan)
        paired = np.flatnonzero(links.shared.any(axis=1))
        paired = paired[np.argsort(links.component[paired], kind="stable")]
        if len(paired):
            self._make_room(int(n_bytes[paired].sum()))
        state = np.zeros(rule.STATE, np.int64)
        state[rule.COMPONENT] = state[rule.CANDIDATE] = -1
        best = np.zeros(1)
        for docs in self._blocks(paired, n_bytes):
            state[rule.AT] = 0
            block = self._block(docs, links)
            while self._mend(
                rule.assign(
                    block, self.threshold, self.n_fixed, self._keepers, self._buckets, self._pool,
                    state, best, keeper_of, similarity_of,
                ),
                state, block,
            ):  # fmt: skip
                pass
        return keeper_of, similarity_of

    def _make_room(self, total_bytes: int) -> None:
        # a shingle for every 3 bytes is more than any text in words has
        size = max(1, min(self.pool_hashes, total_bytes // 3 + 64))
        self._pool = np.empty(size, np.uint64)
        self._keepers = rule.Keepers(*(np.zeros(64, np.int64) for _ in rule.Keepers._fields))
        self._buckets = _buckets(n_slots=64, n_entries=32)

    def _blocks(self, docs: NDArray[np.int64], n_bytes: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
        ends = np.cumsum(n_bytes[docs])
        start = 0
        while start < len(docs):
            before = ends[start - 1] if start else 0
            stop = int(np.searchsorted(ends, before + self.block_bytes, side="right"))
            stop = min(max(stop, start + 1), start + self.block_docs)
            yield docs[start:stop]
            start = stop

    def _sets(self, docs: NDArray[np.int64]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
        data, offsets = self.texts(docs)
        hashes, starts = shingle_sets(data, offsets, self.width, folding(), buffers())
        return hashes, starts

    def _block(self, docs: NDArray[np.int64], links: Links) -> rule.Block:
        hashes, starts = self._sets(docs)
        return rule.Block(
            docs=np.ascontiguousarray(docs),
            component=links.component[docs],
            hashes=hashes,
            starts=starts,
            keys=np.ascontiguousarray(self.keys(docs)),
            shared=links.shared[docs],
        )

    def _mend(self, status: int, state: NDArray[np.int64], block: rule.Block) -> bool:
        """Do what ``assign`` asked for; return False if it is done with the block."""
        if status == rule.NO_ROOM:
            self._grow(state, n_bands=block.keys.shape[1])
        elif status == rule.POOL_FULL:
            at = state[rule.AT]
            self._clear(state, need=int(block.starts[at + 1] - block.starts[at]))
        elif status == rule.PUT_AWAY:
            self._fetch(state)
        return status != rule.DONE

    def _grow(self, state: NDArray[np.int64], *, n_bands: int) -> None:
        old = self._buckets
        n_keepers = int(state[rule.KEEPERS])
        if n_keepers == len(self._keepers.doc):
            self._keepers = rule.Keepers(*(np.concatenate([a, np.zeros_like(a)]) for a in self._keepers))
        n_entries = int(state[rule.ENTRIES])
        wanted = n_entries + n_bands
        new = _buckets(
            n_slots=max(len(old.heads), _doubled(int(state[rule.SLOTS]), 2 * wanted)),
            n_entries=max(len(old.next), 2 * wanted),
        )
        new.keeper[:n_entries] = old.keeper[:n_entries]
        new.next[:n_entries] = old.next[:n_entries]
        rule.rehash(old, state[rule.SLOTS], new)
        state[rule.SLOTS] = len(new.heads)
        self._buckets = new

    def _clear(self, state: NDArray[np.int64], *, need: int) -> None:
        """Make room for ``need`` hashes: put away the sets that were not compared with for longest."""
        keepers = self._keepers
        budget = max(0, min(len(self._pool) // 2, len(self._pool) - need))
        held = np.flatnonzero(keepers.place[: state[rule.KEEPERS]] >= 0)
        held = held[np.argsort(-keepers.used[held], kind="stable")]
        stay = held[np.cumsum(keepers.size[held]) <= budget]
        rule.put_away(keepers, self._pool, state, stay[np.argsort(keepers.place[stay])])
        if need > len(self._pool) // 2:
            pool = np.empty(2 * need + int(state[rule.USED]), np.uint64)
            pool[: state[rule.USED]] = self._pool[: state[rule.USED]]
            self._pool = pool

    def _fetch(self, state: NDArray[np.int64]) -> None:
        """Bring sets that were put away back: that of the candidate at hand, and of some after it."""
        keepers = self._keepers
        ahead = keepers.candidates[state[rule.CANDIDATE] : state[rule.CANDIDATES]]
        gone = ahead[keepers.place[ahead] < 0]
        some = max(1, int(np.searchsorted(np.cumsum(keepers.size[gone]), len(self._pool) // 4, side="right")))
        gone = gone[: min(some, self.block_docs)]
        need = int(keepers.size[gone].sum())
        if state[rule.USED] + need > len(self._pool):
            # what is ahead may be put away by this; the next call finds out
            self._clear(state, need=need)
        hashes, _ = self._sets(keepers.doc[gone])
        used = int(state[rule.USED])
        self._pool[used : used + need] = hashes
        keepers.place[gone] = used + np.cumsum(keepers.size[gone]) - keepers.size[gone]
        keepers.used[gone] = state[rule.STAMP]
        state[rule.USED] = used + need


def _buckets(*, n_slots: int, n_entries: int) -> rule.Buckets:
    return rule.Buckets(
        keys=np.zeros(n_slots, np.uint64),
        heads=np.full(n_slots, -1, np.int64),
        keeper=np.zeros(n_entries, np.int64),
        next=np.zeros(n_entries, np.int64),
    )


def _doubled(size: int, wanted: int) -> int:
    while size < wanted:
        size *= 2
    return size
