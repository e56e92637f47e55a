"""The kernels find the labels and scores of the slow twin, and of fastText itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_calls import fewer, identified
from language_models import FORMS, LOSSES, WORDS, SmallModel
from reference_language import scores_of, two_best_of

from builder.kernels.language.model import fast_modulo
from builder.stages.identification.model import arrange_model, huffman_tree

MODELS = [(loss, form) for loss in LOSSES for form in FORMS]

TEXTS = [
    "",
    " \n\t ",
    "the word",
    "The naïve été\nund der die",
    "日本語 テキスト и в городе",
    "</s>",
    "the word </s> der die das",
    "__label__en the __label__unknown word",
    "__label__",
    "a\0b\vc\fd\re",
    "x" * 40 + " " + "x" * 41,
    "é" * 511,
    "é" * 512 + "日" * 3000,
    "ab" * 511,
    "ab" * 512 + " end",
    "и в " * fewer(4000, 60),
    "\U0001f600 \U0001f600\u0301 \u0301\u0301",
]

words = st.one_of(st.sampled_from([*WORDS, "__label__de", "</s"]), st.text(max_size=8))
texts = st.lists(words, max_size=30).map(" ".join)


def assert_same(model: SmallModel, given_texts: list[str], *, skip: int = 0) -> None:
    labels, scores = identified(arrange_model(model.packed()), given_texts, skip=skip)
    for text, found, found_scores in zip(given_texts, labels.tolist(), scores.tolist(), strict=True):
        expected = two_best_of(model, text)
        expected += [(-1, 0.0)] * (2 - len(expected))
        assert_close(model, text, found, found_scores, expected)


def assert_close(
    model: SmallModel, text: str, labels: list[int], scores: list[float], expected: list[tuple[int, float]]
) -> None:
    """Compare labels and scores; labels with the same score can change places in long texts.

    The kernel adds long texts in several sums. The table of the sigmoid turns a rounding error into a step.
    """
    step = 0.25 / 32 if model.loss in ("ns", "ova") else 1e-4
    tolerance = 3e-6 if len(text) < 400 else step
    assert scores == pytest.approx([score for _, score in expected], abs=tolerance), text[:80]
    if labels != [label for label, _ in expected]:
        every = scores_of(model, text) or []
        assert [every[label] for label in labels] == pytest.approx(scores, abs=tolerance)


@pytest.mark.parametrize(("loss", "form"), MODELS)
def test_labels_and_scores_are_those_of_the_twin(loss: str, form: str) -> None:
    """For every loss and form of the matrices, with words over each limit of a buffer."""
    assert_same(SmallModel.random(7, loss=loss, **FORMS[form]), TEXTS, skip=3)


@settings(max_examples=fewer(60, 10))
@given(st.lists(texts, min_size=1, max_size=5), st.sampled_from(MODELS), st.integers(0, 5))
def test_labels_and_scores_are_those_of_the_twin_for_any_text(
    some: list[str], which: tuple[str, str], seed: int
) -> None:
    """Texts of known words, parts of tokens with a meaning, and any other characters."""
    loss, form = which
    assert_same(SmallModel.random(seed, loss=loss, **FORMS[form]), some)


@pytest.mark.parametrize(("loss", "form"), MODELS)
def test_labels_and_scores_are_those_of_fasttext(loss: str, form: str, tmp_path: Path) -> None:
    """The twin and the kernels could share an error; fastText reads the same file."""
    fasttext = pytest.importorskip("fasttext_pybind")
    model = SmallModel.random(11, loss=loss, **FORMS[form])
    (tmp_path / "model.bin").write_bytes(model.packed())
    oracle = fasttext.fasttext()
    oracle.loadModel(str(tmp_path / "model.bin"))
    labels, scores = identified(arrange_model(model.packed()), TEXTS)
    for text, (label, _), (score, _) in zip(TEXTS, labels.tolist(), scores.tolist(), strict=True):
        answer = oracle.predict(text.replace("\n", " ") + "\n", 1, 0.0, "strict")
        if label < 0:
            assert answer == []
            continue
        ((expected_score, expected),) = answer
        assert score == pytest.approx(expected_score, abs=1e-4)
        assert f"__label__{model.labels[label][0]}" == expected


@pytest.mark.parametrize("n_labels", [1, 2, 3])
@pytest.mark.parametrize("loss", LOSSES)
def test_a_model_can_have_few_labels(loss: str, n_labels: int) -> None:
    """A tree of one label has no inner node; there is then no second label."""
    labels = [("en", 5), ("de", 5), ("fr", 5)][:n_labels]
    assert_same(SmallModel.random(3, loss=loss, labels=labels), TEXTS[:8])


def test_a_model_without_rows_for_a_text_finds_nothing() -> None:
    """Without n-grams and without the token that ends a text, unknown words have no row."""
    model = SmallModel.random(3, chars=(0, 0), words=["the"])
    labels, scores = identified(arrange_model(model.packed()), ["unknown", "the"])
    assert labels[0].tolist() == [-1, -1]
    assert scores[0].tolist() == [0, 0]
    assert labels[1, 0] >= 0


def test_other_texts_of_a_batch_change_nothing() -> None:
    """Work buffers are used again; bytes of one text must not reach the next."""
    model = arrange_model(SmallModel.random(5, max_words=3).packed())
    together = identified(model, TEXTS)
    for i, text in enumerate(TEXTS):
        labels, scores = identified(model, [text])
        assert (labels[0] == together[0][i]).all()
        assert (scores[0] == together[1][i]).all()


@given(st.integers(1, (1 << 30)), st.lists(st.integers(0, (1 << 32) - 1), min_size=1))
def test_the_remainder_needs_no_division(n_buckets: int, hashes: list[int]) -> None:
    """For every number of buckets that a model can have."""
    reciprocal, shift = fast_modulo(n_buckets)
    assert reciprocal < 1 << 32
    for h in [*hashes, 0, (1 << 32) - 1]:
        rest = h - (h * reciprocal >> shift) * n_buckets
        assert rest % n_buckets == h % n_buckets
        assert 0 <= rest < (3 if n_buckets == 1 else 2) * n_buckets


def test_a_deep_tree_has_no_recursion() -> None:
    """Counts like powers of two make a tree that is as deep as there are labels."""
    counts = [1 << (49 - i) for i in range(50)]
    children, depth = huffman_tree(counts)
    assert depth == 48, "below the root, without the label"
    assert sorted(children.ravel().tolist()) == sorted(set(range(99)) - {98})
    labels = [(f"l{i}", count) for i, count in enumerate(counts)]
    assert_same(SmallModel.random(1, labels=labels), TEXTS[:6])


@pytest.mark.corpora
def test_real_texts_have_the_labels_of_fasttext(corpora: Path) -> None:
    """Sentences in 75 languages, texts of 500 and 2,000 characters, and 100 translations of one text."""
    fasttext = pytest.importorskip("fasttext_pybind")
    from builder.stages.identification.find_model import find_model, load_model

    oracle: Any = fasttext.fasttext()
    oracle.loadModel(str(find_model(None, None)[0]))
    model = load_model(None, None)
    some = _real_texts(corpora)
    labels, scores = identified(model, some)
    answers = [oracle.predict(one.replace("\n", " ") + "\n", 1, 0.0, "strict")[0] for one in some]
    assert [f"__label__{model.labels[i]}" for i in labels[:, 0]] == [label for _, label in answers]
    assert np.abs(scores[:, 0] - [score for score, _ in answers]).max() < 1e-4


def _real_texts(corpora: Path) -> list[str]:
    found = []
    for path in sorted((corpora / "lingua-sentences").glob("*.txt")):
        sentences = path.read_text(encoding="utf-8").splitlines()
        whole = " ".join(sentences)
        found += [one for one in sentences if one]
        found += [whole[at : at + n] for n in (500, 2000) for at in range(0, len(whole), n)]
    return found + [path.read_text() for path in sorted((corpora / "udhr").glob("*.html"))]
