"""Split text into lines and paragraphs, and find what the rules about lines need to know.

A line ends at a line feed. White space at its ends does not count, and a blank line is not a line.
Adjacent lines form a paragraph.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from builder.kernels.bits import load8, mix, trailing_zeros
from builder.kernels.jit import kernel
from builder.kernels.quality.characters import (
    CLOSERS,
    IS_BULLET,
    IS_LETTER,
    IS_NUMBER,
    IS_SPACE,
    IS_TERMINAL,
    IS_UPPER,
)
from builder.kernels.quality.phrases import citation_end, find_phrases, is_counter
from builder.kernels.quality.places import (
    ASCII_LETTERS,
    CHARS,
    CURLY,
    ELLIPSES,
    HASHES,
    LETTERS,
    LINE_COUNT,
    LONGEST,
    LOREM,
    N_COUNTS,
    N_DIGITS,
    NEWLINES,
    PARAGRAPHS,
    SENTENCES,
    SHORT_CHARS,
    UPPERS,
)
from builder.kernels.quality.words import HASH_START, between, chained, entry_at

(BULLETED, ELLIPSIS_END, TERMINAL_END, C4_END, SHORT, LONG_WORD, SHOUTED, DIGITS_ONLY, COUNTER, CITED) = (
    1 << n for n in range(10)
)
"""Flags of a line, with those of ``builder.kernels.quality.phrases``: it begins with a bullet; ends with an
ellipsis, with a mark that ends a sentence, or with ``.``, ``?``, ``!`` or ``"`` (and not ``...``); has at
most 30 characters; has a word of over 1,000 characters; over half of its characters are upper case; is digits
only; is a counter such as ``3 comments``; has a reference such as ``[12]``."""

LONG_WORD_CHARS = 1_000

(FIRST_BYTE, END_BYTE, FLAGS, CHARS_OF_LINE, UPPER_CHARS, DIGIT_CHARS, LONGEST_RUN) = range(7)
"""What ``_read_line`` finds: the first byte that is not white space (-1 without one), the byte behind the
last one, flags, code points between them, upper-case letters, numbers, and the longest run without white
space."""

LINE_FEED, FULL_STOP, ELLIPSIS = 0x0A, 0x2E, 0x2026

_HAS_WORD, _ENDS_WELL, _IS_PENDING = 1, 2, 4
"""The mood of a sentence, as flags: it has a letter or number; the line could end here; the next white space
ends the sentence. A mark outside of ASCII ends a sentence by itself."""

(_LOWER, _UPPER, _DIGIT, _BLANK, _TERMINAL, _CLOSER, _SIGN, _OTHER) = range(8)
"""Kinds of bytes; ``_OTHER`` begins a character that is not ASCII."""

_CLOSERS = np.array([ord(one) for one in CLOSERS], np.int64)
_KINDS = np.full(256, _SIGN, np.uint8)
_KINDS[0x61:0x7B] = _LOWER
_KINDS[0x41:0x5B] = _UPPER
_KINDS[0x30:0x3A] = _DIGIT
_KINDS[[0x09, 0x0B, 0x0C, 0x0D, 0x20]] = _BLANK
_KINDS[[0x21, 0x2E, 0x3F]] = _TERMINAL
_KINDS[_CLOSERS[_CLOSERS < 0x80]] = _CLOSER
_KINDS[0x80:] = _OTHER
_KINDS.flags.writeable = False

_HIGH = np.uint64(0x8080808080808080)


@kernel
def ends_with_ellipsis(data: Any, start: Any, stop: Any) -> Any:
    """Return whether ``data[start:stop]`` ends with ``...``, ``…`` or ``. . .``."""
    if stop - start < 3:
        return False
    a, b, c = data[stop - 3], data[stop - 2], data[stop - 1]
    if (a == 0x2E and b == 0x2E and c == 0x2E) or (a == 0xE2 and b == 0x80 and c == 0xA6):
        return True
    if stop - start < 5 or c != 0x2E or b != 0x20 or a != 0x2E:
        return False
    return data[stop - 4] == 0x20 and data[stop - 5] == 0x2E


@kernel
def _is_closer(code: Any) -> Any:
    for one in _CLOSERS:  # noqa: SIM110 - numba compiles no generators
        if code == one:
            return True
    return False


@kernel
def _end_flags(data: Any, start: Any, stop: Any, is_terminal: Any) -> Any:
    """Return the flags of the end of a line.

    Args:
        is_terminal: whether the last code point that is not a quotation mark or bracket ends a sentence.
    """
    flags = TERMINAL_END if is_terminal else 0
    if ends_with_ellipsis(data, start, stop):
        return flags | ELLIPSIS_END | TERMINAL_END
    if data[stop - 1] in (0x2E, 0x3F, 0x21, 0x22):
        flags |= C4_END
    return flags


@kernel
def _hash_bytes(data: Any, at: Any, end: Any) -> Any:
    """Hash ``data[at:end]``, eight bytes at a time."""
    h = HASH_START ^ np.uint64(end - at)
    while at + 8 <= end:
        h = chained(h, load8(data, at))
        at += 8
    rest, shift = np.uint64(0), np.uint64(0)
    while at < end:
        rest |= np.uint64(data[at]) << shift
        shift += np.uint64(8)
        at += 1
    return mix(h ^ rest)


@kernel
def read_lines(data: Any, start: Any, end: Any, table: Any, lines: Any, counts: Any) -> Any:
    """Write the lines of one document to ``lines``, as many as there is room for; return their number.

    Args:
        lines: ``Lines``.
        counts: int64[at least N_COUNTS], overwritten.
    """
    for i in range(N_COUNTS):
        counts[i] = 0
    n, paragraph, at, blank = 0, -1, start, True
    while at < end:
        at = _read_line(data, at, end, table, lines.state, counts)
        if lines.state[FIRST_BYTE] < 0:
            blank = True
            continue
        paragraph += blank
        blank = False
        if n < len(lines.hashes):
            lines.paragraphs[n] = paragraph
            _keep_line(data, table, lines, n)
        n += 1
    counts[LINE_COUNT], counts[PARAGRAPHS] = n, paragraph + 1
    return n


@kernel
def _keep_line(data: Any, table: Any, lines: Any, n: Any) -> None:
    """Write the line that ``lines.state`` describes as line ``n``."""
    state = lines.state
    first, stop, chars, flags = state[FIRST_BYTE], state[END_BYTE], state[CHARS_OF_LINE], state[FLAGS]
    flags |= LONG_WORD if state[LONGEST_RUN] > LONG_WORD_CHARS else 0
    flags |= SHORT if chars <= SHORT_CHARS else 0
    flags |= SHOUTED if 2 * state[UPPER_CHARS] > chars else 0
    flags |= DIGITS_ONLY if state[DIGIT_CHARS] == chars else 0
    if state[DIGIT_CHARS] and is_counter(data, first, stop, table):
        flags |= COUNTER
    lines.starts[n] = first
    lines.stops[n] = stop
    lines.chars[n] = chars
    lines.flags[n] = flags
    lines.hashes[n] = _hash_bytes(data, first, stop)


@kernel
def _skip_lower(data: Any, at: Any, end: Any) -> Any:
    """Return the end of the letters a to z that are at ``at``."""
    while at + 8 <= len(data):
        others = between(load8(data, at), 0x61, 0x7A) ^ _HIGH
        if others:
            return min(at + (trailing_zeros(others) >> 3), end)
        at += 8
        if at >= end:
            return end
    while at < end and 0x61 <= data[at] <= 0x7A:
        at += 1
    return at


@kernel
def _skip_blanks(data: Any, at: Any, end: Any, table: Any) -> Any:
    """Skip white space, but no line feed; return the place behind it, and the code points."""
    n = 0
    while at < end and data[at] != LINE_FEED:
        _, size, entry = entry_at(data, at, end, table)
        if not entry & IS_SPACE:
            break
        at += size
        n += 1
    return at, n


@kernel
def _bullet_flag(data: Any, at: Any, end: Any, table: Any) -> Any:
    """Return the flag of a line that begins at ``at``."""
    if at >= end or data[at] == LINE_FEED:
        return 0
    return BULLETED if entry_at(data, at, end, table)[2] & IS_BULLET else 0


@kernel
def _read_stops(data: Any, at: Any, end: Any, counts: Any) -> Any:
    """Read full stops and count ellipses, or read one other ASCII end mark; return the bytes."""
    n = 0
    while at + n < end and data[at + n] == FULL_STOP:
        n += 1
    counts[ELLIPSES] += n // 3
    return max(n, 1)


@kernel
def _read_sign(data: Any, at: Any, end: Any, counts: Any) -> Any:
    """Count an ASCII sign; return the flag of a reference that begins at ``at``."""
    byte = data[at]
    counts[HASHES] += byte == 0x23
    counts[CURLY] += byte in (0x7B, 0x7D)
    return CITED if byte == 0x5B and citation_end(data, at, end) >= 0 else 0


@kernel
def _read_other(data: Any, at: Any, end: Any, table: Any, mood: Any, state: Any, counts: Any) -> Any:
    """Read a character that is not ASCII; return its bytes, whether it is blank, and the mood after it."""
    code, size, entry = entry_at(data, at, end, table)
    if entry & IS_SPACE:
        return size, True, mood
    if entry & (IS_LETTER | IS_NUMBER):
        counts[LETTERS] += (entry & IS_LETTER) != 0
        state[UPPER_CHARS] += (entry & IS_UPPER) != 0
        state[DIGIT_CHARS] += (entry & IS_NUMBER) != 0
        return size, False, _HAS_WORD
    if entry & IS_TERMINAL or code == ELLIPSIS:
        counts[ELLIPSES] += code == ELLIPSIS
        if mood & _HAS_WORD and code != ELLIPSIS:
            counts[SENTENCES] += 1
            return size, False, _ENDS_WELL
        return size, False, _after_stop(mood)
    return size, False, mood if _is_closer(code) else mood & _HAS_WORD


@kernel
def _after_stop(mood: Any) -> Any:
    """Return the mood after a mark that can end the sentence."""
    return _HAS_WORD | _ENDS_WELL | _IS_PENDING if mood & _HAS_WORD else _ENDS_WELL


@kernel
def _close_line(data: Any, first: Any, stop: Any, mood: Any, state: Any, counts: Any) -> None:
    """Find what is known at the end of a line only, and add the line to the counts of the document."""
    state[FIRST_BYTE], state[END_BYTE] = first if stop > first else -1, stop
    if stop > first:
        phrases, lorem = find_phrases(data, first, stop)
        state[FLAGS] |= phrases | _end_flags(data, first, stop, (mood & _ENDS_WELL) != 0)
        counts[LOREM] += lorem
    counts[SENTENCES] += (mood & _HAS_WORD) != 0
    counts[UPPERS] += state[UPPER_CHARS]
    counts[N_DIGITS] += state[DIGIT_CHARS]
    counts[LONGEST] = max(counts[LONGEST], state[LONGEST_RUN])


@kernel
def _read_line(data: Any, at: Any, end: Any, table: Any, state: Any, counts: Any) -> Any:
    """Read one line into ``state``, and count what is in it; return the start of the next line.

    ``extra`` counts the bytes that do not begin a character, so ``at - extra`` counts characters.
    """
    at, n_before = _skip_blanks(data, at, end, table)
    first, extra, stop, chars, run, longest = at, 0, at, at, at, 0
    lower, uppers, digits, sentences, mood = 0, 0, 0, 0, 0
    state[UPPER_CHARS] = state[DIGIT_CHARS] = 0
    state[FLAGS] = _bullet_flag(data, at, end, table)
    while at < end and data[at] != LINE_FEED:
        kind, before, size = _KINDS[data[at]], at, 1
        is_blank = kind == _BLANK
        if kind == _LOWER:
            size = _skip_lower(data, at, end) - at
            lower, mood = lower + size, _HAS_WORD
        elif kind <= _DIGIT:
            uppers, digits, mood = uppers + (kind == _UPPER), digits + (kind == _DIGIT), _HAS_WORD
        elif kind == _TERMINAL:
            size, mood = _read_stops(data, at, end, counts), _after_stop(mood)
        elif kind == _OTHER:
            size, is_blank, mood = _read_other(data, at, end, table, mood, state, counts)
            extra += size - 1
        elif kind == _SIGN:
            state[FLAGS] |= _read_sign(data, at, end, counts)
            mood &= _HAS_WORD
        at = before + size
        if is_blank:
            longest, run = max(longest, at - extra - 1 - run), at - extra
            sentences += (mood & _IS_PENDING) != 0
            mood &= _ENDS_WELL | (0 if mood & _IS_PENDING else _HAS_WORD)
        else:
            stop, chars = at, at - extra
    counts[CHARS] += n_before + at - extra - first + (at < end)
    counts[NEWLINES] += at < end
    counts[SENTENCES] += sentences
    counts[LETTERS] += lower + uppers
    counts[ASCII_LETTERS] += lower + uppers
    uppers, digits = uppers + state[UPPER_CHARS], digits + state[DIGIT_CHARS]
    state[UPPER_CHARS], state[DIGIT_CHARS], state[CHARS_OF_LINE] = uppers, digits, chars - first
    state[LONGEST_RUN] = max(longest, at - extra - run)
    _close_line(data, first, stop, mood, state, counts)
    return at + 1
