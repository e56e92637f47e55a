"""Split text into words by the rule ``words-1``, straight from the bytes of an Arrow string column.

The rule:

1. Text breaks at the word boundaries of Unicode Standard Annex 29 (``Default Word Boundary Specification``),
   except that Katakana joins nothing. Characters of scripts without spaces (``ALONE_SCRIPTS``) join nothing
   either, so each of them, with its marks, is a piece of its own.
2. A piece is a word if it holds a letter or a number (general categories L and N).

A word is represented by a 64-bit hash of its code points in lower case (one to one, so ``ẞ`` stays one code
point). With ``plain``, Katakana joins Katakana, as the annex says, and words are
compared by case.

Text is read once; a look ahead over marks happens at most once for each character. Bytes that are not UTF-8,
which Arrow strings never hold, give arbitrary words.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from builder.kernels.bits import load8, mix, trailing_zeros
from builder.kernels.jit import kernel
from builder.kernels.quality.characters import (
    CLASS_BITS,
    CR,
    DOUBLE_QUOTE,
    EXTEND,
    EXTEND_NUM_LET,
    FORMAT,
    HEBREW,
    IS_ALONE,
    IS_LETTER,
    IS_LOWER,
    IS_NUMBER,
    IS_PICTURE,
    IS_SPACE,
    IS_UPPER,
    KATAKANA,
    LETTER_CLASS,
    LF,
    MID_LETTER,
    MID_NUM,
    MID_NUM_LET,
    NEWLINE,
    NUMERIC,
    OTHER_CLASS,
    REGIONAL,
    SHIFT,
    SINGLE_QUOTE,
    SPACE_CLASS,
    ZWJ,
)

RULE = "words-1"
"""The name of the rule; another rule gets another number."""

WORD = IS_LETTER | IS_NUMBER
"""A piece with one of these flags is a word."""

HASH_START = np.uint64(0xCBF29CE484222325)
HASH_FACTOR = np.uint64(0x9E3779B97F4A7C15)
"""The initial value and the factor of hashes, an odd number. A word's hash is over its UTF-8, eight bytes at
a time, so words of at most eight bytes never have the same hash."""

_MIDDLE = 31
"""The class of a mark inside a word, such as an apostrophe, after the look ahead has found what follows."""

_CORE = np.zeros(256, np.uint8)
"""1 for ASCII letters and digits, 2 for ASCII characters at which every word ends, 3 for ``_``, 0 for ASCII
marks that can be inside of a word, and for other characters."""
_CORE[:128] = 2
_CORE[[ord(one) for one in "'\":.;,"]] = 0
_CORE[[*range(0x30, 0x3A), *range(0x41, 0x5B), *range(0x61, 0x7B)]] = 1
_CORE[0x5F] = 3
_CORE.flags.writeable = False

_ONES = np.uint64(0x0101010101010101)
_HIGH = np.uint64(0x8080808080808080)
_LOW7 = ~_HIGH
_CASE = np.uint64(0x2020202020202020)

_CASES = IS_LETTER | IS_NUMBER | IS_UPPER | IS_LOWER


@kernel
def entry_at(data: Any, at: Any, end: Any, table: Any) -> Any:
    """Return code point, length in bytes, and table entry of the character at ``at``."""
    lead = np.int64(data[at])
    if lead < 0x80:
        return lead, 1, table.leaves[lead]
    if lead < 0xE0 and at + 1 < end:
        code, size = ((lead & 0x1F) << 6) | (np.int64(data[at + 1]) & 0x3F), 2
    elif lead < 0xF0 and at + 2 < end:
        middle = (np.int64(data[at + 1]) & 0x3F) << 6
        code, size = ((lead & 0x0F) << 12) | middle | (np.int64(data[at + 2]) & 0x3F), 3
    elif at + 3 < end:
        high = ((lead & 0x07) << 18) | ((np.int64(data[at + 1]) & 0x3F) << 12)
        code = high | ((np.int64(data[at + 2]) & 0x3F) << 6) | (np.int64(data[at + 3]) & 0x3F)
        size = 4
    else:
        return np.int64(0), 1, np.int64(0)
    if code >= 0x110000:
        return np.int64(0), size, np.int64(0)
    return code, size, table.leaves[(np.int64(table.blocks[code >> 7]) << 7) | (code & 127)]


@kernel
def _after_marks(data: Any, at: Any, end: Any, table: Any) -> Any:
    """Return the class of the first character from ``at`` on that is not a mark; -1 at the end."""
    while at < end:
        _, size, entry = entry_at(data, at, end, table)
        kind = entry & CLASS_BITS
        if kind not in (EXTEND, FORMAT, ZWJ):
            return kind
        at += size
    return np.int64(-1)


@kernel
def _is_core(kind: Any) -> Any:
    return kind in (LETTER_CLASS, HEBREW, NUMERIC, EXTEND_NUM_LET)


@kernel
def _is_letter(kind: Any) -> Any:
    return kind in (LETTER_CLASS, HEBREW)


@kernel
def _joined(before: Any, kind: Any, is_adjacent: Any, flags_odd: Any, plain: Any) -> Any:
    """Return whether two classes join without a look ahead; marks between them are already skipped."""
    if before == _MIDDLE or (_is_core(before) and _is_core(kind)):
        return True
    if before == SPACE_CLASS:
        return kind == SPACE_CLASS and is_adjacent
    if before == REGIONAL:
        return kind == REGIONAL and flags_odd
    if plain:
        if before == KATAKANA:
            return kind in (KATAKANA, EXTEND_NUM_LET)
        return before == EXTEND_NUM_LET and kind == KATAKANA
    return False


@kernel
def _class_after(data: Any, at: Any, end: Any, table: Any, before: Any, kind: Any) -> Any:
    """Return the class as which a mark inside a word joins; -1 if it ends the word.

    ``at`` is behind the mark, ``kind`` its class, ``before`` the class of what is in front of it.
    """
    if _is_letter(before) and kind in (MID_LETTER, MID_NUM_LET, SINGLE_QUOTE):
        if _is_letter(_after_marks(data, at, end, table)):
            return np.int64(_MIDDLE)
        return np.int64(OTHER_CLASS) if before == HEBREW and kind == SINGLE_QUOTE else np.int64(-1)
    if before == HEBREW and kind == DOUBLE_QUOTE:
        return np.int64(_MIDDLE) if _after_marks(data, at, end, table) == HEBREW else np.int64(-1)
    if before == NUMERIC and kind in (MID_NUM, MID_NUM_LET, SINGLE_QUOTE):
        return np.int64(_MIDDLE) if _after_marks(data, at, end, table) == NUMERIC else np.int64(-1)
    return np.int64(-1)


@kernel
def _lowered(code: Any, entry: Any, plain: Any) -> Any:
    return np.int64(code) if plain else np.int64(code + (entry >> SHIFT))


@kernel
def chained(h: Any, chunk: Any) -> Any:
    """Add eight bytes to a hash; different bytes give different hashes."""
    h = (h ^ chunk) * HASH_FACTOR
    return h ^ (h >> np.uint64(32))


@kernel
def _push(h: Any, chunk: Any, n_bytes: Any, code: Any) -> Any:
    """Add the UTF-8 of a code point to a hash; return the hash, the bytes that wait, and their number."""
    if code < 0x80:
        encoded, size = code, 1
    elif code < 0x800:
        encoded, size = (code >> 6) | ((code & 0x3F) << 8) | 0x80C0, 2
    elif code < 0x10000:
        encoded = (code >> 12) | ((code >> 6 & 0x3F) << 8) | ((code & 0x3F) << 16) | 0x8080E0
        size = 3
    else:
        middle = ((code >> 12 & 0x3F) << 8) | ((code >> 6 & 0x3F) << 16)
        encoded = (code >> 18) | middle | ((code & 0x3F) << 24) | 0x808080F0
        size = 4
    bits = np.uint64(encoded)
    chunk |= bits << np.uint64(8 * n_bytes)
    n_bytes += size
    if n_bytes >= 8:
        n_bytes -= 8
        return chained(h, chunk), bits >> np.uint64(8 * (size - n_bytes)), n_bytes
    return h, chunk, n_bytes


@kernel
def between(x: Any, first: Any, last: Any) -> Any:
    """Mark the bytes of ``x`` from ``first`` to ``last`` by their high bits; both are ASCII."""
    low = x & _LOW7
    from_first = low + np.uint64(0x80 - first) * _ONES
    past_last = low + np.uint64(0x7F - last) * _ONES
    return from_first & ~past_last & ~x & _HIGH


@kernel
def _ascii_word(data: Any, at: Any, end: Any, plain: Any) -> Any:
    """Read ASCII letters and digits from ``at`` on, eight bytes at a time.

    Returns:
        Their end, their flags and the hash of their lower case.
    """
    h, flags, n = HASH_START, np.int64(0), 8
    while n == 8:
        x = load8(data, at) if at + 8 <= len(data) else _last_bytes(data, at)
        letters, digits = between(x | _CASE, 0x61, 0x7A), between(x, 0x30, 0x39)
        is_lower = x << np.uint64(2)  # moves the bit that tells the case to the high bit
        upper, lower, core = letters & ~is_lower, letters & is_lower, letters | digits
        n = trailing_zeros(core ^ _HIGH) >> 3 if core != _HIGH else 8
        n = min(n, end - at)
        if n == 0:
            break
        here = ~np.uint64(0) >> np.uint64(64 - 8 * n)
        if not plain:
            x |= upper >> np.uint64(2)
        h = chained(h, x & here)
        flags |= (IS_LETTER | IS_UPPER) if upper & here else 0
        flags |= (IS_LETTER | IS_LOWER) if lower & here else 0
        flags |= IS_NUMBER if digits & here else 0
        at += n
    return at, flags, mix(h)


@kernel
def _last_bytes(data: Any, at: Any) -> Any:
    """Return the last bytes of the text as ``load8`` does, with zeros behind them."""
    x = np.uint64(0)
    for i in range(at, len(data)):
        x |= np.uint64(data[i]) << np.uint64(8 * (i - at))
    return x


@kernel
def _ends_at(data: Any, at: Any, end: Any) -> Any:
    """Return whether ASCII letters and digits in front of ``at`` end a word, as far as ASCII can tell."""
    if at == end or _CORE[data[at]] == 2:
        return True
    if data[at] >= 0x80 or _CORE[data[at]] == 3:
        return False
    return at + 1 == end or (data[at + 1] < 0x80 and _CORE[data[at + 1]] in (0, 2))


@kernel
def next_piece(data: Any, at: Any, end: Any, table: Any, plain: Any) -> Any:
    """Read the piece that begins at ``at``.

    Returns:
        Its end, its code points, the flags of all its characters, and the hash of its lower case.
    """
    code, size, entry = entry_at(data, at, end, table)
    kind, flags, n_chars, n_regional = entry & CLASS_BITS, entry, 1, 1
    h, chunk, n_bytes = _push(HASH_START, np.uint64(0), 0, _lowered(code, entry, plain))
    at += size
    is_zwj, is_adjacent = kind == ZWJ, True
    if kind in (CR, LF, NEWLINE):
        return at, n_chars, flags, np.uint64(0)
    while at < end:
        code, size, entry = entry_at(data, at, end, table)
        following = entry & CLASS_BITS
        if following in (EXTEND, FORMAT, ZWJ):
            is_zwj, is_adjacent = following == ZWJ, False
        elif (is_zwj and entry & IS_PICTURE) or _joined(kind, following, is_adjacent, n_regional & 1, plain):
            n_regional = n_regional + 1 if kind == REGIONAL and following == REGIONAL else 1
            kind, is_zwj, is_adjacent = following, False, True
        else:
            kind = _class_after(data, at + size, end, table, kind, following)
            if kind < 0:
                break
            is_zwj, is_adjacent = False, True
        flags |= entry
        h, chunk, n_bytes = _push(h, chunk, n_bytes, _lowered(code, entry, plain))
        n_chars += 1
        at += size
    return at, n_chars, flags, mix(chained(h, chunk) if n_bytes else h)


@kernel
def _skip_signs(data: Any, at: Any, end: Any, table: Any) -> Any:
    """Skip ASCII signs that are followed by ASCII: each is a piece without a letter.

    A sign that could join what follows stays: ``_``, and a blank before a blank.
    """
    while at + 1 < end and data[at] < 0x80 and data[at + 1] < 0x80:
        entry = table.leaves[data[at]]
        if entry & WORD or entry & CLASS_BITS == EXTEND_NUM_LET or data[at] == data[at + 1] == 0x20:
            break
        at += 1
    return at


@kernel
def next_word(data: Any, at: Any, end: Any, table: Any, plain: Any) -> Any:
    """Find the next word from ``at`` on.

    Returns:
        Its start and end, its code points, its flags (``_CASES`` and ``IS_ALONE``) and its hash; without
        another word, the start is ``end``.
    """
    while at < end:
        at = _skip_signs(data, at, end, table)
        first = entry_at(data, at, end, table)[2]
        stop, n_chars, flags, h = next_piece(data, at, end, table, plain)
        if flags & WORD:
            return at, stop, n_chars, (flags & _CASES) | (first & IS_ALONE), h
        at = stop
    return end, end, 0, np.int64(0), np.uint64(0)


@kernel
def find_words(data: Any, start: Any, end: Any, table: Any, plain: Any, words: Any) -> Any:
    """Write the words of one document to ``words``, as many as there is room for; return their number.

    With ``plain``, only words that begin with a letter or number count.

    Args:
        words: ``Words``; see ``builder.kernels.quality.room``.
    """
    n, at, room = 0, start, len(words.hashes)
    while at < end:
        is_whole, first = False, at
        if _CORE[data[at]] == 1:
            stop, flags, h = _ascii_word(data, at, end, plain)
            n_chars, is_whole = stop - at, _ends_at(data, stop, end)
        if not is_whole:
            first, stop, n_chars, flags, h = next_word(data, at, end, table, plain)
            if first >= end:
                break
        at = stop
        if at + 1 < end and data[at] == 0x20 and _CORE[data[at + 1]] == 1:
            at += 1
        if plain and not is_whole and not entry_at(data, first, end, table)[2] & WORD:
            continue
        if n < room:
            words.starts[n] = first
            words.stops[n] = stop
            words.chars[n] = n_chars
            words.flags[n] = flags
            words.hashes[n] = h
        n += 1
    return n


@kernel
def split_words(data: Any, start: Any, end: Any, table: Any, words: Any) -> Any:
    """Write the pieces between white space to ``words``, as ``str.split`` cuts them; return their number.

    U+001C to U+001F are white space here, although they are not in Unicode. Words are compared by case.
    """
    n, at, room = 0, start, len(words.hashes)
    first, n_chars, flags, h = start, 0, np.int64(0), HASH_START
    while at <= end:
        code, size, entry = np.int64(32), 1, np.int64(-1)
        if at < end:
            code, size, entry = entry_at(data, at, end, table)
        if at == end or entry & IS_SPACE or 0x1C <= code <= 0x1F:
            if n_chars:
                if n < room:
                    words.starts[n] = first
                    words.stops[n] = at
                    words.chars[n] = n_chars
                    words.flags[n] = flags & _CASES
                    words.hashes[n] = mix(h)
                n += 1
            first, n_chars, flags, h = at + size, 0, np.int64(0), HASH_START
        else:
            flags |= entry
            h = chained(h, np.uint64(code))
            n_chars += 1
        at += size
    return n
