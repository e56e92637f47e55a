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
