"""Find the sets that are near one of a few known sets, by exact Jaccard similarity.

The method is an inverted index over prefixes (Chaudhuri, Ganti, Kaushik, "A primitive operator for similarity
joins in data cleaning", ICDE 2006, section 4): if two sets share at least ``o`` members, and all members are
sorted in one order, then the first ``n - o + 1`` members of each set have a member in common. Members that
are in few of the known sets come first, so there are few comparisons.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from builder.kernels.jit import array_kernel, kernel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_BUCKET_BITS = 16
"""Leading bits by which members are looked up; members are hashes, so the buckets have similar sizes."""

_SLACK = 1e-6
"""More than the rounding error of ``threshold * n``, because a bound must not be too high."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownSets:
    """An index of some sets of hashes by their members.

    Attributes:
        vocabulary: uint32[n_members], all members, ascending.
        buckets: int64[2**16 + 1], where the members with the same 16 leading bits begin in the vocabulary.
        ranks: int64[n_members], the rank of each member in the order from rare to frequent.
        sets: int64[n_total], the ranks of each set's members, ascending, concatenated.
        starts: int64[n_sets + 1]; set ``i`` is ``sets[starts[i]:starts[i + 1]]``.
        owners: int64[n_postings], the sets whose prefix contains a member, sorted by the member's rank.
        firsts: int64[n_members + 1], where the owners of each rank begin.
    """

    threshold: float
    vocabulary: NDArray[np.uint32]
    buckets: NDArray[np.int64]
    ranks: NDArray[np.int64]
    sets: NDArray[np.int64]
    starts: NDArray[np.int64]
    owners: NDArray[np.int64]
    firsts: NDArray[np.int64]

    @classmethod
    def of(cls, sets: Sequence[NDArray[np.uint32]], *, threshold: float) -> KnownSets:
        """Index some sets for comparison at a threshold; each has distinct members, at least one."""
        vocabulary, place, counts = np.unique(np.concatenate(sets), return_inverse=True, return_counts=True)
        ranks = np.empty(len(vocabulary), np.int64)
        ranks[np.lexsort((vocabulary, counts))] = np.arange(len(vocabulary))
        sizes = np.asarray([len(one) for one in sets])
        owner = np.repeat(np.arange(len(sets)), sizes)
        ranked = ranks[place.ravel()]
        order = np.lexsort((ranked, owner))
        starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        least = np.maximum(1, np.ceil(threshold * sizes - _SLACK)).astype(np.int64)
        in_prefix = np.arange(len(owner)) - starts[owner] <= (sizes - least)[owner]
        posted, owners = ranked[order][in_prefix], owner[in_prefix]
        by_rank = np.argsort(posted, kind="stable")
        bounds = np.arange((1 << _BUCKET_BITS) + 1, dtype=np.uint64) << np.uint64(32 - _BUCKET_BITS)
        return cls(
            threshold=threshold,
            vocabulary=vocabulary,
            buckets=np.searchsorted(vocabulary.astype(np.uint64), bounds),
            ranks=ranks,
            sets=ranked[order],
            starts=starts,
            owners=owners[by_rank],
            firsts=np.searchsorted(posted[by_rank], np.arange(len(vocabulary) + 1)),
        )

    def near(self, members: NDArray[np.uint32], starts: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return bool[n_docs], which sets reach the threshold with a known set; an empty set does not.

        Args:
            members: uint32[n], the sets concatenated, members in any order; a repeated member counts once.
            starts: int64[n_docs + 1], where each set begins.
        """
        out = np.zeros(len(starts) - 1, np.bool_)
        index = (self.vocabulary, self.buckets, self.ranks, self.sets, self.starts, self.owners, self.firsts)
        mark_near(members, starts, *index, self.threshold, out)
        return out


@kernel
def rank_of(value: Any, vocabulary: Any, buckets: Any, ranks: Any) -> Any:
    """Return the rank of a member; -1 if no known set contains it."""
    bucket = value >> np.uint32(32 - _BUCKET_BITS)
    for at in range(buckets[bucket], buckets[bucket + 1]):
        if vocabulary[at] == value:
            return ranks[at]
    return -1


@kernel
def n_common(left: Any, right: Any) -> Any:
    """Count the common elements of two ascending arrays."""
    n: Any = 0
    i: Any = 0
    j: Any = 0
    while i < len(left) and j < len(right):
        a = left[i]
        b = right[j]
        n += np.int64(a == b)
        i += np.int64(a <= b)
        j += np.int64(b <= a)
    return n


@array_kernel
def mark_near(
    members: Any,
    doc_starts: Any,
    vocabulary: Any,
    buckets: Any,
    ranks: Any,
    sets: Any,
    starts: Any,
    owners: Any,
    firsts: Any,
    threshold: Any,
    out: Any,
) -> None:
    """Set ``out``, bool[n_docs] and all False before, for sets near a known one; see ``KnownSets.near``."""
    seen = np.full(len(starts) - 1, -1, np.int64)
    for doc in range(len(out)):
        ascending = np.sort(members[doc_starts[doc] : doc_starts[doc + 1]])
        known = np.empty(len(ascending), np.int64)
        n_known: Any = 0
        n: Any = 0
        for i in range(len(ascending)):
            if i == 0 or ascending[i] != ascending[i - 1]:
                n += 1
                rank = rank_of(ascending[i], vocabulary, buckets, ranks)
                if rank >= 0:
                    known[n_known] = rank
                    n_known += 1
        least: Any = max(1, np.int64(np.ceil(threshold * n - _SLACK)))
        if n_known < least:
            continue
        known = np.sort(known[:n_known])
        # members that no known set contains are the rarest, so they fill the front of the prefix
        for i in range(n_known - least + 1):
            for at in range(firsts[known[i]], firsts[known[i] + 1]):
                owner = owners[at]
                if out[doc] or seen[owner] == doc:
                    continue
                seen[owner] = doc
                other = sets[starts[owner] : starts[owner + 1]]
                if min(n, len(other)) < threshold * max(n, len(other)) - _SLACK:
                    continue
                shared = n_common(known, other)
                out[doc] = shared / (n + len(other) - shared) >= threshold
            if out[doc]:
                break
