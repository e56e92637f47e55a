"""Labels of blocks: what people see of a page, what they answer, and what the project keeps of it."""

from __future__ import annotations

import gzip
import hashlib
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.block_labels import (
    MAX_LISTED,
    LabelError,
    block_hash,
    kappa,
    list_blocks,
    marked,
    packed,
    read_answers,
    sheet,
    targets,
    unpacked,
)
from training.labelling import PAGE_COLUMNS, collect, read_table, write_sheets

if TYPE_CHECKING:
    from pathlib import Path

_PAGE = (
    b"<body><nav><ul><li><a href=/>Home</a></li><li><a href=/b>Shop</a></li></ul></nav>"
    b"<main><h1>A red cup</h1><p>It holds 350 ml.</p><p>It holds 350 ml.</p></main><p>Home</p></body>"
)
_TEXTS = ["Home", "Shop", "A red cup", "It holds 350 ml.", "It holds 350 ml.", "Home"]


def test_a_sheet_shows_number_path_and_text_of_each_block_with_text() -> None:
    """A labeller decides by text and place alone."""
    lines = sheet("p1", list_blocks(_PAGE)).splitlines()
    assert lines[0] == "# p1: 6 blocks"
    assert [line.split("\t")[1:] for line in lines[1:4]] == [
        ["body>nav>ul>li>a", "Home"],
        ["body>nav>ul>li>a", "Shop"],
        ["body>main>h1", "A red cup"],
    ]


def test_a_sheet_ends_after_the_most_blocks_that_people_see() -> None:
    """A person does not label thousands of blocks of one page."""
    blocks = list_blocks(b"<p>word</p>" * (MAX_LISTED + 50))
    assert len(blocks) == MAX_LISTED


def test_a_long_text_is_cut_in_the_sheet_and_whole_in_the_hash() -> None:
    """Two blocks that begin alike have labels of their own."""
    one, two = list_blocks(b"<p>" + b"word " * 80 + b"one</p><p>" + b"word " * 80 + b"two</p>")
    shown = [line.split("\t")[2] for line in sheet("p1", [one, two]).splitlines()[1:]]
    assert shown[0] == shown[1]
    assert block_hash(one.text) != block_hash(two.text)


def test_answers_are_ranges_and_a_dash_means_nothing() -> None:
    """A page without content is an answer too."""
    given_lines = ["# comment", "p1\t2-4, 7", "", "p2\t-"]
    assert read_answers(given_lines) == {"p1": frozenset({2, 3, 4, 7}), "p2": frozenset()}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("p1\t", "has no ranges"),
        ("p1 2-4", "has no ranges"),
        ("p1\t4-2", "'4-2' is not a block or a range"),
        ("p1\tall", "'all' is not a block or a range"),
    ],
)
def test_an_answer_that_cannot_be_read_is_an_error_with_its_line(line: str, message: str) -> None:
    """A typing error must not become a label."""
    with pytest.raises(LabelError, match=message):
        read_answers(["p0\t1", line])


def test_a_page_answered_twice_is_an_error() -> None:
    """Which of the two holds is not for the program to say."""
    with pytest.raises(LabelError, match="line 2 answers p1 again"):
        read_answers(["p1\t1", "p1\t2"])


def test_an_answer_beyond_the_last_block_is_an_error() -> None:
    """It was meant for another page."""
    with pytest.raises(LabelError, match="block 9 is not in the listing, whose last block is 5"):
        marked(list_blocks(_PAGE), frozenset({2, 9}))


def test_labels_are_the_share_of_labellers_that_call_a_block_content() -> None:
    """Where two labellers disagree the target is one half."""
    marks = marked(list_blocks(_PAGE), frozenset({2, 3, 4}), frozenset({3, 4}))
    assert targets(_TEXTS, marks, 2).tolist() == [0, 0, 0.5, 1, 1, 0]


def test_labels_survive_a_change_of_how_pages_are_cut() -> None:
    """A block that the labels do not know has no label; the others keep theirs."""
    marks = marked(list_blocks(_PAGE), frozenset({2, 3, 4}))
    moved = ["Home", " ", "Shop", "A new block", "A red cup", "It holds 350 ml.", "It holds", "Home"]
    assert targets(moved, marks, 1).tolist() == [0, -1, 0, -1, 1, 1, -1, 0]


@given(st.lists(st.tuples(st.sampled_from(["00aa11bb", "ffffffff"]), st.integers(0, 2))))
def test_packed_marks_read_back_the_same(marks: list[tuple[str, int]]) -> None:
    """The file of labels loses nothing."""
    assert unpacked(packed(marks)) == marks


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1))
def test_kappa_equals_its_definition(votes: list[tuple[bool, bool]]) -> None:
    """Computed from the four counts of the table, in plain Python."""
    n = len(votes)
    both, none = votes.count((True, True)), votes.count((False, False))
    first, second = sum(a for a, _ in votes), sum(b for _, b in votes)
    chance = (first * second + (n - first) * (n - second)) / n**2
    expected = 1.0 if chance == 1 else ((both + none) / n - chance) / (1 - chance)
    assert kappa(*zip(*votes, strict=True)) == pytest.approx(expected, abs=1e-9)


def test_answers_of_two_labellers_become_labels_without_page_text(tmp_path: Path) -> None:
    """From a folder of pages to the file of labels and the agreement by kind."""
    (tmp_path / "html").mkdir()
    facts = dict.fromkeys(PAGE_COLUMNS, "x") | {"sha256": hashlib.sha256(_PAGE).hexdigest()}
    rows = [facts | {"id": name, "kind": "product"} for name in ("p1", "p2")]
    for row in rows:
        (tmp_path / "html" / f"{row['id']}.html.gz").write_bytes(gzip.compress(_PAGE))
    table = ["\t".join(PAGE_COLUMNS), *("\t".join(row.values()) for row in rows)]
    (tmp_path / "pages.tsv").write_text("\n".join(table) + "\n", encoding="utf-8")
    assert write_sheets(tmp_path) == 2
    assert (tmp_path / "answers.tsv").read_text("utf-8") == "p1\t\np2\t\n"
    answers = [tmp_path / "a.tsv", tmp_path / "b.tsv"]
    answers[0].write_text("p1\t2-4\np2\t2-4\n", encoding="utf-8")
    answers[1].write_text("p1\t3-4\n", encoding="utf-8")
    agreement = collect(tmp_path, answers, tmp_path / "labels.tsv")
    assert agreement == {"product": [pytest.approx(2 / 3), 6]}
    (row,) = read_table(tmp_path / "labels.tsv")
    assert row["id"] == "p1", "a page that only one labeller answered has no labels"
    assert np.array_equal(
        targets(_TEXTS, unpacked(row["marks"]), int(row["labellers"])), [0, 0, 0.5, 1, 1, 0]
    )
    assert "cup" not in (tmp_path / "labels.tsv").read_text("utf-8")


def test_a_page_with_another_hash_is_an_error(tmp_path: Path) -> None:
    """Labels belong to the bytes that people saw."""
    (tmp_path / "html").mkdir()
    (tmp_path / "html" / "p1.html.gz").write_bytes(gzip.compress(_PAGE + b" "))
    facts = dict.fromkeys(PAGE_COLUMNS, "x") | {"id": "p1", "sha256": hashlib.sha256(_PAGE).hexdigest()}
    table = ["\t".join(PAGE_COLUMNS), "\t".join(facts[name] for name in PAGE_COLUMNS)]
    (tmp_path / "pages.tsv").write_text("\n".join(table) + "\n", encoding="utf-8")
    with pytest.raises(LabelError, match="page p1 has another SHA-256"):
        write_sheets(tmp_path)
