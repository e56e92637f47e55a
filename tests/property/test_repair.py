"""Laws of text repair: the result is that of ftfy, and no text that ftfy would change is skipped."""

from __future__ import annotations

import itertools
import unicodedata
from typing import TYPE_CHECKING

import ftfy
import numpy as np
import pyarrow as pa
import pytest
from ftfy.badness import is_bad
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from kernel_calls import fewer, tidied
from reference import BLANKS, white_space

from builder.kernels.text import screen
from builder.stages.repair import rules
from builder.stages.repair.column import repair_column
from builder.stages.repair.rules import Options, tables

if TYPE_CHECKING:
    from pathlib import Path

OFF = Options(uncurl_quotes=False, fix_character_width=False, fix_latin_ligatures=False)
ON = Options(uncurl_quotes=True, fix_character_width=True, fix_latin_ligatures=True)


def slow(text: str, *, options: Options = OFF, entities: bool = True) -> str:
    """Repair a text with ftfy itself, as the rule says."""
    config = ftfy.TextFixerConfig(
        unescape_html="auto" if entities else False,
        uncurl_quotes=options.uncurl_quotes,
        fix_character_width=options.fix_character_width,
        fix_latin_ligatures=options.fix_latin_ligatures,
    )
    fixed = ftfy.fix_text(text.replace("\x0b", " "), config)
    while "\xad" in fixed:
        fixed = ftfy.fix_text(fixed.replace("\xad", ""), config)
    return finished(fixed)


def finished(text: str) -> str:
    """Apply the steps that the stage runs after ftfy."""
    text = unicodedata.normalize("NFC", text)
    text = text.replace("\f", "\n")
    text = "".join(c for c in text if unicodedata.category(c) != "Cc" or c in "\n\t")
    return white_space(text)


def repaired(texts: list[str | None], *, options: Options = OFF) -> list[str | None]:
    """Repair some texts as one column."""
    return repair_column(pa.array(texts, pa.string()), options=options).column.to_pylist()


MOJIBAKE = st.builds(
    lambda text, charset: text.encode().decode(charset, "replace"),
    st.text(alphabet="aé ’“”…ñ中ж€\xa0à", max_size=8),
    st.sampled_from(["latin-1", "cp1252", "cp1251", "mac-roman", "cp437", "iso8859-2"]),
)
PIECES = st.one_of(
    MOJIBAKE,
    st.text(max_size=6),
    st.text(alphabet=sorted(rules._clues()), max_size=4),
    st.sampled_from(
        ["&amp;", "&#13;", "<", "\n", "\r\n", " ", "\t", "\u0301", "\x1b[0m", "\x80", "Ã ", "é ?", "’é", "œ"]
    ),
    st.sampled_from(
        [
            "à la",
            "Å",
            "Р»",
            "\ufffd",
            "가",
            "\u1161",
            "\u09be",
            "\u212b",
            "\U0001d15e",
            "\U0002f800",
            "\f",
            "\x0b",
            "\xad",
            "Ã\xad",
        ]
    ),
)
TEXTS = st.one_of(st.lists(PIECES, max_size=8).map("".join), st.text(alphabet="ab \n\t\u3000\f", max_size=12))


@settings(max_examples=fewer(400, 100))
@given(TEXTS)
@example("Ã\xa0 la <b> &amp;\n&amp;")
@example("\n&lt;\n&amp;")
@example("\na")
@example("a\n")
@example("a\n\n\nb")
@example("a \nb")
@example("a\u3000")
@example("a \r\nb\r\n\r\n\r\nc\r\r\nd")
@example("Ã la12345678")
@example("abcâ ˆâ ˆ12345678")
@example("0123\x7f56789")
@example("&#000000000000000000000038;")
@example("a\xad\u0301 & &a\xadmp; so\xadft Ã\xad")
@example("a\x0bb\x0b\n\x0b")
@example("0123456789 &amp; < &amp;\n&amp;")
@example("0123456789 &amp < ;\n&1234567890123456789012345;&#38;")
def test_repair_equals_ftfy(text: str) -> None:
    """For any text, the stage equals ftfy, then NFC, control characters and white space."""
    assert [slow(text)] == repaired([text])


@given(TEXTS)
@example("&lt;b&gt; Ã©")
def test_entities_of_a_literal_text_stay(text: str) -> None:
    """The stage then equals ftfy without its decoding of entities."""
    literal = repair_column(pa.array([text]), options=OFF, is_literal=np.array([True]))
    assert literal.column.to_pylist() == [slow(text, entities=False)]


@given(TEXTS)
def test_repair_with_all_options_equals_ftfy(text: str) -> None:
    """The options change which characters the screen must find."""
    assert [slow(text, options=ON)] == repaired([text], options=ON)


@given(st.lists(st.none() | TEXTS, max_size=6), st.integers(0, 3))
def test_documents_of_a_batch_are_repaired_independently(texts: list[str | None], skip: int) -> None:
    """Each document is repaired as if it were alone, also in slices and next to nulls."""
    column = pa.array(texts, pa.string())[skip:]
    alone = [None if text is None else repaired([text])[0] for text in texts[skip:]]
    assert alone == repair_column(column, options=OFF).column.to_pylist()


@given(TEXTS)
def test_exactly_the_changed_documents_are_counted(text: str) -> None:
    """A document counts as repaired if its text changed, unless the new text is empty."""
    found = repair_column(pa.array([text]), options=OFF)
    n_repaired = found.counts.pop("repaired")
    assert n_repaired == (slow(text) not in ("", text))
    assert bool(found.counts) == (slow(text) != text)
    assert found.empty.tolist() == ([0] if text and not slow(text) else [])


@given(
    st.lists(st.tuples(st.text(alphabet=f"ab\n{BLANKS}é", max_size=30), st.booleans()), max_size=4),
    st.integers(0, 9),
)
def test_white_space_is_tidied_by_the_rule(given: list[tuple[str, bool]], skip: int) -> None:
    """The kernel equals the reference in plain Python for the wanted documents, and copies the others."""
    texts, wanted = [text for text, _ in given], [asked for _, asked in given]
    expected = [white_space(text) if asked else text for text, asked in given]
    gone = [len(a.encode()) - len(b.encode()) for a, b in zip(texts, expected, strict=True)]
    assert (expected, gone) == tidied(texts, wanted=wanted, skip=skip)


@given(TEXTS, st.integers(1, 9))
@example("&am<p;&amp;", 3)
@example("&lt;aaaaa<&lt;aaa", 3)
@example("&lt;a<b", 3)
@example("aaaa\r\nb", 3)
@example("aaae\u0301bcd\x00", 2)
@example("aaaaa\x00\u0301b", 2)
@example("aaaaa&#769;b", 2)
@example("<aaaaaaa&lt;\x00", 2)
def test_long_lines_are_cut_where_ftfy_cuts_them(text: str, n_bytes: int) -> None:
    """A line longer than the limit is repaired in parts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rules, "MAX_LINE_CHARS", 5)
        patch.setattr(rules, "DECODED_BYTES", n_bytes)
        found = repaired([text])
    config = ftfy.TextFixerConfig(
        uncurl_quotes=False, fix_character_width=False, fix_latin_ligatures=False, max_decode_length=5
    )
    fixed = ftfy.fix_text(text.replace("\x0b", " "), config)
    assume("\xad" not in fixed)  # what is left without soft hyphens is not cut again
    assert [finished(fixed)] == found


def test_ftfy_finds_mojibake_only_with_two_clues_in_a_row_or_a_lone_clue() -> None:
    """The screen relies on this. The test is exhaustive for single characters of the installed ftfy, in every
    short ASCII context that its pattern distinguishes."""
    classes, _, _ = tables(OFF)
    lone = screen.LONE_CLUE | screen.C1
    context = ["", "\n", " ", "a", "Z", "0", "."]
    for point in np.flatnonzero(classes & screen.CLUE).tolist():
        if classes[point] & lone:
            continue
        for before, after in itertools.product(context, repeat=2):
            assert not is_bad(f"a {before}{chr(point)}{after} a")


def test_characters_without_a_class_are_in_normal_form() -> None:
    """Normalisation changes no text of characters that the screen passes, alone or in pairs."""
    classes, _, _ = tables(OFF)
    passing = [
        chr(point)
        for point in range(0xA0, screen.TABLE_SIZE - 1)
        if not classes[point] & screen.NORMAL and not 0xD800 <= point < 0xE000
    ]
    joined = "".join(passing) + "a".join(passing) + "".join(reversed(passing))
    assert unicodedata.is_normalized("NFC", joined)


def test_no_combining_mark_is_beyond_the_tables() -> None:
    """The screen finds runs of marks only among characters with an entry of their own."""
    beyond = map(chr, range(screen.TABLE_SIZE, 0x110000))
    assert not any(map(unicodedata.combining, beyond))


@pytest.mark.corpora
def test_repair_of_real_text_equals_ftfy(corpora: Path) -> None:
    """The texts are pages in 39 charsets read in a wrong one, broken UTF-8, naughty strings, 75 languages."""
    most = fewer(4000, 200)
    texts = [line for line in (corpora / "blns/blns.txt").read_text("utf-8").split("\n") if line]
    for path in sorted((corpora / "chardet-encodings").glob("*/*")):
        texts += [
            path.read_bytes()[:most].decode(charset, "replace") for charset in ("latin-1", "cp1251", "utf-8")
        ]
    texts += [
        path.read_bytes().decode("utf-8", "replace")[: 5 * most]
        for path in sorted(corpora.glob("utf8tests/*.txt"))
    ]
    texts += [path.read_text("utf-8")[:most] for path in sorted((corpora / "lingua-sentences").glob("*.txt"))]
    assert [slow(text) for text in texts] == repaired(texts)


@pytest.mark.corpora
def test_known_mojibake_is_repaired(corpora: Path) -> None:
    """Over 97 % of the cases that ftfy's authors collected give the expected text."""
    import json

    n_right = n_cases = 0
    for path in sorted((corpora / "ftfy").rglob("*.json")):
        for case in json.loads(path.read_text("utf-8")):
            if case.get("expect", "pass") != "pass":
                continue
            n_cases += 1
            n_right += repaired([case["original"]], options=ON) == [white_space(case["fixed"])]
    assert n_cases > 50
    assert n_right / n_cases > 0.97
