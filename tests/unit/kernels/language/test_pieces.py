"""Texts are cut at line ends into pieces of a least length."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from kernel_calls import packed
from reference_language import pieces_of

from builder.kernels.language.pieces import cut_pieces

texts = st.lists(st.text("aé日\n", max_size=60), min_size=1, max_size=5)


@given(texts, st.integers(1, 20), st.integers(0, 3))
def test_pieces_are_those_of_the_twin(some: list[str], least: int, skip: int) -> None:
    """Together they are the text, whatever its lines."""
    data, offsets = packed(some, skip=skip)
    found = np.zeros((4, len(data) + len(some)), np.int64)
    n = cut_pieces(data, offsets[:-1], offsets[1:], least, found)
    pieces = [
        (int(text), bytes(data[start:end]).decode(), int(chars))
        for start, end, text, chars in found[:, :n].T.tolist()
    ]
    expected = [(i, one, len(one)) for i, text in enumerate(some) for one in pieces_of(text, least)]
    assert pieces == expected


def test_a_short_rest_belongs_to_the_last_piece() -> None:
    """A piece without enough characters would be in no known language."""
    assert pieces_of("aaaa\nbbbb\ncc", 5) == ["aaaa\n", "bbbb\ncc"]
