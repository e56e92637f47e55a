"""Score how well each single-byte charset decodes bytes to words of a language.

The score uses the letters of each language in the order of their frequency, and rules on neighbouring
letters: words do not mix scripts, capitals do not follow small letters, symbols are not between letters, and
in Latin script two accented letters in a row are rare. It needs no training text.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from builder.io.charset.labels import byte_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

LATIN = {
    "da no": "øåæéöüó",
    "de": "üäöß",
    "fr": "éèàêçôâîûùïœëÿæ",
    "es": "óíáéñúü¿¡ºª",
    "pt": "ãçáéóíêõâúàôüºª",
    "it": "èàùòìéîº",
    "ca": "àéóèíòúïçü",
    "sv fi": "äöåé",
    "is fo": "íáðéöúýóþæø",
    "nl": "ëéïèüöóê",
    "ga gd": "áéíóúàèìòù",
    "cs": "íáéěřýžčšůúťňóďöü",
    "sk": "áíéčžýúťšľôňďóäŕĺ",
    "pl": "ęąłóśżćńź",
    "hu": "áéöóőüíúű",
    "ro": "ăîâşţșț",
    "hr sl": "čšžćđ",
    "sq": "ëç",
    "tr": "ıüşğçöİâîû",
    "az": "əıüşğçöİ",
    "lt": "ėųšįžūąčę",
    "lv": "āīēšņūļžķģč",
    "et": "äõöüšž",
    "mt": "ħżġċàèìòù",
    "eo": "ĉĝŭŝĵĥ",
    "cy": "âŵêîôûŷ",
    "vi": "đươăâêôàáãèéìíòóùúý\u0300\u0301\u0303\u0309\u0323",
}
OTHER = {
    "ru": "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё",
    "uk": "оанивітеркслдупмяьзгбйчхцїєжюшщфґ",
    "be": "аніоертслкдвмупязыьбгйчцўжшхфюэё",
    "bg": "аоиетнрсвлкдпмзябугчъцйшжхфщюь",
    "sr mk": "аоиеунтсрјвдмклпзгбчшцхжњљћђфџќѓѕ",
    "el": "αοιετνσρπκςμυληάίόγέήδώωχθύφβξζψϊϋΐΰ",
    "he": "יוהלאתרשבמנםכדעקפחסגטןזצךץף",
    "ar": "اليمنرتبوهدعسفكقحجأةشصطخضىذثزإءغئظؤآ",
    "fa ur": "اینردمهوتبسشکزلگفخعحجقپصطچضغذظثژئآ",
    "th": "านรอกเง่ม้ยลวัดทสิีตะปบคุหูแจ็พ์ืชขใไโผซถณธฐศษ",
}
"""The frequent letters of each language, the most frequent first; for Latin script, none of ASCII."""

CODECS = (
    ("cp1252", LATIN, "da no|de|fr|es|pt|it|ca|sv fi|is fo|nl|ga gd|sq|et"),
    ("cp1251", OTHER, "ru|uk|be|bg|sr mk"),
    ("cp1250", LATIN, "cs|sk|pl|hu|ro|hr sl|de|sq"),
    ("iso8859-2", LATIN, "cs|sk|pl|hu|ro|hr sl|de|sq"),
    ("cp1256", OTHER, "ar|fa ur"),
    ("cp1254", LATIN, "tr|de|fr"),
    ("cp1255", OTHER, "he"),
    ("cp1253", OTHER, "el"),
    ("iso8859-7", OTHER, "el"),
    ("koi8-r", OTHER, "ru|bg"),
    ("cp874", OTHER, "th"),
    ("cp1257", LATIN, "lt|lv|et|pl"),
    ("iso8859-15", LATIN, "fr|sv fi|et"),
    ("koi8-u", OTHER, "ru|uk"),
    ("iso8859-5", OTHER, "ru|uk|be|bg|sr mk"),
    ("iso8859-6", OTHER, "ar"),
    ("cp866", OTHER, "ru|be|bg"),
    ("cp1258", LATIN, "vi|fr"),
    ("mac-cyrillic", OTHER, "ru|uk|be|bg|sr mk"),
    ("mac-roman", LATIN, "da no|de|fr|es|pt|it|ca|sv fi|nl"),
    ("iso8859-13", LATIN, "lt|lv|et|pl"),
    ("iso8859-4", LATIN, "lt|lv|et"),
    ("iso8859-3", LATIN, "mt|eo"),
    ("iso8859-16", LATIN, "ro|hr sl|hu"),
    ("cp855", OTHER, "ru|bg|sr mk"),
    ("cp852", LATIN, "cs|sk|pl|hu|ro|hr sl"),
    ("cp850", LATIN, "da no|de|fr|es|pt|it|ca|sv fi"),
)
"""Codecs and their languages, the most used first. Of two codecs with equal scores the first is chosen."""

_SYMBOL, _ASCII_LETTER, _LOWER, _UPPER, _CASELESS, _SPACE, _CONTROL, _MARK, _DIGIT = range(9)
_OPENING = "\u201c\u201e\u2018\u201a\xab\u2039\xbf\xa1"
_CLOSING = "\u201d\xbb\u203a\u2026"
_COMMON_MARKS = "\xa3\u20ac\xa9\xae\xb0\xa7\u2116"


def scores(words: bytes) -> list[tuple[float, str]]:
    """Score each codec on bytes that have at least one beyond ASCII; return the best first.

    A score is a mean over the bytes beyond ASCII: the maximum is 1, and below 0 the bytes are not text. The
    fewer such bytes, the more the position in ``CODECS`` counts.
    """
    data = np.frombuffer(words, dtype=np.uint8)
    place_cost = 0.5 / (50 + int((data >= 0x80).sum()))
    found = []
    for place, (codec, letters, languages) in enumerate(CODECS):
        keys = languages.split("|")
        score = max(_fit(data, codec, letters[key], is_latin=letters is LATIN) for key in keys)
        found.append((score - place_cost * place, codec))
    return sorted(found, reverse=True)


def _fit(data: NDArray[np.uint8], codec: str, letters: str, *, is_latin: bool) -> float:
    high = data >= 0x80
    total = float(_weights(codec, letters, is_latin=is_latin)[data[high]].sum())
    total -= float(_pair_costs(codec, is_latin=is_latin)[data[:-1], data[1:]].sum())
    return total / max(int(high.sum()), 1)


@cache
def _pair_costs(codec: str, *, is_latin: bool) -> NDArray[np.float64]:
    """Return float64[256, 256], the cost of one byte (row) followed by another (column)."""
    table = byte_table(codec) or ""
    kind, high = _classes(codec), np.arange(256) >= 0x80
    letter = (kind >= _ASCII_LETTER) & (kind <= _CASELESS)
    latin = np.array([char.isalpha() and "LATIN" in unicodedata.name(char, "") for char in table])
    small = np.array([char.islower() for char in table])
    opening, closing = (np.array([char in marks for char in table]) for marks in (_OPENING, _CLOSING))
    symbol = (kind == _SYMBOL) & high
    both = np.logical_and.outer
    costs: NDArray[np.float64] = 2.0 * (
        both(letter & latin, letter & ~latin) | both(letter & ~latin, letter & latin)
    )
    costs += 1.5 * both(letter & small, kind == _UPPER)
    costs += 0.75 * (both(symbol, letter) | both(letter, symbol))
    costs += 1.0 * (both(letter, opening) | both(closing, letter))
    costs += 0.5 * (both(letter & high, kind == _DIGIT) | both(kind == _DIGIT, letter & high))
    if is_latin:
        costs += 0.5 * both(letter & high, letter & high)
        costs += 0.8 * both((kind == _UPPER) & high, (kind == _SPACE) | (kind == _DIGIT))
    return costs


@cache
def _weights(codec: str, letters: str, *, is_latin: bool) -> NDArray[np.float64]:
    """Return float64[256], the weight of each byte in a language."""
    table = byte_table(codec) or ""
    classes = _classes(codec)
    rank = {letter: place / len(letters) for place, letter in enumerate(letters)}
    weights = np.zeros(256)
    for byte in range(0x80, 0x100):
        char = table[byte]
        place = rank.get(char, rank.get(char.lower()))
        if place is not None:
            weights[byte] = 1.0 - (0.2 if is_latin else 1.0) * place
        elif classes[byte] == _CONTROL:
            weights[byte] = -4.0
        elif classes[byte] in (_LOWER, _UPPER, _CASELESS):
            weights[byte] = -1.0
        elif classes[byte] in (_MARK, _SPACE):
            weights[byte] = 0.3
    return weights


@cache
def _classes(codec: str) -> NDArray[np.uint8]:
    return np.array([_class(char) for char in byte_table(codec) or ""], dtype=np.uint8)


def _class(char: str) -> int:
    category = unicodedata.category(char)
    if char.isascii() and char.isalpha():
        return _UPPER if char.isupper() else _ASCII_LETTER
    if category in ("Lu", "Lt"):
        return _UPPER
    if category == "Ll":
        return _LOWER
    if category[0] in "LM" and char not in "ªº":
        return _CASELESS
    if category[0] == "Z" or char in "\t\r\n":
        return _SPACE
    if category[0] == "C" and char not in "\xad\u200c\u200d\u200e\u200f":
        return _CONTROL
    if char in "0123456789":
        return _DIGIT
    if category[0] == "P" or char.isascii() or char in _COMMON_MARKS:
        return _MARK
    return _SYMBOL
