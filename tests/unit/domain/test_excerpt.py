"""Excerpts: the difference between two texts, short enough to read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.domain.excerpt import CONTEXT_CHARS, MAX_CHARS, Excerpt, excerpt

words = st.lists(st.sampled_from(["a", "bb", "tide", "\n", "  ", "x" * 30]), max_size=12).map(" ".join)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("at ten o'clock", "at twelve o'clock", ("at ", "ten", "twelve", " o'clock")),
        ("the end", "the end.", ("the ", "end", "end.", "")),
        ("one three", "one two three", ("one ", "", "two ", "three")),
        ("tides", "rides", ("", "tides", "rides", "")),
        ("", "all of it", ("", "", "all of it", "")),
        ("a" * 100 + "b", "a" * 100 + "c", ("…" + "a" * CONTEXT_CHARS, "b", "c", "")),
    ],
)
def test_a_difference_is_shown_in_whole_words(
    old: str, new: str, expected: tuple[str, str, str, str]
) -> None:
    """A part of a word is hard to read; only a long word is cut."""
    before, removed, added, after = expected
    assert excerpt(old, new) == Excerpt(before=before, old=removed, new=added, after=after)


@given(words, words, words, words)
def test_the_parts_of_an_excerpt_occur_in_both_texts(start: str, old: str, new: str, end: str) -> None:
    """Joined, the parts occur in the old and in the new text, and no part is long."""
    found = excerpt(start + old + end, start + new + end)
    for text, middle in ((start + old + end, found.old), (start + new + end, found.new)):
        assert middle is not None
        whole = found.before.removeprefix("…") + middle + found.after.removesuffix("…")
        assert whole in text or len(middle) == MAX_CHARS + 1
    assert max(len(found.before), len(found.after)) <= CONTEXT_CHARS + 1


def test_long_differences_are_cut() -> None:
    """Of two entirely different texts only the beginnings are shown."""
    found = excerpt("a" * 1_000, "b" * 1_000)
    assert (found.old, found.new) == ("a" * MAX_CHARS + "…", "b" * MAX_CHARS + "…")
