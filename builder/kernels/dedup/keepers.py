"""Hold the keepers of one component in bounded memory.

The memory holds the shingles of one block of documents, and those of the keepers of the current component as
far as they fit into a pool. The least recently used sets are evicted; they are read and hashed again when
they are needed. In addition, there are about 40 bytes for each band key of a keeper that another document
has too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from builder.kernels.dedup import assign as rule

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Sets = Callable[[NDArray[np.int64]], tuple[NDArray[np.uint64], NDArray[np.int64]]]


class Deciding:
    """Clusters one component after another, a block of documents at a time.

    Args:
        threshold: see ``clusters.Clustering``.
        n_fixed: see ``clusters.Clustering``.
        sets: returns the shingle sets of some documents, as ``shingle_sets`` does.
        pool_hashes: shingles that the pool holds; a larger set makes the pool grow.
        block_docs: documents in one call of ``sets``, at most.
    """

    def __init__(
        self, *, threshold: float, n_fixed: int, sets: Sets, pool_hashes: int, block_docs: int
    ) -> None:
        self._threshold = threshold
        self._n_fixed = n_fixed
        self._sets = sets
        self._block_docs = block_docs
        self._pool = np.empty(pool_hashes, np.uint64)
        self._keepers = rule.Keepers(*(np.zeros(64, np.int64) for _ in rule.Keepers._fields))
        self._buckets = _buckets(n_slots=64, n_entries=32)
        self._best = np.zeros(1)
        self._state = np.zeros(rule.STATE, np.int64)
        self._state[rule.COMPONENT] = self._state[rule.CANDIDATE] = -1

    def decide(
        self, block: rule.Block, keeper_of: NDArray[np.int64], similarity_of: NDArray[np.float64]
    ) -> None:
        """Cluster the documents of a block, which follows directly on the block before it.

        Args:
            keeper_of: int64[n_docs], written for the documents of the block.
            similarity_of: float64[n_docs], likewise; not written for keepers.
        """
        state = self._state
        state[rule.PLACE] = 0
        status = -1
        while status != rule.DONE:
            status = rule.assign(
                block, self._threshold, self._n_fixed, self._keepers, self._buckets, self._pool,
                state, self._best, keeper_of, similarity_of,
            )  # fmt: skip
            if status == rule.NO_ROOM:
                self._grow(n_bands=block.keys.shape[1])
            elif status == rule.POOL_FULL:
                at = state[rule.PLACE]
                self._clear(need=int(block.starts[at + 1] - block.starts[at]))
            elif status == rule.PUT_AWAY:
                self._fetch()

    def _grow(self, *, n_bands: int) -> None:
        old, state = self._buckets, self._state
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

    def _clear(self, *, need: int) -> None:
        """Make room for ``need`` hashes: evict the sets that were least recently compared with."""
        keepers, state = self._keepers, self._state
        budget = max(0, min(len(self._pool) // 2, len(self._pool) - need))
        held = np.flatnonzero(keepers.place[: state[rule.KEEPERS]] >= 0)
        held = held[np.argsort(-keepers.used[held], kind="stable")]
        stay = held[np.cumsum(keepers.size[held]) <= budget]
        rule.put_away(keepers, self._pool, state, stay[np.argsort(keepers.place[stay])])
        if need > len(self._pool) // 2:
            pool = np.empty(2 * need + int(state[rule.USED]), np.uint64)
            pool[: state[rule.USED]] = self._pool[: state[rule.USED]]
            self._pool = pool

    def _fetch(self) -> None:
        """Load evicted sets again: that of the current candidate, and those of some later candidates."""
        keepers, state = self._keepers, self._state
        ahead = keepers.candidates[state[rule.CANDIDATE] : state[rule.CANDIDATES]]
        evicted = ahead[keepers.place[ahead] < 0]
        some = max(
            1, int(np.searchsorted(np.cumsum(keepers.size[evicted]), len(self._pool) // 4, side="right"))
        )
        evicted = evicted[: min(some, self._block_docs)]
        need = int(keepers.size[evicted].sum())
        if state[rule.USED] + need > len(self._pool):
            # this may evict the sets of later candidates; the next call loads them again
            self._clear(need=need)
        hashes, _ = self._sets(keepers.doc[evicted])
        used = int(state[rule.USED])
        self._pool[used : used + need] = hashes
        keepers.place[evicted] = used + np.cumsum(keepers.size[evicted]) - keepers.size[evicted]
        keepers.used[evicted] = state[rule.STAMP]
        state[rule.USED] = used + need


def _buckets(*, n_slots: int, n_entries: int) -> rule.KeyBuckets:
    return rule.KeyBuckets(
        keys=np.zeros(n_slots, np.uint64),
        heads=np.full(n_slots, -1, np.int64),
        keeper=np.zeros(n_entries, np.int64),
        next=np.zeros(n_entries, np.int64),
    )


def _doubled(size: int, wanted: int) -> int:
    while size < wanted:
        size *= 2
    return size
