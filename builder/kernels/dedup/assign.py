"""Apply the rule of clustering to each document: join the most similar keeper, or become a keeper.

``assign`` processes one block of documents of one or more components, in order. If it lacks something that
only the caller can provide (room, or the evicted shingles of a keeper), it stops and returns what it needs.
The next call resumes at the same pair of documents.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from builder.kernels.bits import power_of_two
from builder.kernels.dedup.jaccard import fill_table, similarity
from builder.kernels.jit import array_kernel, kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

DONE, NO_ROOM, POOL_FULL, PUT_AWAY = 0, 1, 2, 3
"""Why ``assign`` returned: the block is done; keepers or buckets must grow; the pool must be cleared or must
grow; the shingles of the candidate at ``CANDIDATE`` are not in the pool (evicted)."""

PLACE, COMPONENT, KEEPERS, ENTRIES, SLOTS, USED, CANDIDATE, CANDIDATES, BEST, STAMP, STATE = range(11)
"""Indexes in the state, int64[STATE]: current document of the block; current component; numbers of keepers,
of entries in buckets and of slots in use; number of hashes in the pool; current candidate (-1: not gathered
yet) and number of candidates; best keeper so far (-1: none); a count of documents."""


class Block(NamedTuple):
    """Documents that are clustered in one call.

    Attributes:
        docs: int64[n], document numbers.
        component: int64[n], equal values are adjacent.
        hashes: uint64[n_hashes], the shingle sets concatenated.
        starts: int64[n + 1], where each set begins in ``hashes``.
        keys: uint64[n, n_bands].
        shared: uint8[n, n_bands / 8 rounded up], a bit for each key that another document has too.
    """

    docs: NDArray[np.int64]
    component: NDArray[np.int64]
    hashes: NDArray[np.uint64]
    starts: NDArray[np.int64]
    keys: NDArray[np.uint64]
    shared: NDArray[np.uint8]


class Keepers(NamedTuple):
    """The keepers of the current component, in the order in which they became keepers; int64[room] each.

    Attributes:
        doc: document number.
        size: number of shingles.
        place: where in the pool its shingles begin; -1 if they were evicted.
        used: stamp of the last document that was compared with it.
        seen: stamp of the last document that had it as a candidate.
        candidates: the keepers that share a bucket with the current document.
    """

    doc: NDArray[np.int64]
    size: NDArray[np.int64]
    place: NDArray[np.int64]
    used: NDArray[np.int64]
    seen: NDArray[np.int64]
    candidates: NDArray[np.int64]


class KeyBuckets(NamedTuple):
    """The keepers of the current component by band key; other documents are not in the buckets.

    Attributes:
        keys: uint64[a power of two], a hash table with open addressing in the first ``SLOTS`` slots.
        heads: int64[same], first entry of each bucket; -1 in empty slots.
        keeper: int64[room], the keeper of each entry.
        next: int64[room], the entry after this one; -1 at the end.
    """

    keys: NDArray[np.uint64]
    heads: NDArray[np.int64]
    keeper: NDArray[np.int64]
    next: NDArray[np.int64]


@kernel
def slot_of(key: Any, buckets: Any, n_slots: Any) -> Any:
    """Return the slot of a key, or the empty slot where it belongs."""
    mask = np.uint64(n_slots - 1)
    slot = key & mask
    while buckets.heads[slot] >= 0 and buckets.keys[slot] != key:
        slot = (slot + np.uint64(1)) & mask
    return slot


@kernel
def rehash(old: Any, n_slots: Any, new: Any) -> Any:
    """Copy the slots of ``old`` to the larger table ``new``, whose ``heads`` are all -1."""
    for slot in range(n_slots):
        if old.heads[slot] >= 0:
            place = slot_of(old.keys[slot], new, len(new.heads))
            new.keys[place] = old.keys[slot]
            new.heads[place] = old.heads[slot]


@kernel
def begin_component(component: Any, n_bands: Any, buckets: Any, state: Any) -> Any:
    """Start a new component without the keepers of the previous one."""
    state[COMPONENT] = component
    state[KEEPERS] = 0
    state[ENTRIES] = 0
    state[USED] = 0
    state[SLOTS] = min(power_of_two(8 * n_bands), len(buckets.heads))
    buckets.heads[: state[SLOTS]] = -1


@kernel
def has_room(n_bands: Any, keepers: Any, buckets: Any, state: Any) -> Any:
    """Return whether keepers and buckets have room for one more keeper."""
    return (
        state[KEEPERS] < len(keepers.doc)
        and state[ENTRIES] + n_bands <= len(buckets.next)
        and 2 * (state[ENTRIES] + n_bands) <= state[SLOTS]
    )


@kernel
def gather(i: Any, block: Any, keepers: Any, buckets: Any, state: Any) -> Any:
    """Collect the keepers that share a bucket with a document, each once; return their number."""
    n = 0
    stamp = state[STAMP]
    for band in range(block.keys.shape[1]):
        if block.shared[i, band >> 3] & (1 << (band & 7)) == 0:
            continue
        entry = buckets.heads[slot_of(block.keys[i, band], buckets, state[SLOTS])]
        while entry >= 0:
            keeper = buckets.keeper[entry]
            if keepers.seen[keeper] != stamp:
                keepers.seen[keeper] = stamp
                keepers.candidates[n] = keeper
                n += 1
            entry = buckets.next[entry]
    return n


@array_kernel
def find_best(
    members: Any, threshold: Any, keepers: Any, pool: Any, table: Any, state: Any, best_similarity: Any
) -> Any:
    """Compare a document with its candidates from ``CANDIDATE`` on; of equally similar ones the first wins.

    Returns:
        Whether all candidates were compared (False if the shingles of the next one were evicted), and
        ``table``.
    """
    n = len(members)
    mask = np.uint64(0)
    filled = False
    while state[CANDIDATE] < state[CANDIDATES]:
        keeper = keepers.candidates[state[CANDIDATE]]
        size = keepers.size[keeper]
        least = best_similarity[0] if state[BEST] >= 0 else threshold
        # min / max is the greatest similarity that two sets of these sizes can have
        if min(n, size) / max(n, size) >= least:
            place = keepers.place[keeper]
            if place < 0:
                return False, table
            if not filled:
                table, mask = fill_table(members, table)
                filled = True
            keepers.used[keeper] = state[STAMP]
            found = similarity(pool[place : place + size], table, mask, n, least)
            if found >= least and (state[BEST] < 0 or found > least or keeper < state[BEST]):
                state[BEST] = keeper
                best_similarity[0] = found
        state[CANDIDATE] += 1
    return True, table


@kernel
def add_keeper(i: Any, block: Any, keepers: Any, buckets: Any, pool: Any, state: Any) -> Any:
    """Make a document a keeper; the caller has checked that there is room."""
    keeper = state[KEEPERS]
    members = block.hashes[block.starts[i] : block.starts[i + 1]]
    keepers.doc[keeper] = block.docs[i]
    keepers.size[keeper] = len(members)
    keepers.place[keeper] = state[USED]
    keepers.used[keeper] = state[STAMP]
    keepers.seen[keeper] = -1
    used = state[USED]
    for n in range(len(members)):
        pool[used + n] = members[n]
    state[USED] = used + len(members)
    state[KEEPERS] += 1
    for band in range(block.keys.shape[1]):
        if block.shared[i, band >> 3] & (1 << (band & 7)) == 0:
            continue
        slot = slot_of(block.keys[i, band], buckets, state[SLOTS])
        entry = state[ENTRIES]
        buckets.keeper[entry] = keeper
        buckets.next[entry] = buckets.heads[slot]
        buckets.keys[slot] = block.keys[i, band]
        buckets.heads[slot] = entry
        state[ENTRIES] += 1


@array_kernel
def assign(
    block: Any, threshold: Any, n_fixed: Any, keepers: Any, buckets: Any, pool: Any,
    state: Any, best_similarity: Any, keeper_of: Any, similarity_of: Any,
) -> Any:  # fmt: skip
    """Cluster the documents of a block from ``state[PLACE]`` on; return why the call ended.

    Args:
        n_fixed: documents below this number are always keepers.
        pool: uint64[room], the shingles of keepers.
        best_similarity: float64[1], the similarity with ``state[BEST]``.
        keeper_of: int64[n_docs], written for the documents of the block.
        similarity_of: float64[n_docs], likewise; not written for keepers.
    """
    n_bands = block.keys.shape[1]
    table = np.empty(1 << 12, np.uint64)
    while state[PLACE] < len(block.docs):
        i = state[PLACE]
        doc = block.docs[i]
        members = block.hashes[block.starts[i] : block.starts[i + 1]]
        if block.component[i] != state[COMPONENT]:
            begin_component(block.component[i], n_bands, buckets, state)
        if not has_room(n_bands, keepers, buckets, state):
            return NO_ROOM
        if state[CANDIDATE] < 0:
            state[STAMP] += 1
            state[BEST] = -1
            state[CANDIDATE] = 0
            state[CANDIDATES] = 0 if doc < n_fixed else gather(i, block, keepers, buckets, state)
        all_seen, table = find_best(members, threshold, keepers, pool, table, state, best_similarity)
        if not all_seen:
            return PUT_AWAY
        if state[BEST] >= 0:
            keeper_of[doc] = keepers.doc[state[BEST]]
            similarity_of[doc] = best_similarity[0]
        else:
            if state[USED] + len(members) > len(pool):
                return POOL_FULL
            add_keeper(i, block, keepers, buckets, pool, state)
            keeper_of[doc] = doc
        state[CANDIDATE] = -1
        state[PLACE] += 1
    return DONE


@array_kernel
def put_away(keepers: Any, pool: Any, state: Any, newest: Any) -> Any:
    """Evict the shingles of all keepers except ``newest`` from the pool, and close the gaps.

    Args:
        newest: int64[n], keepers whose shingles stay, in the order of their places in the pool.
    """
    stay = np.zeros(state[KEEPERS], np.bool_)
    for keeper in newest:
        stay[keeper] = True
    for keeper in range(state[KEEPERS]):
        if not stay[keeper]:
            keepers.place[keeper] = -1
    used = 0
    for keeper in newest:
        place = keepers.place[keeper]
        for i in range(keepers.size[keeper]):
            pool[used + i] = pool[place + i]
        keepers.place[keeper] = used
        used += keepers.size[keeper]
    state[USED] = used
