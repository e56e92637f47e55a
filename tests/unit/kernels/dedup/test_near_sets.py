"""Sets near a known set: the index, compared with a reference that compares every pair."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_calls import fewer

from builder.kernels.dedup.near_sets import KnownSets

THRESHOLDS = (0.01, 1 / 3, 0.5, 0.7, 0.8, 0.9, 1.0)
few = st.integers(0, 12).map(lambda n: n * 0x9E3779B9 % (1 << 32))
members = st.one_of(few, few, few, st.integers(0, (1 << 32) - 1))
sets = st.lists(members, max_size=14)


def is_near(one: set[int], known: list[set[int]], threshold: float) -> bool:
    """Apply the rule: the Jaccard similarity with some known set is at least the threshold."""
    return bool(one) and any(len(one & other) / len(one | other) >= threshold for other in known)


def ascending(values: set[int]) -> np.ndarray:
    return np.asarray(sorted(values), np.uint32)


def found(known: list[set[int]], docs: list[list[int]], threshold: float) -> list[bool]:
    index = KnownSets.of([ascending(one) for one in known], threshold=threshold)
    starts = np.cumsum([0, *map(len, docs)])
    return index.near(np.asarray([one for doc in docs for one in doc], np.uint32), starts).tolist()


@given(
    st.lists(sets.map(set).filter(bool), min_size=1, max_size=6),
    st.lists(sets, max_size=8),
    st.sampled_from(THRESHOLDS),
)
def test_near_equals_the_reference(known: list[set[int]], docs: list[list[int]], threshold: float) -> None:
    """Known sets are near themselves, and repeated members count once."""
    docs = [*docs, *map(list, known)]
    expected = [is_near(set(doc), known, threshold) for doc in docs]
    assert found(known, docs, threshold) == expected


@pytest.mark.parametrize("threshold", THRESHOLDS)
def test_slightly_changed_sets_are_found_as_by_the_reference(threshold: float) -> None:
    """Each set has some hundred members: those of a known set, of which random ones are replaced."""
    rng = np.random.default_rng(7)
    shared = rng.integers(0, 1 << 32, 60, np.uint64).tolist()  # like the menus of a site
    known = [{*shared, *rng.integers(0, 1 << 32, 20 + 9 * n, np.uint64).tolist()} for n in range(20)]
    docs = []
    for n in range(fewer(400, 40)):
        lost, n_new = rng.choice([0.0, 0.02, 0.1, 0.3, 0.9]), int(rng.choice([0, 0, 10, 500]))
        kept = [one for one in sorted(known[n % len(known)]) if rng.random() >= lost]
        docs.append(kept + rng.integers(0, 1 << 32, n_new, np.uint64).tolist())
    expected = [is_near(set(doc), known, threshold) for doc in docs]
    assert found(known, docs, threshold) == expected
    assert len(set(expected)) == 2 or threshold < 0.1


def test_a_set_exactly_at_the_threshold_is_near() -> None:
    """8 common members of 10 give 0.8, which is near; 7 of 10 and 9 of 12 are not."""
    known = [set(range(10))]
    assert found(known, [[*range(8)], [*range(7)], [*range(9), 77, 78]], 0.8) == [True, False, False]
    assert found(known, [[]], 0.01) == [False]
