"""Laws of text repair: the same as ftfy says, and nothing untouched that it would touch."""

from __future__ import annotations

import itertools
import unicodedata
from typing import TYPE_CHECKING

import ftfy
import numpy as np
import pyarrow as pa
import pytest
from ftfy.badness import is_bad
from hypothesis import example, given, settings
from hypothesis import strategies as st

from builder.kernels import text_screen
from builder.stages import repair_rules, repair_text, text_pieces
from builder.stages.repair_rules import EVERYTHING, Options, repair, tables
from builder.stages.repair_text import _flags
from builder.stages.white_space import white_space

if TYPE_CHECKING:
    from pathlib import Path

OFF = Options(uncurl_quotes=False, fix_character_width=False, fix_latin_ligatures=False)
ON = Options(uncurl_quotes=True, fix_character_width=True, fix_latin_ligatures=True)


def slow(text: str, *, options: Options = OFF) -> str:
    """Repair as the rule is written, by ftfy itself."""
    config = ftfy.TextFixerConfig(
        unescape_html="auto",
        uncurl_quotes=options.uncurl_quotes,
        fix_character_width=options.fix_character_width,
        fix_latin_ligatures=options.fix_latin_ligatures,
    )
    text = unicodedata.normalize("NFC", ftfy.fix_text(text, config))
    text = text.replace("\f", "\n")
    text = "".join(c for c in text if unicodedata.category(c) != "Cc" or c in "\n\t")
    return white_space(text)


MOJIBAKE = st.builds(
    lambda text, charset: text.encode().decode(charset, "replace"),
    st.text(alphabet="aé ’“”…ñ中ж€\xa0à", max_size=8),
    st.sampled_from(["latin-1", "cp1252", "cp1251", "mac-roman", "cp437", "iso8859-2"]),
)
PIECES = st.one_of(
    MOJIBAKE,
    st.text(max_size=6),
    st.text(alphabet=sorted(repair_rules._clues()), max_size=4),
    st.sampled_from(
        ["&amp;", "&#13;", "<", "\n", "\r\n", " ", "\t", "\u0301", "\x1b[0m", "\x80", "Ã ", "é ?", "’é", "œ"]
    ),
    st.sampled_from(
        ["à la", "Å", "Р»", "\ufffd", "가", "\u1161", "\u09be", "\u212b", "\U0001d15e", "\U0002f800", "\f"]
    ),
)
TEXTS = st.one_of(st.lists(PIECES, max_size=8).map("".join), st.text(alphabet="ab \n\t\u3000\f", max_size=12))


@settings(max_examples=400)
@given(TEXTS)
@example("Ã\xa0 la <b> &amp;\n&amp;")
@example("\n&lt;\n&amp;")
@example("\na")
@example("a\n")
@example("a\n\n\nb")
@example("a \nb")
@example("a\u3000")
def test_repair_is_what_ftfy_does(text: str) -> None:
    """For any text: ftfy, then NFC, control characters and white space; screened or not."""
    flags = int(_flags(pa.array([text]), options=OFF)[0])
    expected = slow(text)
    assert expected == repair(text, options=OFF)[0]
    assert expected == (repair(text, options=OFF, flags=flags)[0] if flags else text)


@given(TEXTS)
def test_repair_with_options_is_what_ftfy_does(text: str) -> None:
    """The same with everything turned on that can be."""
    flags = int(_flags(pa.array([text]), options=ON)[0])
    assert slow(text, options=ON) == (repair(text, options=ON, flags=flags)[0] if flags else text)


@settings(max_examples=400)
@given(TEXTS, st.integers(1, 4), st.integers(1, 5))
@example("a\n\n\n\n\n<b>\n\n\n &amp; \n", 1, 5)
@example("\n \n&lt;\n&amp;\n \n\n", 1, 5)
@example("a \n\n\u0301b\n\n", 1, 5)
@example("aaae\u0301   \n  bcd e \n", 1, 2)
@example("abc   \xa0 ", 1, 2)
def test_a_document_in_pieces_is_repaired_as_one(text: str, piece_bytes: int, line_chars: int) -> None:
    """A large text is cut where no repair sees it, very long lines too; what was done is told alike."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_pieces, "PIECE_BYTES", piece_bytes)
        patch.setattr(repair_rules, "MAX_LINE_CHARS", line_chars)
        patch.setattr(repair_text, "LARGE_BYTES", 1)
        pieces = list(text_pieces.pieces(memoryview(text.encode())))
        batch = pa.RecordBatch.from_pydict({"text": pa.array(["before", text])})
        came, fixed, changes = repair_text._repaired(batch["text"][1], options=OFF, flags=EVERYTHING)
        whole, changes_of_whole = repair(text, options=OFF)
    assert "".join(pieces) == text
    assert (str(came, "utf-8") if text else came, changes) == (text, changes_of_whole)
    assert (fixed.decode() if text else fixed) == whole


@given(st.lists(TEXTS, max_size=5))
def test_documents_do_not_touch_one_another(texts: list[str]) -> None:
    """Each document of a batch is screened as if it were alone."""
    alone = [int(_flags(pa.array([text]), options=OFF)[0]) for text in texts]
    assert alone == _flags(pa.array(["x", *texts], pa.string())[1:], options=OFF).tolist()


@given(TEXTS)
def test_long_lines_are_cut_where_ftfy_cuts_them(text: str) -> None:
    """A line longer than the limit is mended in parts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(repair_rules, "MAX_LINE_CHARS", 5)
        mended = repair_rules._fix_lines(text, options=OFF, changes=set())
    config = ftfy.TextFixerConfig(
        uncurl_quotes=False, fix_character_width=False, fix_latin_ligatures=False, max_decode_length=5
    )
    assert ftfy.fix_text(text, config) == mended


def test_what_looks_bad_is_two_clues_or_one_lone_one() -> None:
    """The installed ftfy finds no mojibake in text without two clues in a row or a lone one (exhaustively,
    for single characters in every short ASCII context that its pattern tells apart)."""
    classes, _, _ = tables(OFF)
    lone = text_screen.LONE_CLUE | text_screen.C1
    context = ["", "\n", " ", "a", "Z", "0", "."]
    for point in np.flatnonzero(classes & text_screen.CLUE).tolist():
        if classes[point] & lone:
            continue
        for before, after in itertools.product(context, repeat=2):
            assert not is_bad(f"a {before}{chr(point)}{after} a")


def test_characters_without_a_class_are_in_normal_form() -> None:
    """No text of characters that the screen lets pass is changed by normalisation, alone or in pairs."""
    classes, _, _ = tables(OFF)
    passing = [
        chr(point)
        for point in range(0xA0, text_screen.TABLE_SIZE - 1)
        if not classes[point] & text_screen.NORMAL and not 0xD800 <= point < 0xE000
    ]
    joined = "".join(passing) + "a".join(passing) + "".join(reversed(passing))
    assert unicodedata.is_normalized("NFC", joined)


@pytest.mark.corpora
def test_repair_of_real_text_is_what_ftfy_does(corpora: Path) -> None:
    """Pages in 39 charsets read in the wrong one, broken UTF-8, naughty strings, 75 languages."""
    texts = [line for line in (corpora / "blns/blns.txt").read_text("utf-8").split("\n") if line]
    for path in sorted((corpora / "chardet-encodings").glob("*/*")):
        texts += [
            path.read_bytes()[:4000].decode(charset, "replace") for charset in ("latin-1", "cp1251", "utf-8")
        ]
    texts += [
        path.read_bytes().decode("utf-8", "replace")[:20000]
        for path in sorted(corpora.glob("utf8tests/*.txt"))
    ]
    texts += [path.read_text("utf-8")[:4000] for path in sorted((corpora / "lingua-sentences").glob("*.txt"))]
    flags = _flags(pa.array(texts), options=OFF).tolist()
    for text, found in zip(texts, flags, strict=True):
        assert slow(text) == (repair(text, options=OFF, flags=found)[0] if found else text)


@pytest.mark.corpora
def test_mojibake_with_answers(corpora: Path) -> None:
    """The cases that ftfy's authors collected come out as they say, where quotes and widths play no part."""
    import json

    n_right = n_cases = 0
    for path in sorted((corpora / "ftfy").rglob("*.json")):
        for case in json.loads(path.read_text("utf-8")):
            if case.get("expect", "pass") != "pass":
                continue
            n_cases += 1
            n_right += repair(case["original"], options=ON)[0] == white_space(case["fixed"])
    assert n_cases > 50
    assert n_right / n_cases > 0.97
