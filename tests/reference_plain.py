"""The slow twin of the kernels in ``builder/kernels/plain``: units and features, in plain Python.

It works on characters and lists, and is written from the rules in the docs of the kernels.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from builder.kernels.html import letters
from builder.kernels.html.letters import (
    AT_SIGN,
    CAPITAL,
    CLOSING,
    COLON,
    COMMA,
    COPYRIGHT,
    DIGIT,
    IDEOGRAPH,
    LETTER,
    OTHER_SIGN,
    SEPARATING,
    STOP,
    WHITE,
)
from builder.kernels.html.vocabulary import BASIS, PRIME
from builder.kernels.plain.cutting import MIN_FLAT_BYTES
from builder.kernels.plain.features import NEAR_UNITS, RADII
from builder.kernels.plain.layout import MAX_TITLE_HASHES, VOCABULARY_BITS

_ALL = (1 << 64) - 1
_IN_WORD = (LETTER, CAPITAL, DIGIT)
_BLANKS = " \t\r\f"


def kind_of(char: str) -> int:
    """Return the category of a character."""
    point = ord(char)
    if point < 0x10000:
        return int(letters.CATEGORIES[point])
    return IDEOGRAPH if 0x20000 <= point < 0x40000 else LETTER


@dataclass(kw_only=True)
class Unit:
    """A unit of a text and what is counted in it."""

    text: str
    start: int
    blank: int
    indent: int
    counts: Counter[str] = field(default_factory=Counter)
    words: int = 0
    first: int = 15
    last: int = 15
    hash: int = BASIS
    front: int = 0
    copies: int = 0


def _size(text: str) -> int:
    return len(text.encode())


def is_flat(text: str) -> bool:
    """Return whether one line has three quarters of the bytes."""
    longest = max(_size(line) for line in text.split("\n"))
    return longest >= MIN_FLAT_BYTES and 4 * longest >= 3 * _size(text)


def cut(text: str) -> list[Unit]:
    """Cut a text into lines, or long lines into sentences."""
    flat = is_flat(text)
    units: list[Unit] = []
    blank = at = 0
    for line in text.split("\n"):
        inner = line.strip(_BLANKS)
        indent = len(line) - len(line.lstrip(_BLANKS))
        if not inner:
            blank += 1
        elif flat and _size(inner) >= MIN_FLAT_BYTES:
            for part, place in _sentences(inner):
                units.append(Unit(text=part, start=at + indent + place, blank=blank, indent=0))
                blank = 0
        else:
            units.append(Unit(text=inner, start=at + indent, blank=blank, indent=indent))
        blank = 0 if inner else blank
        at += _size(line) + 1
    return units


def _sentences(line: str) -> list[tuple[str, int]]:
    """Return the sentences of a line with the byte at which each begins."""
    cuts, capitals, n_words = [], [], 0
    inside = stopped = False
    before = WHITE
    i = 0
    while i < len(line):
        kind = kind_of(line[i])
        width = 1
        if kind == WHITE:
            if stopped:
                cuts.append(i)
                capitals, n_words = [], 0
            stopped = inside = False
        elif kind in _IN_WORD:
            if not inside and before == WHITE:
                if kind == CAPITAL and _is_change(line[i:], capitals, n_words):
                    cuts.append(i)
                    capitals, n_words = [], 0
                capitals = [*capitals, kind == CAPITAL][-6:]
                n_words += 1
            inside, stopped = True, False
        elif kind == STOP:
            stopped = True
            if ord(line[i]) >= 0x3000:
                while i + width < len(line) and kind_of(line[i + width]) == CLOSING:
                    width += 1
                cuts.append(i + width)
                stopped = False
        elif kind != CLOSING:
            stopped = False
        before = kind
        i += width
    found = []
    for start, end in zip([0, *cuts], [*cuts, len(line)], strict=True):
        part = line[start:end]
        if part.strip(_BLANKS):
            lead = len(part) - len(part.lstrip(_BLANKS))
            found.append((part.strip(_BLANKS), _size(line[: start + lead])))
    return found


def _is_change(rest: str, capitals: list[bool], n_words: int) -> bool:
    if n_words < 6 or sum(capitals) < 4:
        return False
    starts, size, before = [], 0, WHITE
    for char in rest:
        if size >= 120 or len(starts) == 6:
            break
        kind = kind_of(char)
        if before == WHITE and kind in _IN_WORD:
            starts.append(kind == CAPITAL)
        before = kind
        size += _size(char)
    return len(starts) == 6 and sum(starts) <= 2


def _hash(value: int, text: str) -> int:
    for byte in text.encode():
        if 0x41 <= byte <= 0x5A:
            byte |= 0x20
        elif 0x31 <= byte <= 0x39:
            byte = 0x30
        value = (value ^ byte) * PRIME & _ALL
    return value


def _weight(value: int, vocabulary: list[int]) -> int:
    return vocabulary[((value ^ (value >> 31)) >> 8) & ((1 << VOCABULARY_BITS) - 1)]


def title_words(text: str) -> list[int]:
    """Return the hashes of the first words of a title."""
    words, word = [], ""
    for char in text + " ":
        if kind_of(char) in _IN_WORD:
            word += char
        elif word:
            words.append(_hash(BASIS, word))
            word = ""
    return words[:MAX_TITLE_HASHES]


def _is_currency(char: str) -> bool:
    return char in "$¢£¤¥元円﷼＄￠￡￥￦" or 0x20A0 <= ord(char) <= 0x20CF


def _n_amounts(text: str) -> int:
    found, seen = 0, ""
    for char in text:
        if kind_of(char) == DIGIT:
            found += seen == "currency"
            seen = "counted" if seen in ("currency", "counted") else "number"
        elif _is_currency(char):
            found += seen == "number"
            seen = "" if seen == "number" else "currency"
        elif char not in " ,.\xa0\u202f":
            seen = ""
    return found


def measure(unit: Unit, title: list[int], vocabulary: list[int]) -> None:
    """Count what is in a unit."""
    text, counts = unit.text, unit.counts
    word, before, last = "", "\0", 15

    def weigh(value: int) -> None:
        weight = _weight(value, vocabulary)
        counts["value"] += weight
        counts["best"] = max(counts["best"], weight)
        counts["worst"] = min(counts["worst"], weight)

    def end_word() -> None:
        value = _hash(BASIS, word)
        weigh(value)
        counts["title"] += value in title
        unit.hash = (unit.hash ^ value) * PRIME & _ALL

    for i, char in enumerate(text):
        kind = kind_of(char)
        counts["signs"] += char in "{}()[]<>=;+*\\$#&_`~^%"
        counts["cells"] += char in "\t|"
        counts["code"] += char in "{}=;\\" or (char == "(" and word != "")
        counts["high"] += char >= "\x80"
        if kind in _IN_WORD:
            counts["words"] += not word
            counts["capital_words"] += not word and kind == CAPITAL
            counts["capitals"] += kind == CAPITAL
            counts["digits"] += kind == DIGIT
            word += char
        else:
            if word:
                end_word()
            word = ""
            if kind == IDEOGRAPH:
                counts["ideographs"] += 1
                unit.hash = _hash(unit.hash, char)
                pair = (BASIS ^ ord(before)) * PRIME & _ALL
                weigh((pair ^ ord(char)) * PRIME & _ALL)
            follows = text[i + 1 : i + 2]
            if kind == STOP and char < "\x80" and "" < follows < "\x80":
                kind = kind if kind_of(follows) in (WHITE, CLOSING) else OTHER_SIGN
            counts[str(kind)] += 1
            if kind in (SEPARATING, OTHER_SIGN) and not unit.front and last == WHITE and i:
                unit.front = unit.hash
        before = char
        if kind != WHITE and unit.first == 15:
            unit.first = kind
        last = kind
    if word:
        end_word()
    unit.last = last
    if last == CLOSING:
        for char in reversed(text[-8:]):
            if kind_of(char) != CLOSING:
                unit.last = STOP if kind_of(char) == STOP and counts[str(STOP)] else CLOSING
                break
    counts["amounts"] = _n_amounts(text)
    unit.words = counts["words"] + (counts["ideographs"] + 1) // 2


def _log(number: int) -> int:
    if number < 16:
        return number
    exponent = number.bit_length() - 1
    return min((exponent - 2) * 8 + (number >> (exponent - 3)) % 8, 255)


def _signed(number: int) -> int:
    code = _log(abs(number))
    half = code if code < 16 else min(16 + (code - 16) // 2, 127)
    return 128 + (half if number >= 0 else -half)


def _share(part: int, whole: int) -> int:
    return 0 if whole <= 0 else min(part * 200 // whole, 200)


def _mean(value: int, words: int) -> int:
    return 128 if words <= 0 else 128 + max(min(value // words, 127), -127)


def _wide(unit: Unit) -> int:
    return len(unit.text) + 2 * unit.counts["ideographs"]


def _good(unit: Unit) -> int:
    has_sign = unit.counts[str(STOP)] or unit.counts[str(COMMA)]
    return _wide(unit) if _wide(unit) >= 80 and has_sign else 0


def _own(unit: Unit) -> dict[str, int]:
    counts, chars = unit.counts, len(unit.text)
    return {
        "chars": _log(_wide(unit)),
        "words": min(unit.words, 255),
        "chars_per_word": min(chars * 8 // max(unit.words, 1), 255),
        "capitals": _share(counts["capitals"], chars),
        "digits": _share(counts["digits"], chars),
        "commas": min(counts[str(COMMA)], 255),
        "stops": min(counts[str(STOP)], 255),
        "others": _share(counts[str(OTHER_SIGN)], chars),
        "capital_words": _share(counts["capital_words"], unit.words),
        "last": unit.last,
        "first": unit.first,
        "high": _share(counts["high"], chars),
        "separators": min(counts[str(SEPARATING)], 255),
        "copyrights": min(counts[str(COPYRIGHT)], 255),
        "ats": min(counts[str(AT_SIGN)], 255),
        "title": _share(counts["title"], unit.words),
        "ideographs": _share(counts["ideographs"], chars),
        "amounts": min(counts["amounts"], 255),
        "signs": _share(counts["signs"], chars),
        "cells": min(counts["cells"], 255),
        "value": _mean(counts["value"], unit.words),
        "best": 128 + counts["best"],
        "worst": 128 + counts["worst"],
        "blank": min(unit.blank, 255),
        "indent": min(unit.indent, 255),
        "colons": min(counts[str(COLON)], 255),
    }


def describe(text: str, title: str, vocabulary: list[int]) -> tuple[list[Unit], list[dict[str, int]]]:
    """Return the units of a text and the features of each."""
    units = cut(text)
    words = title_words(title or (units[0].text if units else ""))
    for unit in units:
        measure(unit, words, vocabulary)
    copies = Counter(unit.hash for unit in units)
    for unit in units:
        unit.copies = copies[unit.hash]
    own = [_own(unit) for unit in units]
    flat = is_flat(text)
    return units, [_features(i, units, own, flat=flat) for i in range(len(units))]


def _total(units: list[Unit], what: str) -> int:
    return sum(unit.counts[what] for unit in units)


def _features(i: int, units: list[Unit], own: list[dict[str, int]], *, flat: bool) -> dict[str, int]:
    n, good = len(units), [k for k, unit in enumerate(units) if _good(unit)]
    chars, all_good = sum(map(_wide, units)), sum(map(_good, units))
    n_words = sum(unit.words for unit in units)
    row = dict(own[i])
    row |= {
        "place": _share(i, n),
        "chars_before": _share(sum(map(_wide, units[:i])), chars),
        "n_units": _log(n),
        "n_chars": _log(chars),
        "good_share": _share(all_good, chars),
        "copies": min(units[i].copies, 255),
        "after_good": min([255, *(i - k for k in good if k < i)]),
        "before_good": min([255, *(k - i for k in good if k > i)]),
        "from_first_good": _signed(i - good[0]) if good else 0,
        "to_last_good": _signed(good[-1] - i) if good else 0,
        "good_before": _share(sum(map(_good, units[:i])), all_good),
        "page_value": _mean(_total(units, "value"), n_words),
        "flat": int(flat),
    }
    for step in NEAR_UNITS:
        for name in ("chars", "last", "stops", "capital_words", "value", "blank", "first"):
            row[f"{name}{step:+d}"] = own[i + step][name] if 0 <= i + step < n else 255
    for radius in RADII:
        low, high = max(i - radius, 0), min(i + radius + 1, n)
        some = units[low:high]
        size, words = sum(map(_wide, some)), sum(unit.words for unit in some)
        after, before = units[i:high], units[low:i]
        row |= {
            f"mean_chars~{radius}": _log(size // len(some)),
            f"good~{radius}": _share(sum(map(_good, some)), size),
            f"stops~{radius}": _share(2 * _total(some, str(STOP)), words),
            f"capital_words~{radius}": _share(_total(some, "capital_words"), words),
            f"copies~{radius}": _share(sum(unit.copies > 1 for unit in some), len(some)),
            f"value~{radius}": _mean(_total(some, "value"), words),
            f"amounts~{radius}": min(_total(some, "amounts"), 255),
            f"good_after~{radius}": _share(sum(map(_good, after)), sum(map(_wide, after))),
            f"good_before~{radius}": _share(sum(map(_good, before)), sum(map(_wide, before))),
        }
    return row


def word_hash(word: str) -> int:
    """Return the hash of one word."""
    return _hash(BASIS, word)
