"""Markup: what strangers wrote stays text, and an element cannot run or fetch anything."""

from __future__ import annotations

import html
import unicodedata
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.charts.blocks import TextSpan, side_by_side, text_block
from builder.charts.markup import document_text, element, escape_markup, foreign
from builder.charts.text_changes import changed_parts


class _Reader(HTMLParser):
    """Collects tags, attributes and text as a parser of HTML sees them."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.values: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.values += [value or "" for _, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


def _read(page: str) -> _Reader:
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return reader


@given(st.text())
def test_a_text_stays_one_text_in_content_and_in_attributes(text: str) -> None:
    """No text of a page can begin an element, end an attribute, or be anything but itself."""
    read = _read(str(element("p", {"title": text}, text, element("b", None, text))))
    assert read.tags == ["p", "b"]
    assert read.values == [html.unescape(escape_markup(text))]
    assert read.text == 2 * html.unescape(escape_markup(text))


@given(st.text())
def test_the_text_of_strangers_has_no_hidden_character(text: str) -> None:
    """Control characters and marks of direction are visible, and cannot change what is around them."""
    shown = _read(str(foreign(text))).text
    assert [one for one in shown if unicodedata.category(one) in ("Cc", "Cf", "Cs", "Zl", "Zp")] == []


@given(st.text())
def test_a_document_keeps_lines_and_joiners_only(text: str) -> None:
    """Persian words and emoji need their joiners; overrides of direction stay visible escapes."""
    hidden = {
        one for one in document_text(text) if unicodedata.category(one) in ("Cc", "Cf", "Cs", "Zl", "Zp")
    }
    assert hidden <= set("\n\t\u200c\u200d")


@pytest.mark.parametrize(
    ("tag", "attributes"),
    [
        ("script", {}),
        ("SCRIPT", {}),
        ("iframe", {}),
        ("link", {}),
        ("foreignObject", {}),
        ("p onclick", {}),
        ("p", {"onclick": "x"}),
        ("p", {"OnClick": "x"}),
        ("p", {"style": "color:red"}),
        ("a", {"href": "https://example.org/"}),
        ("a", {"href": "javascript:alert(1)"}),
        ("img", {"src": "x.png"}),
        ("rect", {"fill": "URL(https://example.org/x.svg#a)"}),
        ("p", {"a b": "x"}),
        ("p", {'"': "x"}),
    ],
)
def test_an_element_that_could_run_or_fetch_something_is_refused(
    tag: str, attributes: dict[str, str]
) -> None:
    """A mistake in the code of a report fails in a test, not in the browser of a reader."""
    with pytest.raises(
        ValueError, match=r"a page cannot have|must be a place in the page|cannot have an address"
    ):
        element(tag, attributes)


def test_a_place_in_the_page_can_be_linked() -> None:
    """The contents of a page link to its sections."""
    assert str(element("a", {"href": "#dedup"}, "x")) == '<a href="#dedup">x</a>'


@given(st.text(max_size=80), st.text(max_size=80))
def test_changed_parts_join_to_their_texts(old: str, new: str) -> None:
    """Nothing of either text is lost, and what does not differ is the same in both."""
    parts = changed_parts(old, new)
    assert "".join(run.text for run in parts.old) == old
    assert "".join(run.text for run in parts.new) == new
    same = ["".join(run.text for run in runs if not run.differs) for runs in (parts.old, parts.new)]
    assert same[0] == same[1]


def test_long_repetitive_texts_are_compared_in_bounded_time() -> None:
    """Comparing takes the square of the words, so a hostile pair of texts would stop a report."""
    old, new = "a " * 50_000, "a b " * 50_000
    parts = changed_parts(old, new)
    assert "".join(run.text for run in parts.new) == new


def test_removed_parts_are_struck_out() -> None:
    """The words around a removed part show what the document has now."""
    block = str(text_block("Keep. <b>Share</b> this! Keep.", removed=[TextSpan(start=6, end=24)]))
    assert block == (
        '<div class="text" dir="auto">Keep. <del>&lt;b&gt;Share&lt;/b&gt; this!</del> Keep.</div>'
    )


def test_differences_of_a_pair_are_marked_on_their_side() -> None:
    """The reader sees what the two near-duplicates do not share."""
    pair = str(side_by_side(("A", "the red fox"), ("B", "the blue fox")))
    assert "the <del>red</del> fox" in pair
    assert "the <ins>blue</ins> fox" in pair
