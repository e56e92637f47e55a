"""Components of candidates, and the rule by which documents join keepers."""

from __future__ import annotations

import random

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from kernel_calls import fewer, packed, sketches_of

from builder.engines.threads import LocalThreads
from builder.kernels.dedup.clusters import Clustering, link

ONE_BAND = st.lists(st.lists(st.integers(0, 5), min_size=3, max_size=3), max_size=30)


def cluster(texts, *, threshold, bands=8, rows=1, n_fixed=0, n_threads=1, **limits):
    """Cluster texts in their order; return keepers, similarities (None for keepers) and band keys."""
    keys, _, _, _ = sketches_of(texts, width=2, bands=bands, rows=rows)
    links = link(len(texts), bands, band=lambda band: keys[:, band])
    clustering = Clustering(
        threshold=threshold,
        width=2,
        keys=lambda docs: keys[docs],
        texts=lambda docs: packed([texts[doc] for doc in docs]),
        n_fixed=n_fixed,
        **limits,
    )
    n_bytes = np.array([len(text.encode()) for text in texts], np.int64)
    keeper, similarity = clustering.resolve(links, n_bytes, side_by_side=LocalThreads(n_threads).side_by_side)
    return keeper.tolist(), [None if np.isnan(s) else s for s in similarity], keys


def alike(n_texts, *, seed, vocabulary=6, n_words=12):
    """Return short texts of few words; many of them share shingles."""
    rng = random.Random(seed)
    words = [f"word{i}" for i in range(vocabulary)]
    return [" ".join(rng.choices(words, k=rng.randrange(2, n_words))) for _ in range(n_texts)]


def expected(texts, keys, *, threshold):
    """Apply the rule to the pairs that share a key."""
    sets = [reference.shingles(text, width=2) for text in texts]
    return reference.cluster(
        sets, threshold=threshold, candidates=lambda a, b: bool((keys[a] == keys[b]).any())
    )


@given(ONE_BAND, st.integers(1, 4))
def test_components_are_those_of_a_graph(rows, n_threads):
    """Two documents are in one component if a chain of equal keys connects them."""
    keys = np.array(rows, np.uint64).reshape(-1, 3) * np.uint64(0x9E3779B97F4A7C15)
    links = link(
        len(rows), 3, band=lambda band: keys[:, band], side_by_side=LocalThreads(n_threads).side_by_side
    )
    component = list(range(len(rows)))
    for _ in rows:
        for a in range(len(rows)):
            for b in range(len(rows)):
                if any(x == y for x, y in zip(rows[a], rows[b], strict=True)):
                    component[a] = component[b] = min(component[a], component[b])
    assert links.component.tolist() == component
    for band in range(3):
        column = [row[band] for row in rows]
        bits = (links.shared[:, 0] >> band & 1).tolist()
        assert bits == [int(column.count(key) > 1) for key in column]


@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.8, 1.0])
@pytest.mark.parametrize(
    "limits",
    [
        {},
        {"pool_hashes": 1},
        {"pool_hashes": 16},
        {"pool_hashes": 40, "block_docs": 3},
        {"pool_hashes": 100, "block_bytes": 50},
        {"block_bytes": 1},
    ],
)
def test_clusters_equal_the_rule(threshold, limits):
    """The result is that of the rule over all candidates, even if little fits into memory at a time."""
    texts = alike(fewer(250, 50), seed=1)
    keeper, similarity, keys = cluster(texts, threshold=threshold, **limits)
    assert (keeper, similarity) == expected(texts, keys, threshold=threshold)


@pytest.mark.parametrize("n_threads", [1, 3])
@pytest.mark.parametrize("limits", [{}, {"block_docs": 7}, {"block_bytes": 40, "pool_hashes": 9}])
def test_components_are_clustered_independently(limits, n_threads):
    """Single documents are keepers, and the number of threads does not matter."""
    texts = [f"{a} {b} {n}x {n}y {n}z" for n in range(fewer(40, 12)) for a, b in ("pq", "pq", "rs", "rq")]
    texts = random.Random(2).sample(texts, len(texts))
    keeper, similarity, keys = cluster(texts, threshold=0.5, n_threads=n_threads, **limits)
    assert (keeper, similarity) == expected(texts, keys, threshold=0.5)
    assert len(set(keeper)) > fewer(40, 12)


def test_keepers_and_buckets_grow():
    """A component may have more keepers, buckets and bands than its first arrays can hold."""
    texts = alike(fewer(700, 100), seed=3, vocabulary=9, n_words=30)
    keeper, similarity, keys = cluster(texts, threshold=0.95, bands=fewer(70, 20), pool_hashes=300)
    assert (keeper, similarity) == expected(texts, keys, threshold=0.95)
    assert len(set(keeper)) > fewer(200, 64)


def test_no_documents_give_no_clusters():
    """Empty arrays do not fail."""
    assert cluster([], threshold=0.8)[0] == []


def test_a_document_joins_the_most_similar_keeper():
    """Of equally similar keepers, it joins the earlier one."""
    left, right = "a b c d e f", "e f g h i j"
    between = "c d e f g h"
    closer = "d e f g h i j"
    texts = [left, right, between, closer]
    keeper, similarity, _ = cluster(texts, threshold=0.3, bands=64)
    assert keeper == [0, 1, 0, 1]
    assert similarity[2] == 3 / 7


def test_published_documents_are_always_keepers():
    """They stay even if they are similar to each other, and later documents join the best of them."""
    texts = ["a b c d e f", "a b c d e f g", "a b c d e f g", "x y z"]
    keeper, _, _ = cluster(texts, threshold=0.5, bands=64, n_fixed=2)
    assert keeper == [0, 1, 1, 3]


def test_texts_are_read_in_blocks():
    """No block is larger than its limit, unless a single document is."""
    texts = alike(fewer(120, 60), seed=4)
    asked = []

    class Counting(Clustering):
        def _sets(self, docs):
            asked.append(docs.tolist())
            return super()._sets(docs)

    keys, *_ = sketches_of(texts, width=2, bands=8, rows=1)
    links = link(len(texts), 8, band=lambda band: keys[:, band])
    n_bytes = np.array([len(text) for text in texts], np.int64)
    Counting(
        threshold=0.5,
        width=2,
        keys=lambda docs: keys[docs],
        texts=lambda docs: packed([texts[doc] for doc in docs]),
        block_bytes=200,
    ).resolve(links, n_bytes)
    assert len(asked) > 5
    assert all(len(docs) == 1 or n_bytes[docs].sum() <= 200 for docs in asked)
