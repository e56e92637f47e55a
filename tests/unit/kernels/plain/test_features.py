"""The kernels that cut and describe text pages, compared with their slow twin."""

from __future__ import annotations

import random

import numpy as np
import pytest
import reference_plain
from hypothesis import given
from hypothesis import strategies as st
from kernel_calls import fewer

from builder.kernels.plain.features import N_UNIT_FEATURES, UNIT_FEATURES
from builder.kernels.plain.layout import U_END, U_START, VOCABULARY_BITS
from builder.stages.cleaning.unit_reader import UnitReader, features_of_units

_DRAW = random.Random(15)
VOCABULARY = [_DRAW.randint(-127, 127) for _ in range(1 << VOCABULARY_BITS)]
READER = UnitReader(np.array(VOCABULARY, np.int8))

PIECES = [
    *(
        "the tide",
        "Home",
        "Menu News About",
        "About Us",
        "Share",
        "$5",
        "10 €",
        "¥3,000",
        "12.5",
        "a.b",
        "e.g.",
    ),
    *(
        ". ",
        "! ",
        "? ",
        ", ",
        "; ",
        ": ",
        "\n",
        "\n\n",
        "\n  ",
        "\t",
        " | ",
        " – ",
        "·",
        "»",
        "“",
        "”",
        "'",
        ")",
    ),
    *(
        "潮は",
        "日に二度",
        "変わる。",
        "」",
        "น้ำ",
        "Привет",
        "Мир ",
        "ÄÖ",
        "x" * 90,
        "© 2024",
        "a@b.example",
        "{",
        "}",
    ),
    *("- item", "* ", " ", "\r\n", "\f", "\u00a0", "😀", "\U00020000", "٣", "۔", " word" * 40),
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)


def compare(text: str, title: str) -> None:
    """Check that units and features of the kernel are those of the twin."""
    data = text.encode()
    units, rows = reference_plain.describe(text, title, VOCABULARY)
    n, memory = READER.read(np.frombuffer(data or b" ", np.uint8), 0, len(data), title.encode())
    found = [(data[a:b].decode(), a) for a, b in memory.units[:n][:, [U_START, U_END]].tolist()]
    assert found == [(unit.text, unit.start) for unit in units]
    features = features_of_units(n, memory)
    for number, row in enumerate(rows):
        own = dict(zip(UNIT_FEATURES, features[number].tolist(), strict=True))
        assert own == {name: row[name] for name in UNIT_FEATURES}, units[number]


@given(text=TEXTS, title=st.sampled_from(["", "The tide", "潮は 日に"]))
def test_units_and_features_are_those_of_the_slow_twin(text: str, title: str) -> None:
    """Lines and sentences, in scripts with and without spaces."""
    compare(text, title)


def test_many_texts_of_random_pieces_are_described_as_by_the_twin() -> None:
    """Longer texts reach the windows and the sentences of flat pages."""
    draw = random.Random(7)
    for _ in range(fewer(150, 5)):
        compare("".join(draw.choices(PIECES, k=draw.randint(1, 250))), draw.choice(["", "Menu News"]))


@given(st.binary(max_size=300))
def test_any_bytes_of_utf_8_are_described(data: bytes) -> None:
    """No text makes a feature that does not fit into its byte."""
    text = data.decode("utf-8", "replace")
    compare(text, "")
    assert len(UNIT_FEATURES) == N_UNIT_FEATURES == len(set(UNIT_FEATURES))


@pytest.mark.parametrize("text", ["", "\n\n", "   ", "\t\n \f"])
def test_a_text_without_marks_has_no_units(text: str) -> None:
    """White space is not a unit."""
    compare(text, "")
