"""Shingle sets, hashes of short documents, sketches and band keys."""

from __future__ import annotations

import random

import pytest
import reference
from kernel_calls import fewer, sets_of, sketches_of


def prose(n_words, *, seed=0, vocabulary=5000):
    rng = random.Random(seed)
    return " ".join(f"w{rng.randrange(vocabulary)}" for _ in range(n_words))


@pytest.mark.parametrize("width", [1, 2, 5, 64])
@pytest.mark.parametrize("n_words", [0, 1, 4, 5, 6, 63, 64, 65, 900, fewer(20_000, 13_000)])
def test_shingle_sets_equal_the_reference(width, n_words):
    """The hashes and their order are equal, also if the table and the buffers must grow."""
    text = prose(n_words, seed=n_words)
    assert sets_of([text], width=width) == [reference.shingle_hashes(text, width=width)]


def test_words_may_be_longer_than_a_piece():
    """A piece of a document may contain no end of a word, or fewer than a shingle has."""
    text = " ".join(
        f"{i}" + "x" * n for i, n in enumerate([9000, 5, 20_000, 1, 2, 8190, 8192, 30_000, 3, 9, 9])
    )
    assert sets_of([text], width=3) == [reference.shingle_hashes(text, width=3)]
    assert sets_of([text], width=7) == [reference.shingle_hashes(text, width=7)]


def test_a_set_has_each_shingle_once():
    """A repetitive text has few shingles."""
    assert len(sets_of(["to be or not " * 5000])[0]) == 4


def test_documents_of_one_call_have_separate_sets():
    """The work buffers are reused from one document to the next."""
    texts = [prose(n, seed=n) for n in (3, 5000, 0, 7, 12, 4)]
    assert sets_of(texts) == [sets_of([text])[0] for text in texts]


def test_a_sketch_counts_words_and_distinct_shingles():
    """Only documents without shingles have a hash of their words."""
    texts = ["a b c d", "a b c d e", "a a a a a a a", "...", ""]
    keys, n_words, n_shingles, words_hash = sketches_of(texts)
    assert n_words.tolist() == [4, 5, 7, 0, 0]
    assert n_shingles.tolist() == [0, 1, 1, 0, 0]
    assert keys.any(axis=1).tolist() == [False, True, True, False, False]
    assert words_hash.any(axis=1).tolist() == [True, False, False, True, True]


@pytest.mark.parametrize("text", ["", "!", "!" * 8, "!" * 9, "a", "A b", "漢字", "x" * 9000, ". " * 9000])
def test_short_hash_equals_the_reference(text):
    """128 bits over words, or over bytes, distinguish documents without shingles."""
    *_, words_hash = sketches_of([text])
    assert tuple(words_hash[0].tolist()) == reference.short_hash(text)


def test_short_hash_depends_on_words_only_if_there_are_any():
    """Order and ends of words count, case and punctuation do not; without words, every byte counts."""
    *_, words_hash = sketches_of(["a b", "A, B!", "b a", "ab", "a b ", "...", "... ", "\0", "\0\0", ""])
    seen = [tuple(row) for row in words_hash.tolist()]
    assert seen[0] == seen[1] == seen[4]
    assert len(set(seen)) == 8


@pytest.mark.parametrize("n_words", [5, 6, 10, 40, 300, fewer(3000, 600)])
@pytest.mark.parametrize(("bands", "rows"), [(16, 6), (1, 1), (3, 2), (40, 3)])
def test_sketch_equals_the_reference(n_words, bands, rows):
    """Bins and keys follow the formulas, for sets that fill the bins in one round and for single members."""
    text = prose(n_words, seed=n_words)
    keys, *_ = sketches_of([text], bands=bands, rows=rows)
    filled = reference.sketch(reference.shingle_hashes(text), bins=bands * rows)
    assert keys[0].tolist() == reference.band_keys(filled, bands=bands, rows=rows)


def test_bins_agree_as_often_as_sets_are_similar():
    """The share of equal bins estimates the Jaccard similarity, also for short documents."""
    rng, n_pairs = random.Random(7), fewer(60, 12)
    for n_words in (30, fewer(400, 60)):
        left, equal, similarity = [], 0, 0.0
        for _ in range(n_pairs):
            words = [f"w{rng.randrange(10**6)}" for _ in range(n_words)]
            changed = [*words[: n_words // 2], "changed", *words[n_words // 2 + 1 :]]
            left += [" ".join(words), " ".join(changed)]
        keys, *_ = sketches_of(left, bands=96, rows=1)
        for i in range(0, len(left), 2):
            equal += int((keys[i] == keys[i + 1]).sum())
            similarity += reference.jaccard(reference.shingles(left[i]), reference.shingles(left[i + 1]))
        assert abs(equal / 96 - similarity) / n_pairs < fewer(0.02, 0.05)
