"""The tokeniser and its table."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest
import reference
from kernel_calls import fewer, packed, sets_of, sketches_of, word_hashes

from builder.kernels.text import folding as tables
from builder.kernels.text.words import BUFFER, ROOM

same_unicode = pytest.mark.skipif(
    unicodedata.unidata_version != tables.UNICODE_VERSION,
    reason=f"this Python knows another Unicode than {tables.UNICODE_VERSION}",
)


def hashes(words):
    return [reference.word_hash(word) for word in words]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        (" \n\t", []),
        ("!?; -- ...", []),
        ("Hello, World!", ["hello", "world"]),
        ("don't e-mail_me", ["don", "t", "e", "mail", "me"]),
        ("7 of 9; 3.14", ["7", "of", "9", "3", "14"]),
        ("Straße ＡＢＣ ﬁn", ["strasse", "abc", "fin"]),
        ("ÉCOLE Ünïcode Ĳ", ["école", "ünïcode", "ij"]),
        ("漢字 abc漢", ["漢", "字", "abc", "漢"]),
        ("カタカナ ﾊﾟ", ["カ", "タ", "カ", "ナ", "ハ", "゚"]),
        ("ไทย", ["ไ", "ท", "ย"]),
        ("한국어 조선", ["한국어", "조선"]),
        ("नमस्ते", ["नमस्ते"]),
        ("a\u0301b", ["a\u0301b"]),
        ("½ ㎏ ①", ["1", "2", "kg", "1"]),
        ("㌖", ["キ", "ロ", "メ", "ー", "ト", "ル"]),
        ("ﷺ", ["صلى", "الله", "عليه", "وسلم"]),
        ("exactly8 nine_chars sixteencharacter seventeencharacte", None),
        ("a\x00b", ["a", "b"]),
        ("🙂 \U000e0001", []),
    ],
)
def test_a_text_is_folded_and_split_by_the_rule(text, words):
    """The kernel, the reference and the examples agree."""
    expected = reference.words(text) if words is None else words
    assert reference.words(text) == expected
    assert word_hashes(text) == hashes(expected)


@pytest.mark.parametrize(
    "length", [1, 7, 8, 9, BUFFER - 9, BUFFER, BUFFER + 1, fewer(3 * BUFFER + 5, BUFFER + 5)]
)
@pytest.mark.parametrize("char", ["x", "é", "漢", "ﷺ", "㌖", "𠀀", " x"])
def test_words_across_the_ends_of_the_buffer_are_kept_whole(length, char):
    """Words and separators at the end of the buffer are neither cut nor lost."""
    text = char * length + " end"
    assert word_hashes(text) == hashes(reference.words(text))


def test_the_buffer_may_end_at_any_byte_of_a_word():
    """Each shift moves the end of the buffer to another byte."""
    for shift in range(0, 24, fewer(1, 5)):
        text = "." * shift + "twelve chars of漢字é " * (BUFFER // 12)
        assert word_hashes(text) == hashes(reference.words(text))


@same_unicode
@pytest.mark.parametrize("step", [fewer(101, 4001), pytest.param(1, marks=pytest.mark.long)])
def test_every_code_point_is_folded_and_split_by_the_rule(step):
    """Of the code points that fold to themselves, only a sample is tested."""
    chars = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    chars = [char for i, char in enumerate(chars) if i % step == 0 or reference.fold(char) != char]
    texts = [f"a{char}b" for char in chars]
    _, n_words, _, _ = sketches_of(texts, bands=1, rows=1)
    assert n_words.tolist() == [len(reference.words(text)) for text in texts]
    text = " ".join(chars)
    assert word_hashes(text) == hashes(reference.words(text))


@same_unicode
def test_shipped_table_is_fresh():
    """``folding.npz`` must equal the result of ``make``; fix: ``python -m builder.kernels.text.folding``."""
    for shipped, made in zip(tables.folding(), tables.make(), strict=True):
        assert shipped.dtype == made.dtype
        assert (shipped == made).all()


def test_buffer_has_room_for_the_longest_entry():
    """After a full buffer, the longest folded code point fits, with the zeros at the end of a text."""
    entries = tables.folding().leaves
    longest = int((entries[entries > tables.WHOLE] & 0xFF).max())
    assert 7 + longest + 16 <= ROOM


@pytest.mark.parametrize(
    "data",
    [
        b"\xff",
        b"\x80\x80\x80",
        b"abc\xe6",
        b"\xe6\xbc",
        b"\xf0\x9f\x99",
        b"\xf7\xbf\xbf\xbf",
        b"\xed\xa0\x80 x",
    ],
)
def test_invalid_utf8_does_not_affect_other_texts(data):
    """Invalid bytes give arbitrary words, and the texts next to them keep theirs."""
    texts = [b"before them all stand five words", data * 50, b"after them all stand five words"]
    first, _, last = sets_of(texts)
    assert first == reference.shingle_hashes(texts[0].decode())
    assert last == reference.shingle_hashes(texts[2].decode())


def test_any_buffers_of_arrow_are_accepted():
    """Offsets may begin above 0, data may be writable, and both may be empty."""
    texts = ["one two three four five six", "", "漢字漢字漢字"]
    assert sets_of(texts, skip=3) == sets_of(texts) == [reference.shingle_hashes(t) for t in texts]
    data, _ = packed(texts)
    assert not data.flags.writeable
    assert sets_of([]) == []
    keys, n_words, n_shingles, _ = sketches_of(["", ""])
    assert not keys.any() and not n_words.any() and not n_shingles.any()
    assert isinstance(np.uint64(tables.folding().blocks[0]), np.uint64)
