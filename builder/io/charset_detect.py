"""Guess the charset of bytes that nobody declared, from the bytes alone.

In this order: UTF-16 and UTF-32 by the places of their zero bytes; ISO-2022 by its escape sequences; UTF-8,
also where a few sequences are broken or the last is cut off; a charset of East Asia if the bytes are valid
in it and give characters that its language writes often; else the charset of single bytes whose letters fit
a language best (``charset_letters``). Only ``SAMPLE_BYTES`` from the first byte beyond ASCII are looked at.
"""

from __future__ import annotations

import re
from functools import cache

SAMPLE_BYTES = 1 << 16
"""How much of a page is looked at."""

_STRANGE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ue000-\uf8ff\ufffd-\uffff]")
_CUT = re.compile(rb"\A[\x80-\xbf]{1,3}|[\xc2-\xf4][\x80-\xbf]{0,2}\Z")
_WORDS_BYTES = 1 << 14
_HIGH = re.compile(rb"[\x80-\xff]")
_WORD = re.compile(rb"[A-Za-z0-9\x80-\xff]*[\x80-\xff][A-Za-z0-9\x80-\xff]*")
_UTF8 = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]"
    rb"|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}"
)
_ESCAPES = (
    (re.compile(rb"\x1b\$\)C.*\x0e", re.DOTALL), "iso2022_kr"),
    (re.compile(rb"\x1b(?:\$[@B]|\(J)"), "iso2022_jp"),
)
MAX_BROKEN = 0.3
"""Broken bytes for each good sequence up to which bytes are taken for UTF-8; other charsets give over 3."""
MAX_INVALID = 0.01
"""Characters that may be undefined up to which a multi-byte charset is thought of."""
MIN_WORTH = -0.5
"""The score of ``charset_letters`` below which bytes are no text."""
SURELY_FREQUENT = 0.3
MIN_FREQUENT = 0.1
MIN_USUAL = 0.9

_KANA = "".join(map(chr, range(0x3041, 0x30FF)))
_FREQUENT = {
    "gb18030": "的一是不了在人有我他这中大来上个国到说们为子和你地出道也时年得就那要下以生会自着去之过家学"
    "对可里后小么心多天而能好都然没日于起还发成事只作当想看文无开手十用主行方又如前所本见经头面"
    "公同三已老从动两长",
    "big5hkscs": "的一是不了在人有我他這中大來上個國到說們為子和你地出道也時年得就那要下以生會自著去之過家學"
    "對可裡後小麼心多天而能好都然沒日於起還發成事只作當想看文無開手十用主行方又如前所本見經頭面"
    "公同三已老從動兩長",
    "cp949": "이다는에의을하고가로지사기은한를리대자어서인도시아라수일들나정스으니해과그게있제적보원부여"
    "장전만상동공구우조주관안문성오면비신방했된된경세모소국연것화회었무",
    "euc_jp": _KANA,
    "cp932": _KANA,
}
"""Characters that each language writes often."""
_USUAL_LEADS = {
    "gb18030": ("gb2312", 0xB0, 0xD7),
    "big5hkscs": ("big5", 0xA4, 0xC6),
    "cp949": ("euc_kr", 0xB0, 0xC8),
    "euc_jp": ("euc_jp", 0xB0, 0xCF),
    "cp932": ("euc_jp", 0xB0, 0xCF),
}
"""The rows of each national standard that hold its everyday characters ("level 1")."""


def detect(data: bytes) -> str | None:
    """Return the codec that fits best, or None where the bytes are no text in any.

    >>> detect("Привет, мир. Это простой текст.".encode("koi8-r"))
    'koi8-r'
    """
    if (codec := unmarked_utf(data)) is not None:
        return codec
    first = _HIGH.search(data)
    if first is None:
        return _escaped(data[:SAMPLE_BYTES])
    start = max(first.start() - 64, 0)
    sample = data[start : start + SAMPLE_BYTES]
    if _mostly_utf8(sample):
        return "utf-8"
    return _multibyte(sample) or _single_byte(sample)


def unmarked_utf(data: bytes) -> str | None:
    """Find UTF-16 and UTF-32 that lack a byte order mark by where their zero bytes stand.

    >>> unmarked_utf("text".encode("utf-16-be"))
    'utf-16-be'
    """
    sample = data[:SAMPLE_BYTES]
    if len(sample) < 4 or b"\0" not in sample:
        return None
    sample = sample[: len(sample) // 4 * 4]
    quarter = len(sample) // 4
    zeros = [sample[place::4].count(0) for place in range(4)]
    if len(data) % 4 == 0:
        if zeros[0] == quarter and zeros[1] >= 0.9 * quarter and zeros[3] < 0.1 * quarter:
            return _if_valid(sample, "utf-32-be")
        if zeros[3] == quarter and zeros[2] >= 0.9 * quarter and zeros[0] < 0.1 * quarter:
            return _if_valid(sample, "utf-32-le")
    even, odd = zeros[0] + zeros[2], zeros[1] + zeros[3]
    if even >= 0.2 * quarter and odd <= 0.02 * even:
        return _if_valid(sample, "utf-16-be")
    if odd >= 0.2 * quarter and even <= 0.02 * odd:
        return _if_valid(sample, "utf-16-le")
    return None


def _if_valid(sample: bytes, codec: str) -> str | None:
    text = sample.decode(codec, "replace")
    return codec if len(_STRANGE.findall(text)) <= len(text) // 200 + 1 else None


def _escaped(sample: bytes) -> str | None:
    return next((codec for pattern, codec in _ESCAPES if pattern.search(sample)), None)


def _mostly_utf8(sample: bytes) -> bool:
    n_good = len(_UTF8.findall(sample))
    n_broken = len(_HIGH.findall(_CUT.sub(b"", _UTF8.sub(b"", sample))))
    return n_good > 0 and n_broken <= MAX_BROKEN * n_good


def _multibyte(sample: bytes) -> str | None:
    """Return the East Asian codec whose characters are the most usual, if any are."""
    found = []
    for codec in _FREQUENT:
        chars = [c for c in sample.decode(codec, "replace") if c > "\x7f"]
        letters = [c for c in chars if c.isalpha()]
        if not letters or chars.count("\ufffd") > MAX_INVALID * len(chars) + 1:
            continue
        frequent = sum(c in _frequent(codec) for c in letters) / len(letters)
        usual = sum(c in _usual(codec) for c in letters) / len(letters)
        if frequent >= SURELY_FREQUENT or (frequent >= MIN_FREQUENT and usual >= MIN_USUAL):
            found.append((frequent + usual, codec))
    return max(found)[1] if found else None


@cache
def _frequent(codec: str) -> frozenset[str]:
    return frozenset(_FREQUENT[codec])


@cache
def _usual(codec: str) -> frozenset[str]:
    charset, first, last = _USUAL_LEADS[codec]
    trails = range(0x40 if charset == "big5" else 0xA1, 0xFF)
    rows = (bytes([lead, trail]) for lead in range(first, last + 1) for trail in trails)
    return frozenset("".join(row.decode(charset, "ignore") for row in rows)) | _frequent(codec) | {"々", "ー"}


def _single_byte(sample: bytes) -> str | None:
    from builder.io.charset_letters import scores

    words = b" ".join(_WORD.findall(sample))[:_WORDS_BYTES]
    if not words:
        return None
    worth, codec = scores(words)[0]
    return codec if worth > MIN_WORTH else None
