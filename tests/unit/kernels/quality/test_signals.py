"""The kernels of quality give what their twins in plain Python give, for any text."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_calls import fewer
from reference_quality import signals_of, words_of

from builder.kernels.quality.characters import CLASSES, characters, made_with, make_characters
from builder.kernels.quality.room import room_for
from builder.kernels.quality.words import find_words
from builder.stages.quality.measuring import measure_signals
from builder.stages.quality.signals import SIGNALS

PIECES = (
    *"abcXYZ019_'\".:,;#{}[]()*-•…!?\n\n \t\r",
    *"äßẞİ中文カーひらไทยกำ한글אב״׳αΣςд۱²½ⅷ",
    "\u0301", "\u200d", "\u00ad", "\u200b", "😀", "ℹ", "©", "🇩", "🇪", "。", "”", "\uff9e", "\u2028", "\x1c",
    "the ", "of", " the quick brown fox", " a b c d e f g h i j k", "...", ". . .", "javascript",
    "Lorem Ipsum", "privacy policy", "3 comments", "12.5K likes", "[12]", "use cookies", "\u3000", "x" * 40,
)  # fmt: skip
TEXTS = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=60).map("".join),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    st.lists(st.sampled_from(["a", "b", "aa", "ccc"]), max_size=60).map(" ".join),
    st.lists(st.sampled_from(["a b c d e", "one line.", "x", ""]), max_size=12).map("\n".join),
)


def found_words(text, *, room=1000):
    """Return the words that the kernel finds."""
    data = np.frombuffer(text.encode(), np.uint8)
    arrays = room_for(room, 1).words
    n = find_words(data, 0, len(data), characters(), False, arrays)
    spans = zip(arrays.starts[:n].tolist(), arrays.stops[:n].tolist(), strict=True)
    return [data[start:stop].tobytes().decode() for start, stop in spans]


@settings(max_examples=fewer(300, 30), deadline=None)
@given(TEXTS)
def test_words_are_those_of_the_twin(text: str) -> None:
    """The twin decides for each place whether it is a boundary, rule by rule."""
    assert found_words(text) == words_of(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't stop: 3.14 or 1,000.", ["Don't", "stop", "3.14", "or", "1,000"]),
        ("snake_case __ x", ["snake_case", "x"]),
        ("中文 カタ ไทย", ["中", "文", "カ", "タ", "ไ", "ท", "ย"]),
        ("ก\u0e34ก", ["ก\u0e34", "ก"]),
        ("\u0301\u0301 !? ---", []),
        ("", []),
        ("א\"ב א'", ['א"ב', "א'"]),
        ("한국어 good", ["한국어", "good"]),
    ],
)
def test_words_of_known_texts(text: str, words: list[str]) -> None:
    """Apostrophes and points inside join; characters of scripts without spaces are words of their own."""
    assert found_words(text) == words_of(text) == words


@settings(max_examples=fewer(120, 20), deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=3))
def test_signals_are_those_of_the_twin(texts: list[str]) -> None:
    """All signals are equal as they are stored."""
    columns = measure_signals(pa.array(texts), list(SIGNALS))
    for i, text in enumerate(texts):
        expected = signals_of(text)
        assert {name: column[i].as_py() for name, column in columns.items()} == expected


def test_the_table_is_what_the_library_gives() -> None:
    """``characters.npz`` is fresh; fix: ``python -m builder.kernels.quality.characters``."""
    from importlib.metadata import version

    if version("regex") != made_with():
        pytest.skip(f"the table is that of regex {made_with()}")
    for shipped, made in zip(characters(), make_characters(), strict=True):
        np.testing.assert_array_equal(shipped, made)
    assert len(CLASSES) <= 31


def test_a_planted_bug_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Katakana that joins, and words that keep their case, differ from the twin."""
    from functools import partial

    from builder.kernels.quality.measure import UAX_29
    from builder.stages.quality import measuring

    text = "The the カタカナ"

    def differing() -> set[str]:
        found = measure_signals(pa.array([text]), list(SIGNALS))
        return {name for name, value in signals_of(text).items() if found[name][0].as_py() != value}

    assert differing() == set()
    monkeypatch.setattr(measuring, "measure_batch", partial(measuring.measure_batch, kind=UAX_29))
    assert {"words", "unique_words"} <= differing()


def test_words_are_equal_however_their_letters_are_encoded() -> None:
    """The Kelvin sign is a `k` in lower case, and a word is read in steps of eight bytes or by character."""
    for words in (("KELVIN", "kelvin", "\u212aelvin"), ("x" * 8, "X" * 8), ("Éa" * 9, "éa" * 9)):
        text = " ".join(words)
        data = np.frombuffer(text.encode(), np.uint8)
        arrays = room_for(10, 1).words
        n = find_words(data, 0, len(data), characters(), False, arrays)
        assert n == len(words)
        assert len(set(arrays.hashes[:n].tolist())) == 1


def test_different_words_of_any_length_have_different_hashes() -> None:
    """Also words of which one is the beginning of the other, around the steps of eight bytes."""
    words = [letter * n for n in range(1, 40) for letter in "aé中"[:2]] + ["a" * n + "b" for n in range(40)]
    data = np.frombuffer(" ".join(words).encode(), np.uint8)
    arrays = room_for(200, 1).words
    n = find_words(data, 0, len(data), characters(), False, arrays)
    assert n == len(words)
    assert len(set(arrays.hashes[:n].tolist())) == len(words)


@pytest.mark.parametrize("before", ["", "x" * 7, "é", " " * 3 + "a ", "javascrip ", "use "])
@pytest.mark.parametrize(
    "phrase",
    ["JavaScript", "terms OF use", "Privacy policy", "cookie policy", "uses cookies", "use of cookies"],
)
def test_phrases_are_found_at_any_place_of_a_line(before: str, phrase: str) -> None:
    """Eight bytes are compared at once, and the last bytes of a line one by one."""
    for after in ("", "s", " and more text behind it", "\nnext"):
        found = measure_signals(pa.array([before + phrase + after, phrase[1:] + after]), list(SIGNALS))
        name = "javascript_lines" if phrase == "JavaScript" else "policy_lines"
        assert found[name].to_pylist() == [1, 0]


def test_what_no_signal_needs_is_not_measured() -> None:
    """The values of a signal do not depend on which others are asked for."""
    texts = pa.array(["the cat and the cat\nand the dog. " * 9, "", "中文 " * 20, None])
    everything = measure_signals(texts, list(SIGNALS))
    for name in SIGNALS:
        assert measure_signals(texts, [name])[name].equals(everything[name]), name
