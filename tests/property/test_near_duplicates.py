"""Laws of near-duplicates: kernels equal their references, merges are proven, kept documents stay."""

from __future__ import annotations

import random
import unicodedata

import numpy as np
import pytest
import reference
from hypothesis import example, given
from hypothesis import strategies as st
from kernel_calls import fewer, sets_of, sketches_of, word_hashes
from stage_runs import batches_of, resolved, settled

from builder.kernels.text.folding import UNICODE_VERSION
from builder.stages.dedup_near import DedupNear

# characters on which all supported Pythons agree; any character if this Python has the table's Unicode
_KNOWN = st.sampled_from(
    list("aAbBzZ09 .,-_\n\t\0ßéÉﬁǅİıſΣςσЖж漢字々ーカｶﾞひไทยก็ကခབོកខ한ﷺ㌖½②Ａ\u0301\u200d\u00ad🙂𝐀𠀀\U000e0100")
)
_CHARS = _KNOWN | st.characters(codec="utf-8") if unicodedata.unidata_version == UNICODE_VERSION else _KNOWN
texts_of_any_kind = st.text(_CHARS, max_size=60) | st.lists(
    st.sampled_from(["one ", "two ", "THREE, ", "漢", "four-five ", "seventeencharactr "]), max_size=40
).map("".join)

_SENTENCES = [f"s{i} has its own words: x{i} y{i} z{i}." for i in range(7)]
alike = st.lists(
    st.lists(st.sampled_from([*_SENTENCES, "a b", "!"]), max_size=9).map(" ".join), min_size=1, max_size=14
)


@given(texts_of_any_kind)
@example("İ" * 5)
@example("\u0130 \u1e9e \u0345")
def test_words_equal_the_reference(text):
    """The tokeniser folds and splits any text as the plain Python rule does."""
    assert word_hashes(text) == [reference.word_hash(word) for word in reference.words(text)]


@given(st.lists(texts_of_any_kind, max_size=6), st.integers(1, 7), st.integers(1, 9), st.integers(1, 5))
def test_sketches_equal_the_reference(texts, width, bands, rows):
    """Sets, keys, counts and short hashes equal the formulas bit for bit."""
    keys, n_words, n_shingles, words_hash = sketches_of(texts, width=width, bands=bands, rows=rows)
    hashes = [reference.shingle_hashes(text, width=width) for text in texts]
    assert sets_of(texts, width=width) == hashes
    assert n_words.tolist() == [len(reference.words(text)) for text in texts]
    assert n_shingles.tolist() == [len(reference.shingles(text, width=width)) for text in texts]
    for i, text in enumerate(texts):
        filled = reference.sketch(hashes[i], bins=bands * rows) if hashes[i] else None
        assert keys[i].tolist() == (
            reference.band_keys(filled, bands=bands, rows=rows) if filled else [0] * bands
        )
        assert tuple(words_hash[i].tolist()) == ((0, 0) if filled else reference.short_hash(text))


def run(texts, *, alive=None, batch_rows=5000, **options):
    """Return the keepers and similarities (None for keepers) of ``dedup_near``."""
    _, verdicts = resolved(
        DedupNear(bands=fewer(150, 40), rows=1, **options),
        batches_of(texts, batch_rows=batch_rows),
        alive=alive,
    )
    return verdicts.keeper.tolist(), [None if np.isnan(s) else s for s in verdicts.similarity]


@given(alike, st.sampled_from([0.3, 0.5, 0.8, 1.0]), st.sampled_from(["first", "longest"]))
def test_clusters_equal_the_rule(texts, threshold, keep):
    """With enough bands to find every pair, the verdicts equal the rule over all pairs."""
    order = sorted(range(len(texts)), key=lambda i: (-len(texts[i].encode()) if keep == "longest" else 0, i))
    assert run(texts, threshold=threshold, keep=keep) == reference.deduplicate(
        texts, threshold=threshold, order=order
    )


@given(alike, st.integers(1, 5), st.sampled_from([0.3, 0.6, 0.9]))
def test_the_size_of_a_batch_does_not_change_the_verdicts(texts, batch_rows, threshold):
    """A build may use any batch size and must publish the same rows."""
    assert run(texts, batch_rows=batch_rows, threshold=threshold) == run(texts, threshold=threshold)


@given(alike, st.sampled_from([0.3, 0.6, 0.9]), st.sampled_from(["first", "longest", "newest"]))
def test_a_second_deduplication_merges_nothing(texts, threshold, keep):
    """Kept documents are not near-duplicates of each other."""
    stage = DedupNear(threshold=threshold, keep=keep, **fewer({}, {"bands": 40, "rows": 1}))
    batches = batches_of(texts, batch_rows=4, fetched_at=list(range(len(texts))))
    kept = settled(stage, batches, resolved(stage, batches)[1])
    again = resolved(stage, kept.to_batches())[1]
    assert again.keeper.tolist() == list(range(len(kept)))


@given(alike, alike, st.sampled_from([0.3, 0.6, 0.9]))
def test_later_documents_do_not_change_earlier_verdicts(before, after, threshold):
    """This holds with ``keep: first``, so a new version keeps the rows of its parent."""
    keeper, similarity = run(before, threshold=threshold)
    longer_keeper, longer_similarity = run([*before, *after], threshold=threshold)
    assert longer_keeper[: len(before)] == keeper
    assert longer_similarity[: len(before)] == similarity


@given(alike, st.data())
def test_dropped_rows_do_not_change_the_verdicts(texts, data):
    """A row that an earlier stage dropped counts as absent."""
    alive = data.draw(st.lists(st.booleans(), min_size=len(texts), max_size=len(texts)))
    rows = [i for i, lives in enumerate(alive) if lives]
    keeper, similarity = run(texts, alive=alive, threshold=0.5)
    alone_keeper, alone_similarity = run([texts[i] for i in rows], threshold=0.5)
    assert [keeper[i] for i in rows] == [rows[k] for k in alone_keeper]
    assert [similarity[i] for i in rows] == alone_similarity
    assert all(keeper[i] == -1 for i in range(len(texts)) if not alive[i])


def pair_of(rng, *, n_shingles, threshold, width=5):
    """Return two texts whose similarity is just above a threshold; they differ at the end."""
    n_words = n_shingles + width - 1
    words = [f"v{rng.getrandbits(40):x}" for _ in range(n_words)]
    n_changed = max(n for n in range(n_words) if (n_shingles - n) / (n_shingles + n) >= threshold)
    changed = [*words[: n_words - n_changed], *(f"v{rng.getrandbits(40):x}" for _ in range(n_changed))]
    return " ".join(words), " ".join(changed)


@pytest.mark.parametrize(
    ("threshold", "n_pairs"), [(0.8, fewer(1500, 12)), (0.5, fewer(300, 2)), (0.95, fewer(1500, 12))]
)
def test_pairs_at_the_threshold_are_found(threshold, n_pairs):
    """Of pairs just above the threshold, at least 99 % are merged, minus three standard deviations."""
    rng = random.Random(5)
    texts = [
        text
        for _ in range(n_pairs)
        for text in pair_of(rng, n_shingles=rng.choice(fewer([10, 40, 200], [10, 40])), threshold=threshold)
    ]
    _, verdicts = resolved(DedupNear(threshold=threshold), batches_of(texts))
    merged = int((verdicts.keeper[1::2] == np.arange(0, len(texts), 2)).sum())
    chance = 3 * (n_pairs * 0.99 * 0.01) ** 0.5
    assert merged >= 0.99 * n_pairs - chance
    assert (verdicts.similarity[1::2][verdicts.keeper[1::2] % 2 == 0] >= threshold).all()
