"""Count what is in each unit of a text: words, sentences, capitals, amounts, words of the title."""

from __future__ import annotations

from typing import Any

import numpy as np

from builder.kernels.html.letters import (
    AT_SIGN,
    CAPITAL,
    CATEGORIES,
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
    category,
    decode_point,
    ends_sentence,
)
from builder.kernels.html.vocabulary import BASIS, PRIME
from builder.kernels.jit import kernel
from builder.kernels.plain.layout import (
    H_FRONT,
    H_WORDS,
    U_END,
    U_START,
    UNIT_AMOUNTS,
    UNIT_ATS,
    UNIT_BEST,
    UNIT_CAPITAL_WORDS,
    UNIT_CAPITALS,
    UNIT_CELLS,
    UNIT_CHARS,
    UNIT_CODE,
    UNIT_COLONS,
    UNIT_COMMAS,
    UNIT_COPYRIGHTS,
    UNIT_DIGITS,
    UNIT_FIRST,
    UNIT_HIGH,
    UNIT_IDEOGRAPHS,
    UNIT_LAST,
    UNIT_OTHERS,
    UNIT_SEPARATORS,
    UNIT_SIGNS,
    UNIT_STOPS,
    UNIT_TITLE,
    UNIT_VALUE,
    UNIT_WORDS,
    UNIT_WORST,
    VOCABULARY_BITS,
)

_NOTHING = 15
_ZERO, _BRACKET, _BAR, _UNDERSCORE, _SPACE, _TAB = 0x30, 0x28, 0x7C, 0x5F, 0x20, 0x09
_CODE_SIGNS = np.zeros(128, np.bool_)
_CODE_SIGNS[list(b"{}()[]<>=;+*\\$#&_`~^%")] = True
_PROGRAM_SIGNS = np.zeros(128, np.bool_)
_PROGRAM_SIGNS[list(b"{}=;\\")] = True
_NO_AMOUNT, _NUMBER, _CURRENCY, _COUNTED = range(4)


@kernel
def is_currency(point: Any) -> Any:
    """Return whether a code point is a sign of a currency."""
    if point < 0x80:
        return point == 0x24
    return (
        0xA2 <= point <= 0xA5
        or 0x20A0 <= point <= 0x20CF
        or point in (0x5143, 0x5186, 0xFDFC, 0xFF04, 0xFFE0, 0xFFE1, 0xFFE5, 0xFFE6)
    )


@kernel
def add_character(value: Any, data: Any, at: Any, length: Any) -> Any:
    """Add one character to the hash of a word; capitals of ASCII count as small letters, digits as zero."""
    for i in range(length):
        byte = data[at + i]
        if 0x41 <= byte <= 0x5A:
            byte = byte | 0x20
        elif 0x31 <= byte <= 0x39:
            byte = np.uint8(_ZERO)
        value = (value ^ np.uint64(byte)) * np.uint64(PRIME)
    return value


@kernel
def bucket_of(value: Any) -> Any:
    """Return the place of a word's hash in the vocabulary."""
    return np.int64((value ^ (value >> np.uint64(31))) >> np.uint64(8)) & ((1 << VOCABULARY_BITS) - 1)


@kernel
def hash_title(data: Any, start: Any, end: Any, words: Any) -> Any:
    """Write the hashes of a title's words, and return their number."""
    n_words = 0
    value = np.uint64(BASIS)
    inside = False
    at = start
    while at < end and n_words < len(words):
        point, length = decode_point(data, at, end)
        kind = category(point)
        if kind in (LETTER, CAPITAL, DIGIT):
            value = add_character(value, data, at, length)
            inside = True
        elif inside:
            words[n_words] = value
            n_words += 1
            value = np.uint64(BASIS)
            inside = False
        at += length
    if inside and n_words < len(words):
        words[n_words] = value
        n_words += 1
    return n_words


@kernel
def hash_of_words(data: Any, at: Any, end: Any) -> Any:
    """Return the hash that ``measure_units`` gives to a unit with the same words."""
    text = np.uint64(BASIS)
    value = np.uint64(BASIS)
    inside = False
    while at < end:
        point, length = decode_point(data, at, end)
        kind = category(point)
        if kind in (LETTER, CAPITAL, DIGIT):
            value = add_character(value if inside else np.uint64(BASIS), data, at, length)
            inside = True
        else:
            if inside:
                text = (text ^ value) * np.uint64(PRIME)
            inside = False
            if kind == IDEOGRAPH:
                text = add_character(text, data, at, length)
        at += length
    return (text ^ value) * np.uint64(PRIME) if inside else text


@kernel
def measure_units(data: Any, n: Any, title: Any, n_title: Any, vocabulary: Any, memory: Any) -> None:
    """Fill in the statistics and hashes of all units.

    Args:
        data: uint8[n_bytes], UTF-8.
        n: number of units.
        title: uint64[MAX_TITLE_HASHES], hashes of the title's words.
        n_title: how many of them there are.
        vocabulary: int8[1 << VOCABULARY_BITS], what a word says about its unit.
        memory: ``Units``; ``units`` is read, ``counts`` and ``hashes`` are overwritten.
    """
    screen = np.uint64(0)
    for i in range(n_title):
        screen |= np.uint64(1) << (title[i] & np.uint64(63))
    for i in range(n):
        memory.counts[i, :] = 0
        _measure(
            data,
            memory.units[i, U_START],
            memory.units[i, U_END],
            title,
            n_title,
            screen,
            vocabulary,
            memory.counts[i],
            memory.hashes[i],
        )


@kernel
def _measure(
    data: Any,
    at: Any,
    end: Any,
    title: Any,
    n_title: Any,
    screen: Any,
    vocabulary: Any,
    row: Any,
    hashes: Any,
) -> None:
    text = np.uint64(BASIS)
    front = np.uint64(0)
    amount = _NO_AMOUNT
    first: Any = _NOTHING
    last: Any = _NOTHING
    before = np.int64(0)
    start = at
    row[UNIT_CHARS] = end - at
    while at < end:
        byte = data[at]
        kind = np.int64(CATEGORIES[byte])
        length = 1
        point = np.int64(byte)
        if byte >= 0x80:
            point, length = decode_point(data, at, end)
            kind = category(point)
        if LETTER <= kind <= DIGIT:
            first = kind if first == _NOTHING else first
            row[UNIT_WORDS] += 1
            row[UNIT_CAPITAL_WORDS] += kind == CAPITAL
            at, value, amount, last, before = _read_word(data, at, end, amount, row)
            _weigh(value, vocabulary, row)
            row[UNIT_TITLE] += _is_in_title(value, title, n_title, screen)
            text = (text ^ value) * np.uint64(PRIME)
            continue
        if byte != _SPACE:
            row[UNIT_CHARS] -= length - 1
            _count_sign(byte, LETTER <= last <= DIGIT, row)
            amount = _next_amount(amount, point, kind, row)
            if kind == IDEOGRAPH:
                text = add_character(text, data, at, length)
                _weigh(hash_of_pair(before, point), vocabulary, row)
            kind = _count(data, at + length, end, kind, byte, row)
            if kind in (SEPARATING, OTHER_SIGN) and front == 0 and last == WHITE and at > start:
                front = text
            first = kind if kind != WHITE and first == _NOTHING else first
        last = kind
        before = point
        at += length
    row[UNIT_FIRST] = first
    row[UNIT_LAST] = _ending(data, end, row, last)
    row[UNIT_WORDS] += (row[UNIT_IDEOGRAPHS] + 1) >> 1
    hashes[H_WORDS] = text
    hashes[H_FRONT] = front


@kernel
def _read_word(data: Any, at: Any, end: Any, amount: Any, row: Any) -> Any:
    """Return the end of a word, its hash, the state of an amount, and its last kind and character.

    Letters of ASCII are most of all text, so they take a short way.
    """
    value = np.uint64(BASIS)
    last = np.int64(LETTER)
    before = np.int64(0)
    while at < end:
        byte = data[at]
        if byte < 0x80:
            kind = np.int64(CATEGORIES[byte])
            if kind == LETTER:
                value = (value ^ np.uint64(byte)) * np.uint64(PRIME)
                if byte == _UNDERSCORE:
                    row[UNIT_SIGNS] += 1
                amount = _NO_AMOUNT
            elif kind == CAPITAL:
                value = (value ^ np.uint64(byte | 0x20)) * np.uint64(PRIME)
                row[UNIT_CAPITALS] += 1
                amount = _NO_AMOUNT
            elif kind == DIGIT:
                value = (value ^ np.uint64(_ZERO)) * np.uint64(PRIME)
                row[UNIT_DIGITS] += 1
                amount = _next_amount(amount, np.int64(byte), kind, row)
            else:
                break
            last = kind
            before = np.int64(byte)
            at += 1
            continue
        point, length = decode_point(data, at, end)
        kind = category(point)
        if not LETTER <= kind <= DIGIT:
            break
        value = add_character(value, data, at, length)
        row[UNIT_HIGH] += 1
        row[UNIT_CHARS] -= length - 1
        row[UNIT_CAPITALS] += kind == CAPITAL
        row[UNIT_DIGITS] += kind == DIGIT
        amount = _next_amount(amount, point, kind, row)
        last = kind
        before = point
        at += length
    return at, value, amount, last, before


@kernel
def _count_sign(byte: Any, in_word: Any, row: Any) -> None:
    """Count a sign that programs or tables have."""
    if byte >= 0x80:
        row[UNIT_HIGH] += 1
        return
    row[UNIT_SIGNS] += _CODE_SIGNS[byte]
    row[UNIT_CODE] += _PROGRAM_SIGNS[byte] or (byte == _BRACKET and in_word)
    row[UNIT_CELLS] += byte in (_TAB, _BAR)


@kernel
def _ending(data: Any, end: Any, row: Any, last: Any) -> Any:
    """Return the category of the last character; a stop before closing signs counts as the last."""
    if last != CLOSING:
        return last
    at = end - 1
    for _ in range(8):
        while at > 0 and data[at] & 0xC0 == 0x80:
            at -= 1
        if at < 0:
            break
        point, _length = decode_point(data, at, end)
        kind = category(point)
        if kind != CLOSING:
            return np.int64(STOP) if kind == STOP and row[UNIT_STOPS] > 0 else np.int64(CLOSING)
        at -= 1
    return np.int64(CLOSING)


@kernel
def hash_of_pair(before: Any, point: Any) -> Any:
    """Return a hash of two neighbouring characters of a script without spaces."""
    value = (np.uint64(BASIS) ^ np.uint64(before)) * np.uint64(PRIME)
    return (value ^ np.uint64(point)) * np.uint64(PRIME)


@kernel
def _is_in_title(value: Any, title: Any, n_title: Any, screen: Any) -> Any:
    """Return 1 for a word of the title; most other words fail at one bit of the screen."""
    if (screen >> (value & np.uint64(63))) & np.uint64(1) == np.uint64(0):
        return 0
    for i in range(n_title):
        if title[i] == value:
            return 1
    return 0


@kernel
def _weigh(value: Any, vocabulary: Any, row: Any) -> None:
    weight = np.int64(vocabulary[bucket_of(value)])
    row[UNIT_VALUE] += weight
    row[UNIT_BEST] = max(np.int64(row[UNIT_BEST]), weight)
    row[UNIT_WORST] = min(np.int64(row[UNIT_WORST]), weight)


@kernel
def _next_amount(amount: Any, point: Any, kind: Any, row: Any) -> Any:
    """Return what has been seen of an amount: a number and a sign of a currency, in any order."""
    if kind == DIGIT:
        if amount == _CURRENCY:
            row[UNIT_AMOUNTS] += 1
            return _COUNTED
        return _COUNTED if amount == _COUNTED else _NUMBER
    if is_currency(point):
        if amount == _NUMBER:
            row[UNIT_AMOUNTS] += 1
            return _NO_AMOUNT
        return _CURRENCY
    if point in (0x20, 0x2C, 0x2E, 0xA0, 0x202F):
        return amount
    return _NO_AMOUNT


@kernel
def _count(data: Any, behind: Any, end: Any, kind: Any, byte: Any, row: Any) -> Any:
    """Count a character that is not part of a word, and return its category in this place."""
    if kind == STOP and byte < 0x80 and not ends_sentence(data, behind, end):
        kind = np.int64(OTHER_SIGN)
    if kind == STOP:
        row[UNIT_STOPS] += 1
    elif kind == COMMA:
        row[UNIT_COMMAS] += 1
    elif kind == SEPARATING:
        row[UNIT_SEPARATORS] += 1
    elif kind == COPYRIGHT:
        row[UNIT_COPYRIGHTS] += 1
    elif kind == AT_SIGN:
        row[UNIT_ATS] += 1
    elif kind == OTHER_SIGN:
        row[UNIT_OTHERS] += 1
    elif kind == COLON:
        row[UNIT_COLONS] += 1
    elif kind == IDEOGRAPH:
        row[UNIT_IDEOGRAPHS] += 1
    return kind
