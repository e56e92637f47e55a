"""``clean_text``: what leaves a text, what stays, which rows are exempt, and that hostile texts end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from builder.errors import RecipeError
from builder.stages.binding.placed import place_stage
from builder.stages.binding.where import Where
from builder.stages.clean_text import REMOVED_SHARE, CleanText
from builder.stages.cleaning.cleaner import cleaner
from builder.stages.cleaning.column import clean_column
from builder.stages.extract_text import EXTRACTED

CASES = json.loads(Path(__file__).with_name("clean_text_cases.json").read_text("utf-8"))
BODIES, LEAVES, STAYS = CASES["bodies"], CASES["leaves"], CASES["stays"]


def clean(text: str, title: str = "") -> str:
    """Return a text without what the stage removes."""
    data = text.encode()
    ranges = np.array([[0, len(data)]])
    cleaned = cleaner().clean(np.frombuffer(data or b" ", np.uint8), ranges, [title.encode()])
    return cleaned.text[: cleaned.offsets[1]].tobytes().decode()


@pytest.mark.parametrize("language", sorted(BODIES))
def test_a_text_of_paragraphs_stays_as_it_is(language: str) -> None:
    """Nothing but main text: not a byte changes."""
    assert clean(BODIES[language]) == BODIES[language]


@pytest.mark.parametrize("case", sorted(LEAVES))
def test_what_is_around_the_main_text_leaves(case: str) -> None:
    """The body stays byte by byte; one copy of a title may stay."""
    body, gone = BODIES[LEAVES[case]["language"]], LEAVES[case]["gone"]
    text = clean(LEAVES[case]["text"].replace("{}", body))
    assert body in text
    if case == "double title":
        assert text.count("ferry\n") == 1
    else:
        assert [one for one in gone if one in text] == []


@pytest.mark.parametrize("case", sorted(STAYS))
def test_verse_code_tables_lists_and_dialogue_stay(case: str) -> None:
    """They have short lines as menus have, and amounts as donation bars have."""
    assert clean(STAYS[case]) == STAYS[case]


@pytest.mark.parametrize(
    ("case", "kind"),
    [
        ("double title", "title"),
        ("menu", "navigation"),
        ("donation bar", "donation"),
        ("donation bar, German", "donation"),
        ("donation bar, Japanese", "donation"),
        ("share line", "share"),
        ("subscribe line", "share"),
        ("cookie notice", "cookies"),
        ("comments", "comments"),
        ("box about the author", "author"),
    ],
)
def test_a_removed_span_has_the_class_of_what_it_is(case: str, kind: str) -> None:
    """The audit tells a donation bar from a menu."""
    text = LEAVES[case]["text"].replace("{}", BODIES[LEAVES[case]["language"]])
    column = clean_column(pa.array([text]), [b""], np.array([True]))
    assert set(column.classes.to_pylist()) == {kind}


@pytest.mark.parametrize("copies", [2, 3])
def test_one_copy_of_the_title_below_a_menu_stays(copies: int) -> None:
    """The model may take all copies for a part of the menu."""
    title = "The captain's night ferry"
    for joint in ("\n", "\n\n"):
        text = clean("Home\nNews\nSport\nWeather\n\n" + joint.join([title] * 2) + "\n\n" + BODIES["en"])
        assert text.count(title) == 1
        named = clean("\n".join(["Home", "News", *[title] * copies]) + "\n\n" + BODIES["en"], title)
        assert named.count(title) == 1


def test_a_page_in_one_line_is_cleaned_by_sentences() -> None:
    """The page has one line, which cannot leave as a whole."""
    body = " ".join(BODIES["en"].split("\n\n"))
    text = clean(
        f"Home News Sport Weather About Us Contact Search Menu Login {body} {body} Share Tweet Email Print"
    )
    assert "Weather" not in text
    assert "Nobody on board knew" in text


@pytest.mark.parametrize(
    "text",
    ["a " * 500_000, "a\n" * 100_000, "!" * 200_000, "\n" * 200_000, "- " * 100_000, "\u0301" * 100_000, ""],
)
def test_hostile_texts_are_read_to_their_end(text: str) -> None:
    """One line, very many lines, no letters, only marks: each step is taken a bounded number of times."""
    assert len(clean(text)) <= len(text)


def test_a_chain_without_text_is_refused(resources: Any) -> None:
    """The fault is found before a record is read."""
    with pytest.raises(RecipeError, match="put extract_text before this stage"):
        CleanText().bind(pa.schema([("html", pa.string())]), resources)


def test_rows_from_html_pass_unless_where_names_them(pages: Any, resources: Any, guard: Any) -> None:
    """The marker of `extract_text` decides."""
    text = LEAVES["menu"]["text"].replace("{}", BODIES["en"])
    batch = pages(text=[text, text], url=["https://a.example/1", None])
    batch = batch.append_column(EXTRACTED, pa.array([True, False]))
    kept = CleanText().apply(batch, resources=resources, guard=guard).kept
    assert kept["text"].to_pylist() == [text, BODIES["en"]]
    assert [share is None for share in kept[REMOVED_SHARE].to_pylist()] == [True, False]
    source = batch["_record"][0]["source"].as_py()
    named = place_stage(CleanText(), where=Where(sources=(source,)))
    outcome = named.apply(batch, resources=resources, guard=guard)
    assert outcome.kept["text"].to_pylist() == [BODIES["en"]] * 2
