"""Count what is in the text of each block: words, sentences, capitals, and words of the page's title."""

from __future__ import annotations

from typing import Any

import numpy as np

from builder.kernels.html.layout import B_END, B_LINKED, B_START, BLOCKS, TITLE_END, TITLE_START
from builder.kernels.html.letters import (
    AT_SIGN,
    CAPITAL,
    CATEGORIES,
    CLOSING,
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
from builder.kernels.html.numbers import share
from builder.kernels.html.vocabulary import BASIS, PRIME
from builder.kernels.jit import kernel

(
    S_CHARS,
    S_WORDS,
    S_LINKED,
    S_CAPITALS,
    S_DIGITS,
    S_COMMAS,
    S_STOPS,
    S_OTHERS,
    S_CAPITAL_WORDS,
    S_LAST,
    S_FIRST,
    S_HIGH,
    S_SEPARATORS,
    S_COPYRIGHTS,
    S_ATS,
    S_TITLE_WORDS,
    S_IDEOGRAPHS,
    N_STATISTICS,
) = range(18)

MAX_TITLE_WORDS = 48
_NOTHING = 15  # S_FIRST and S_LAST of a block with nothing to see


@kernel
def title_words(data: Any, page: Any, words: Any) -> Any:
    """Write the hashes of the title's words, and return their number."""
    at = page.state[TITLE_START]
    end = page.state[TITLE_END]
    n_words = 0
    value = np.uint64(BASIS)
    inside = False
    while at < end and n_words < len(words):
        point, length = decode_point(data, at, end)
        kind = category(point)
        if kind in (LETTER, CAPITAL, DIGIT):
            value = _add(value, data, at, length)
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
def _add(value: Any, data: Any, at: Any, length: Any) -> Any:
    """Add the bytes of one character to a hash; capitals of ASCII count as small letters."""
    for i in range(length):
        byte = data[at + i]
        lower = byte | 0x20 if 0x41 <= byte <= 0x5A else byte
        value = (value ^ np.uint64(lower)) * np.uint64(PRIME)
    return value


@kernel
def measure_blocks(page: Any, words: Any, n_words: Any, counts: Any, hashes: Any) -> None:
    """Fill in the statistics and a hash of the words of each block.

    Args:
        page: a page that was parsed.
        words: uint64[n], hashes of the title's words.
        n_words: how many of them there are.
        counts: int64[n_blocks, N_STATISTICS], overwritten.
        hashes: uint64[n_blocks], overwritten; blocks with the same words have the same one.
    """
    screen = np.uint64(0)
    for i in range(n_words):
        screen |= np.uint64(1) << (words[i] & np.uint64(63))
    for i in range(page.state[BLOCKS]):
        block = page.blocks[i]
        row = counts[i]
        row[:] = 0
        hashes[i] = _measure(page.out, block[B_START], block[B_END], words, n_words, screen, row)
        row[S_WORDS] += (row[S_IDEOGRAPHS] + 1) >> 1
        row[S_LINKED] = share(np.int64(block[B_LINKED]), np.int64(block[B_END] - block[B_START]))


@kernel
def _measure(out: Any, at: Any, end: Any, words: Any, n_words: Any, screen: Any, row: Any) -> Any:
    text = np.uint64(BASIS)
    value = np.uint64(BASIS)
    inside = False
    chars = 0
    first: Any = _NOTHING
    last: Any = _NOTHING
    while at < end:
        byte = out[at]
        length = 1
        if byte < 0x80:
            kind = np.int64(CATEGORIES[byte])
        else:
            point, length = decode_point(out, at, end)
            kind = category(point)
            row[S_HIGH] += 1
        chars += 1
        if kind in (LETTER, CAPITAL, DIGIT):
            if not inside:
                row[S_WORDS] += 1
                row[S_CAPITAL_WORDS] += kind == CAPITAL
                value = np.uint64(BASIS)
                inside = True
            value = _add(value, out, at, length)
            text = _add(text, out, at, length)
            row[S_CAPITALS] += kind == CAPITAL
            row[S_DIGITS] += kind == DIGIT
        else:
            if inside:
                inside = False
                row[S_TITLE_WORDS] += _is_in(value, words, n_words, screen)
            if kind == IDEOGRAPH:
                text = _add(text, out, at, length)
            kind = _count(out, at + length, end, kind, byte, row)
        if kind != WHITE:
            first = kind if first == _NOTHING else first
            last = last if kind == CLOSING else kind
        at += length
    if inside:
        row[S_TITLE_WORDS] += _is_in(value, words, n_words, screen)
    row[S_CHARS] = chars
    row[S_FIRST] = first
    row[S_LAST] = last
    return text


@kernel
def _count(out: Any, behind: Any, end: Any, kind: Any, byte: Any, row: Any) -> Any:
    """Count a character that is not part of a word, and return its category in this place."""
    if kind == STOP and byte < 0x80 and not ends_sentence(out, behind, end):
        kind = np.int64(OTHER_SIGN)
    if kind == STOP:
        row[S_STOPS] += 1
    elif kind == COMMA:
        row[S_COMMAS] += 1
    elif kind == IDEOGRAPH:
        row[S_IDEOGRAPHS] += 1
    elif kind == SEPARATING:
        row[S_SEPARATORS] += 1
    elif kind == COPYRIGHT:
        row[S_COPYRIGHTS] += 1
    elif kind == AT_SIGN:
        row[S_ATS] += 1
    elif kind == OTHER_SIGN:
        row[S_OTHERS] += 1
    return kind


@kernel
def _is_in(word: Any, words: Any, n_words: Any, screen: Any) -> Any:
    if (screen >> (word & np.uint64(63))) & np.uint64(1) == np.uint64(0):
        return 0
    for i in range(n_words):
        if words[i] == word:
            return 1
    return 0
