"""Guess the charset of bytes without a declaration, from the bytes alone.

The tests run in this order:

1. UTF-16 and UTF-32, by their zero bytes.
2. ISO-2022, by its escape sequences.
3. UTF-8, also with a few broken sequences or a truncated last one.
4. UTF-16, by the characters that it decodes to.
5. An East Asian charset, if the bytes are valid in it and decode to frequent characters of its language.
6. The single-byte charset whose letters fit a language best (``single_byte.py``).

Only ``SAMPLE_BYTES``, from the first byte beyond ASCII, are examined.
"""

from __future__ import annotations

import re
from functools import cache

from builder.io.charset.east_asian import FREQUENT, frequent
from builder.io.charset.utf16 import unmarked_utf, utf16_by_characters

SAMPLE_BYTES = 1 << 16
"""Bytes of a page that are examined."""

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
"""Most broken bytes for each valid sequence in bytes accepted as UTF-8; other charsets give over 3."""
SURE_GOOD, SURE_BROKEN = 5, 0.2
"""Fewest valid UTF-8 sequences, and most broken bytes for each, with which a declaration is ignored."""
MAX_INVALID = 0.01
"""Largest share of undefined characters with which a multi-byte charset is considered."""
MIN_SCORE = -0.5
"""Bytes with a score of ``single_byte.py`` at or below this value are not text."""
SURELY_FREQUENT = 0.3
MIN_FREQUENT = 0.1
MIN_USUAL = 0.9

_USUAL_LEADS = {
    "gb18030": ("gb2312", 0xB0, 0xD7),
    "big5hkscs": ("big5", 0xA4, 0xC6),
    "cp949": ("euc_kr", 0xB0, 0xC8),
    "euc_jp": ("euc_jp", 0xB0, 0xCF),
    "cp932": ("euc_jp", 0xB0, 0xCF),
}
"""The rows of each national standard that contain its everyday characters ("level 1")."""


def detect(data: bytes) -> str | None:
    """Return the codec that fits best, or None if the bytes are not text in any codec.

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
    return utf16_by_characters(data) or _multibyte(sample) or _single_byte(sample)


def _escaped(sample: bytes) -> str | None:
    return next((codec for pattern, codec in _ESCAPES if pattern.search(sample)), None)


def surely_utf8(data: bytes) -> bool:
    r"""Return whether invalid UTF-8 is so close to valid that another declared charset is ignored.

    >>> surely_utf8("größer, schöner, süßer".encode() + b"\xff"), surely_utf8("größer".encode("cp1252"))
    (True, False)
    """
    first = _HIGH.search(data)
    start = max(first.start() - 64, 0) if first else 0
    return _mostly_utf8(data[start : start + SAMPLE_BYTES], at_least=SURE_GOOD, max_broken=SURE_BROKEN)


def _mostly_utf8(sample: bytes, *, at_least: int = 1, max_broken: float = MAX_BROKEN) -> bool:
    n_good = len(_UTF8.findall(sample))
    n_broken = len(_HIGH.findall(_CUT.sub(b"", _UTF8.sub(b"", sample))))
    return n_good >= at_least and n_broken <= max_broken * n_good


def _multibyte(sample: bytes) -> str | None:
    """Return the East Asian codec whose decoded characters are the most frequent ones, or None."""
    found = []
    for codec in FREQUENT:
        chars = [c for c in sample.decode(codec, "replace") if c > "\x7f"]
        letters = [c for c in chars if c.isalpha()]
        if not letters or chars.count("\ufffd") > MAX_INVALID * len(chars) + 1:
            continue
        often = sum(c in frequent(codec) for c in letters) / len(letters)
        usual = sum(c in _usual(codec) for c in letters) / len(letters)
        if often >= SURELY_FREQUENT or (often >= MIN_FREQUENT and usual >= MIN_USUAL):
            found.append((often + usual, codec))
    return max(found)[1] if found else None


@cache
def _usual(codec: str) -> frozenset[str]:
    charset, first, last = _USUAL_LEADS[codec]
    trails = range(0x40 if charset == "big5" else 0xA1, 0xFF)
    rows = (bytes([lead, trail]) for lead in range(first, last + 1) for trail in trails)
    return frozenset("".join(row.decode(charset, "ignore") for row in rows)) | frequent(codec) | {"々", "ー"}


def _single_byte(sample: bytes) -> str | None:
    from builder.io.charset.single_byte import scores

    words = b" ".join(_WORD.findall(sample))[:_WORDS_BYTES]
    if not words:
        return None
    score, codec = scores(words)[0]
    return codec if score > MIN_SCORE else None
