"""Bytes of pages are decoded with the right charset."""

from __future__ import annotations

import codecs
import random
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from webencodings.labels import LABELS

from builder.io.charset.decode import decode
from builder.io.charset.detect import detect
from builder.io.charset.labels import codec_of_label
from builder.io.charset.utf16 import unmarked_utf

if TYPE_CHECKING:
    from pathlib import Path

SAMPLES = {
    "cp1252": "Der Bürgermeister eröffnete gestern die größte Brücke über den Fluß in Österreich.",
    "cp1250": "Příliš žluťoučký kůň úpěl ďábelské ódy a šel dál přes řeku.",
    "iso8859-2": "Zażółć gęślą jaźń, a potem pójdź w świat szukać szczęścia.",
    "cp1251": "Съешь ещё этих мягких французских булок, да выпей же чаю.",
    "koi8-r": "Съешь ещё этих мягких французских булок, да выпей же чаю.",
    "cp866": "Съешь ещё этих мягких французских булок, да выпей же чаю.",
    "cp1253": "Η γρήγορη καφέ αλεπού πηδάει πάνω από το τεμπέλικο σκυλί.",
    "cp1254": "Pijamalı hasta yağız şoföre çabucak güvendi, öğle yemeğini şimdi yiyor.",
    "cp1255": "דג סקרן שט בים מאוכזב ולפתע מצא חברה נחמדה מאוד בעיר הגדולה",
    "cp1256": "هذا نص بسيط باللغة العربية يستخدم لاختبار البرنامج الجديد",
    "cp874": "เป็นมนุษย์สุดประเสริฐเลิศคุณค่า กว่าบรรดาฝูงสัตว์เดรัจฉาน",
    "shift_jis": "これは日本語の文章です。文字コードを判定するために使います。",
    "euc_jp": "これは日本語の文章です。文字コードを判定するために使います。",
    "gb18030": "我们的目的是在没有说明的时候也能知道这个文件是用什么编码写的。",
    "big5hkscs": "我們的目的是在沒有說明的時候也能知道這個文件是用什麼編碼寫的。",
    "cp949": "이것은 한국어로 쓴 글입니다. 문자 인코딩을 알아내는 데 사용합니다.",
    "iso2022_jp": "これは日本語の文章です。",
}


@pytest.mark.parametrize(("codec", "text"), SAMPLES.items())
def test_an_undeclared_charset_is_detected(codec: str, text: str) -> None:
    """Plain text of common languages in their legacy charsets needs no declaration."""
    found = decode(text.encode(codec))
    assert (found.text, found.n_replaced, found.how) == (text, 0, "detected")


UNREADABLE = {"iso-2022-cn", "iso-2022-cn-ext", "replacement"}
"""Labels of the standard for which Python has no codec."""


def test_every_label_of_the_standard_means_a_codec() -> None:
    """A page that declares its charset in a way that browsers read is never guessed at."""
    assert {label for label in LABELS if codec_of_label(label) is None} == UNREADABLE


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_utf16_and_utf32_are_detected(codec: str) -> None:
    """By a byte order mark, or by their zero bytes without one."""
    marked = decode("\ufeffwörd".encode(codec))
    assert (marked.text, marked.encoding, marked.how) == ("wörd", codec, "bom")
    plain = decode("some wörds of text\n".encode(codec))
    assert (plain.text, plain.encoding, plain.how) == ("some wörds of text\n", codec, "detected")


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(
    "text",
    [
        *SAMPLES.values(),
        "Ọ̀rọ̀ yìí ni a kọ sílẹ̀ fún ìdánwò",
        "中文，没有空格。这是我们的第一个人说的话，他不在上面。",
    ],
)
def test_utf16_without_a_byte_order_mark_is_detected_in_any_script(codec: str, text: str) -> None:
    """With few zero bytes or none, the characters decide: one byte order gives a text, the other does not."""
    found = decode(text.encode(codec))
    assert (found.text, found.encoding, found.how) == (text, codec, "detected")
    assert decode(text.encode(codec) * 9, http_charset="utf-8").text == text * 9


@pytest.mark.parametrize("http", [None, "utf-16", "utf-16be", "utf-8", "iso-8859-1", "gbk"])
@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_zero_bytes_override_a_declaration(codec: str, http: str | None) -> None:
    """A page half of which is zero bytes is UTF-16, in the byte order that the zeros show."""
    page = "<title>Straße</title><p>Größe und Maß, und so weiter, Привет</p>"
    assert decode(page.encode(codec), http_charset=http, is_html=True).text == page


@pytest.mark.parametrize(
    "text", ["0,0,1,0;0A0B0C0D;1,0,\n" * 20 + "é" * 70, "bush hid the facts é", "a\0b\0c\0 é\0\0"]
)
def test_ascii_and_stray_zeros_are_not_detected_as_utf16(text: str) -> None:
    """Pairs of ASCII letters and digits are valid Chinese characters in UTF-16."""
    assert not decode(text.encode("cp1252")).encoding.startswith("utf-16")


@pytest.mark.parametrize("declared", ["iso-8859-1", "windows-1251", "shift_jis", "gbk", "euc-kr", "utf-8"])
@pytest.mark.parametrize("broken", [b"\xff", b"\xe4\xb8", b"\xff\xe9\xa0", b""])
def test_utf8_with_a_few_broken_bytes_is_utf8(declared: str, broken: bytes) -> None:
    """Whatever the declaration, no other charset looks so much like UTF-8; the broken bytes are anywhere."""
    text = "größer, schöner und süßer, だから、ここに"
    found = decode(text.encode() + broken + text.encode()[:-1], http_charset=declared)
    assert (found.encoding, found.text.startswith(text)) == ("utf-8", True)
    assert 0 < found.n_replaced < 5


@pytest.mark.parametrize(
    ("data", "http", "text", "how"),
    [
        (b"\xef\xbb\xbfa", "koi8-r", "a", "bom"),
        (b"<meta charset=koi8-r>\xc1", "windows-1251", "<meta charset=koi8-r>Б", "http"),
        (b"<meta charset=koi8-r>\xc1", None, "<meta charset=koi8-r>а", "meta"),
        (b"<meta charset=koi8-r>\xc1", "no-such", "<meta charset=koi8-r>а", "meta"),
        (b"<meta http-equiv=content-type content='text/html; charset=koi8-r'>\xc1", None, ">а", "meta"),
        (b'<?xml version="1.0" encoding="koi8-r"?>\xc1', None, "?>а", "meta"),
        (b"<title>x</title>" + b" " * 9000 + b"<meta charset=koi8-r>\xc1", None, ">а", "meta"),
        (b"caf\xe9 \x93x\x94 \x81", "ISO-8859-1", "café “x” \x81", "http"),
        (b"plain", "iso-8859-1", "plain", "http"),
        ("schön".encode(), None, "schön", "utf8"),
        (b"a\\b", "shift_jis", "a\\b", "http"),
    ],
)
def test_byte_order_mark_http_page_and_detection_are_used_in_this_order(
    data: bytes, http: str | None, text: str, how: str
) -> None:
    """Labels have the meaning that browsers give them."""
    found = decode(data, http_charset=http, is_html=True)
    assert found.text.endswith(text)
    assert (found.how, found.n_replaced) == (how, 0)


@pytest.mark.parametrize(
    ("data", "http", "text", "how"),
    [
        ("größer, schöner".encode(), "iso-8859-1", "größer, schöner", "utf8"),
        ("größer, schöner".encode(), "euc-jp", "größer, schöner", "utf8"),
        ("größer, schöner".encode(), "shift_jis; x", "größer, schöner", "utf8"),
        (SAMPLES["cp1251"].encode("cp1251"), "utf-8", SAMPLES["cp1251"], "detected"),
        ("한국어".encode("cp949"), "euc-kr", "한국어", "http"),
    ],
)
def test_a_declaration_that_contradicts_the_bytes_is_ignored(
    data: bytes, http: str, text: str, how: str
) -> None:
    """Valid UTF-8 overrides a declaration, and so does a large loss of text."""
    found = decode(data, http_charset=http)
    assert (found.text, found.how, found.n_replaced) == (text, how, 0)


def test_replaced_bytes_are_counted() -> None:
    """Invalid bytes become U+FFFD and are counted; encoded U+FFFD are not."""
    data = "ä\ufffd".encode() * 50 + b"\xff\xfe!"
    found = decode(data)
    assert (found.encoding, found.n_replaced) == ("utf-8", 2)
    assert found.text.count("\ufffd") == 52
    assert decode("กขคงจ".encode("cp874") * 9 + b"\xff", http_charset="cp874").n_replaced == 1


def test_a_truncated_page_keeps_its_charset() -> None:
    """An incomplete UTF-8 sequence at the end is not evidence of another charset."""
    found = decode("drei schöne Wörter, ä".encode()[:-1])
    assert (found.text, found.encoding, found.n_replaced) == ("drei schöne Wörter, \ufffd", "utf-8", 1)


@pytest.mark.parametrize(
    "label", ["utf-7", "rot13", "hex", "idna", "unicode_escape", "", 'latin1"', "x" * 99, "é", "cp\x00"]
)
def test_labels_of_codecs_that_are_not_charsets_are_ignored(label: str) -> None:
    """Python has codecs that are not charsets of pages."""
    assert codec_of_label(label) is None


@given(
    st.binary(max_size=80),
    st.sampled_from([None, "utf-8", "gb2312", "cp1252", "utf-16", "iso-2022-kr", "?", "hz"]),
)
def test_any_bytes_can_be_decoded(data: bytes, http: str | None) -> None:
    """No input raises an exception, and the result can be encoded again."""
    found = decode(data, http_charset=http, is_html=True)
    found.text.encode()
    assert 0 <= found.n_replaced <= found.text.count("\ufffd")
    codecs.lookup(found.encoding)


@given(st.text(max_size=60))
def test_valid_utf8_is_decoded_as_utf8(text: str) -> None:
    """For text without a declaration, zero bytes and escape sequences."""
    text = text.replace("\0", "").replace("\x1b", "").lstrip("\ufeff")
    assert decode(text.encode()).text == text


def test_a_large_page_is_examined_only_in_part() -> None:
    """Detection reads a sample; the whole page is decoded."""
    text = SAMPLES["koi8-r"] * 20_000
    found = decode(text.encode("koi8-r"))
    assert found.text == text
    assert detect(random.Random(1).randbytes(100_000)) is None
    assert unmarked_utf(b"\0" * 100) is None


@pytest.mark.corpora
def test_real_pages_are_decoded_as_their_labels_say(corpora: Path) -> None:
    """At least 94 of 100 real pages in 39 labelled charsets, without an HTTP header."""
    n_right = n_pages = 0
    for path in sorted((corpora / "chardet-encodings").glob("*/*")):
        charset = re.sub(r"-(?!\d)[a-z]{5,}$", "", path.parent.name)
        data = path.read_bytes()
        n_pages += 1
        n_right += decode(data, is_html=True).text == data.decode(charset).lstrip("\ufeff")
    assert n_pages > 130
    assert n_right / n_pages >= 0.94


@pytest.mark.corpora
def test_prescan_finds_what_the_standard_finds(corpora: Path) -> None:
    """The encoding cases of html5lib in which the page names a charset that is not the fallback."""
    wrong = []
    for path in sorted((corpora / "html5lib-tests/encoding").glob("*.dat")):
        for block in re.split(rb"(?:\A|\n)#data\n", path.read_bytes())[1:]:
            data, _, rest = block.partition(b"\n#encoding\n")
            expected = codec_of_label(rest.split(b"\n")[0].decode().strip())
            if expected == "cp1252" or b"8192" in data or b"8193" in data or b"Yahoo" in data:
                continue  # the fallback for English pages; declared too late; declared wrongly
            if codec_of_label(decode(data, is_html=True).encoding) != expected:
                wrong.append(data)
    assert wrong == []
