"""A card that people have edited keeps what they wrote when the version changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.card.card import render_card
from builder.card.front_matter import read_front_matter, split_front_matter, write_front_matter
from builder.card.sections import merge_cards, sections
from builder.errors import BuilderError

if TYPE_CHECKING:
    from collections.abc import Callable

    from builder.card.facts import CardFacts

FRONT = "---\npretty_name: t\n---\n"


def part(name: str, text: str) -> str:
    """Write a part of ours."""
    return f"<!-- builder:begin {name} -->\n{text}\n<!-- builder:end {name} -->\n"


def test_people_keep_their_sections(make_facts: Callable[..., CardFacts]) -> None:
    """Between, before and behind our parts, in place and to the letter; our parts are the new version's."""
    old = render_card(make_facts(version="1.0.0"))
    edited = old.replace("<!-- builder:end what -->\n", "<!-- builder:end what -->\n\nPlease cite us.\n", 1)
    edited = edited + "\n## Thanks\n\nTo the *harbour*.\n"
    new = render_card(make_facts(version="2.0.0", reason="1 document removed", parent="1.0.0"))

    merged = merge_cards(edited, new)

    expected = new.replace("<!-- builder:end what -->\n", "<!-- builder:end what -->\n\nPlease cite us.\n", 1)
    assert merged == expected + "\n## Thanks\n\nTo the *harbour*.\n"


def test_front_matter_is_ours_where_we_know_better() -> None:
    """Licence, configs and counts are the new version's; tags are of both; other keys stay."""
    old = "---\nlicense: mit\ntags: [theirs, ours]\ntask_categories: [text-generation]\nviewer: false\n---\n"
    new = "---\nlicense: cc0-1.0\ntags: [ours, new]\nconfigs: []\n---\n"

    assert read_front_matter(merge_cards(old, new)) == {
        "license": "cc0-1.0",
        "tags": ["ours", "new", "theirs"],
        "configs": [],
        "task_categories": ["text-generation"],
        "viewer": False,
    }


@pytest.mark.parametrize("key", ["configs", "dataset_info"])
def test_what_load_dataset_believes_is_never_of_the_old_card(key: str) -> None:
    """Files, columns and counts of an old version would make the new one fail to load."""
    stale, fresh = [{"config_name": "old"}], [{"config_name": "new"}]
    old, new = ({"pretty_name": "t", key: value} for value in (stale, fresh))

    merged = merge_cards(write_front_matter(old), write_front_matter(new))

    assert read_front_matter(merged)[key] == fresh
    assert key not in read_front_matter(merge_cards(write_front_matter(old), FRONT))


def test_a_licence_that_went_away_does_not_come_back() -> None:
    """A key of ours that the new version does not have is not taken from the old card."""
    assert read_front_matter(merge_cards("---\nlicense: mit\n---\n", FRONT)) == {
        "pretty_name": "t",
        "tags": [],
    }


def test_a_card_of_people_alone_stays_whole() -> None:
    """A card without our marks, or without front matter, is kept below our parts."""
    merged = merge_cards("# Mine\n\nAll mine.\n", FRONT + part("what", "ours"))

    assert split_front_matter(merged)[1] == part("what", "ours") + "\n# Mine\n\nAll mine.\n"


def test_new_and_old_parts() -> None:
    """A new part goes behind the one before it; a part that is no more goes away."""
    old = FRONT + "top\n" + part("a", "1") + "middle\n" + part("gone", "1") + "end\n" + part("c", "1")
    new = FRONT + part("a", "2") + part("b", "2") + part("c", "2")

    body = split_front_matter(merge_cards(old, new))[1]

    assert body == "top\n" + part("a", "2") + part("b", "2") + "\nmiddle\nend\n" + part("c", "2")


@pytest.mark.parametrize(
    "broken",
    [
        "<!-- builder:begin a -->\nold\n",
        "old\n<!-- builder:end a -->\n",
        "<!-- builder:begin a -->\nold\n<!-- builder:begin b -->\nold\n<!-- builder:end a -->\n",
        part("a", "1") + part("a", "second"),
    ],
)
def test_damaged_marks_cost_nothing(broken: str) -> None:
    """Where a mark is lost or given twice, what stands there counts as written by people."""
    merged = merge_cards(FRONT + broken + "mine\n", FRONT + part("a", "2"))

    assert "mine\n" in merged
    assert part("a", "2") in merged
    kept = broken.replace(part("a", "1"), "")
    assert kept in merged


def test_front_matter_that_cannot_be_read_is_an_error() -> None:
    """A card whose keys cannot be read is not overwritten."""
    with pytest.raises(BuilderError, match="not YAML"):
        merge_cards("---\na: [\n---\n", FRONT)


MARKS = [f"<!-- builder:{edge} {name} -->" for edge in ("begin", "end") for name in "ab"]
LINES = st.lists(
    st.sampled_from(["", "text", "## Head", *MARKS]),
    max_size=12,
).map(lambda lines: "".join(line + "\n" for line in lines))


@given(LINES)
def test_sections_are_the_body(body: str) -> None:
    """Cut and joined, a body is what it was, and no name comes twice."""
    found = sections(body)

    assert "".join(section.text for section in found) == body
    names = [section.name for section in found if section.name]
    assert len(names) == len(set(names))


@given(LINES, LINES)
def test_merging_keeps_people_and_settles(old: str, new: str) -> None:
    """All that people wrote is still there in order, and merging once more changes nothing."""
    once = merge_cards(FRONT + old, FRONT + new)

    theirs = [section.text for section in sections(old) if section.name is None]
    at = 0
    for text in theirs:
        at = once.index(text, at) + len(text)
    assert merge_cards(once, FRONT + new) == once
