"""Letters, marks and signs are counted by their Unicode categories, and scripts by their names."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_calls import letters_counted
from reference_language import letters_of

from builder.kernels.language.letters import character_classes

# what every supported Python knows, below the planes for private use
KNOWN = st.characters(max_codepoint=0x2FFFF, exclude_categories=("Cn", "Co", "Cs"))


@given(st.lists(st.text(KNOWN, max_size=40), min_size=1, max_size=5))
def test_characters_are_counted_by_their_categories(texts: list[str]) -> None:
    """White space, controls and format characters are not counted."""
    expected = [letters_of("".join(one for one in text if not one.isspace())) for text in texts]
    assert [row[:3] for row in letters_counted(texts, skip=2)] == expected


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("Grüße", "Latn"),
        ("Привет hi", "Cyrl"),
        ("Καλημέρα", "Grek"),
        ("日本語 カ", "Hani"),
        ("한국어", "Hang"),
        ("สวัสดี", "Thai"),
        ("שלום", "Hebr"),
        ("مرحبا", "Arab"),
        ("नमस्ते", "Deva"),
        ("\u0ec0\u0ec1", "Laoo"),
        ("\U00020000\U0002a6df", "Hani"),
        ("bб", "Cyrl"),
        ("123 !? \u0301 \U0001f600", None),
        ("ˈˌ", None),
        ("", None),
    ],
)
def test_the_script_of_most_letters_wins(text: str, script: str | None) -> None:
    """Of two scripts with equally many letters, the code that is first in the alphabet wins."""
    assert letters_counted([text])[0][3] == script


def test_the_table_agrees_with_the_names_of_unicode() -> None:
    """An independent source for the scripts with the most characters."""
    classes = character_classes()
    first = {"LATIN": "Latn", "CYRILLIC": "Cyrl", "ARABIC": "Arab", "HANGUL": "Hang", "HIRAGANA": "Hira"}
    first |= {"DEVANAGARI": "Deva", "THAI": "Thai", "ARMENIAN": "Armn", "ETHIOPIC": "Ethi", "CJK": "Hani"}
    wrong = []
    for code in range(0x30000):
        name = unicodedata.name(chr(code), "").split(" ")
        if unicodedata.category(chr(code)) not in ("Lu", "Ll", "Lo") or "MATHEMATICAL" in name:
            continue
        if name[0] in first and classes.scripts[classes.table[code]] != first[name[0]]:
            wrong.append(hex(code))
    assert wrong == []


def test_a_text_of_many_letters_is_counted() -> None:
    """One line of many bytes, and characters outside of the table."""
    text = "é" * 100_000 + "\U000f0000" + "\U0010ffff"
    assert letters_counted([text]) == [(100_000, 0, 0, "Latn")]
