"""Split text into lines and paragraphs, and find what the rules about lines need to know.

A line ends at a line feed. White space at its ends does not count, and a blank line is not a line.
Adjacent lines form a paragraph.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from builder.kernels.bits import load8, mix
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
from builder.kernels.quality.words import HASH_START, entry_at

(BULLETED, ELLIPSIS_END, TERMINAL_END, C4_END, SHORT, JAVASCRIPT, POLICY, LONG_WORD, SHOUTED, DIGITS_ONLY,
 COUNTER, CITED) = (1 << n for n in range(12))  # fmt: skip
"""Flags of a line: it begins with a bullet; ends with an ellipsis, with a mark that ends a sentence, or with
``.``, ``?``, ``!`` or ``"`` (and not ``...``); has at most 30 characters; names JavaScript, or a policy; has
a word of over 1,000 characters; over half of its characters are upper case; is digits only; is a counter such
as ``3 comments``; has a reference such as ``[12]``."""

SHORT_CHARS = 30
LONG_WORD_CHARS = 1_000

(CHARS, NEWLINES, HASHES, ELLIPSES, CURLY, LOREM, SENTENCES, LETTERS, N_DIGITS, UPPERS, LONGEST, LINE_COUNT,
 PARAGRAPHS, ASCII_LETTERS) = range(14)  # fmt: skip
"""What is counted in a document, by place in the array ``counts``."""

N_COUNTS = 14

(FIRST_BYTE, END_BYTE, LAST, FLAGS, N_CHARS, CHARS_AT_FIRST, CHARS_AT_STOP, LETTER_CHARS, UPPER_CHARS,
 DIGIT_CHARS, RUN, LONGEST_RUN, DOTS, ENDS_WELL, HAS_WORD, PENDING) = range(16)  # fmt: skip
"""The state of a line while it is read: first byte that is not white space (-1 before), byte behind the last
one, last code point; code points in the line, before the first and up to the last; code points since white
space; full stops in a row; whether the line could end here, the sentence holds a letter or number, and the
next white space ends it."""

LINE_FEED, FULL_STOP, ELLIPSIS = 0x0A, 0x2E, 0x2026


def _ascii(text: str) -> np.ndarray:
    array = np.frombuffer(text.encode(), np.uint8)
    array.flags.writeable = False
    return array


_JAVASCRIPT = _ascii("javascript")
_LOREM = _ascii("lorem ipsum")
_TERMS = _ascii("terms of use")
_PRIVACY = _ascii("privacy policy")
_COOKIE = _ascii("cookie policy")
_USES = _ascii("uses cookies")
_USE_OF = _ascii("use of cookies")
_USE = _ascii("use cookies")
_EDIT = _ascii("[edit]")
_NEEDED = _ascii("[citation needed]")
_FIRST_LETTERS = sum(1 << (ord(one) - ord("a")) for one in "jtpcul")
"""The first letters of the phrases, as bits."""

_CLOSERS = np.array([ord(one) for one in CLOSERS], np.int64)
_COUNTED = _ascii(
    "likes\0shares\0comments\0retweets\0reposts\0quotes\0bookmarks\0upvotes\0downvotes\0downloads\0views\0"
    "followers\0"
)
"""The words of a counter, each followed by a zero."""


@kernel
def matches(data: Any, at: Any, end: Any, pattern: Any) -> Any:
    """Return whether ``data[at:end]`` begins with a lower-case ASCII pattern, in any case."""
    if at + len(pattern) > end:
        return False
    for i in range(len(pattern)):
        byte = data[at + i]
        if 0x41 <= byte <= 0x5A:
            byte = byte | 0x20
        if byte != pattern[i]:
            return False
    return True


@kernel
def _phrase_flags(data: Any, at: Any, end: Any, code: Any) -> Any:
    """Return the flags of the phrase that begins at ``at``, if any; ``code`` is its first byte."""
    if code == 0x6A:
        return JAVASCRIPT if matches(data, at, end, _JAVASCRIPT) else 0
    if code == 0x74:
        return POLICY if matches(data, at, end, _TERMS) else 0
    if code == 0x70:
        return POLICY if matches(data, at, end, _PRIVACY) else 0
    if code == 0x63:
        return POLICY if matches(data, at, end, _COOKIE) else 0
    if code == 0x75:
        found = matches(data, at, end, _USES) or matches(data, at, end, _USE_OF)
        return POLICY if found or matches(data, at, end, _USE) else 0
    return 0


@kernel
def citation_end(data: Any, at: Any, end: Any) -> Any:
    """Return the end of a reference such as ``[12]``, ``[edit]`` or ``[citation needed]``; -1 without one."""
    if matches(data, at, end, _EDIT):
        return at + len(_EDIT)
    if matches(data, at, end, _NEEDED):
        return at + len(_NEEDED)
    i = at + 1
    while i < end and 0x30 <= data[i] <= 0x39:
        i += 1
    return i + 1 if i < end and data[i] == 0x5D else -1


@kernel
def _is_counter(data: Any, at: Any, end: Any, table: Any) -> Any:
    """Return whether a line is a number, maybe with K, M or B, and one of the words of counters."""
    while at < end and not 0x30 <= data[at] <= 0x39:
        _, size, entry = entry_at(data, at, end, table)
        if entry & (IS_LETTER | IS_NUMBER):
            return False
        at += size
    while at < end and (0x30 <= data[at] <= 0x39 or data[at] in (0x2C, 0x2E)):
        at += 1
    if at < end and data[at] | 0x20 in (0x6B, 0x6D, 0x62):
        at += 1
    while at < end and data[at] == 0x20:
        at += 1
    stop = _counted_end(data, at, end)
    if stop < 0:
        return False
    while stop < end:
        _, size, entry = entry_at(data, stop, end, table)
        if entry & (IS_LETTER | IS_NUMBER):
            return False
        stop += size
    return True


@kernel
def _counted_end(data: Any, at: Any, end: Any) -> Any:
    """Return the end of the word of a counter that begins at ``at``; -1 without one."""
    i, first = 0, 0
    while i < len(_COUNTED):
        if _COUNTED[i] == 0:
            if matches(data, at, end, _COUNTED[first:i]):
                return at + i - first
            first = i + 1
        i += 1
    return -1


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
def _end_flags(data: Any, start: Any, stop: Any, last: Any, is_terminal: Any) -> Any:
    """Return the flags of the end of a line.

    Args:
        last: the last code point.
        is_terminal: whether the last code point that is not a quotation mark or bracket ends a sentence.
    """
    flags = TERMINAL_END if is_terminal else 0
    if ends_with_ellipsis(data, start, stop):
        return flags | ELLIPSIS_END | TERMINAL_END
    if last in (0x2E, 0x3F, 0x21, 0x22):
        flags |= C4_END
    return flags


@kernel
def _hash_bytes(data: Any, at: Any, end: Any) -> Any:
    """Hash ``data[at:end]``, eight bytes at a time."""
    h = HASH_START ^ np.uint64(end - at)
    while at + 8 <= end:
        h = mix(h ^ load8(data, at))
        at += 8
    rest, shift = np.uint64(0), np.uint64(0)
    while at < end:
        rest |= np.uint64(data[at]) << shift
        shift += np.uint64(8)
        at += 1
    return mix(h ^ rest)


@kernel
def _skip_lower(data: Any, at: Any, end: Any, flags: Any, lorem: Any) -> Any:
    """Skip the letters a to z; return the place behind them, the flags of phrases, and ``lorem ipsum``s."""
    while at < end and 0x61 <= data[at] <= 0x7A:
        if (_FIRST_LETTERS >> (np.int64(data[at]) - 0x61)) & 1:
            flags |= _phrase_flags(data, at, end, np.int64(data[at]))
            if data[at] == 0x6C and matches(data, at, end, _LOREM):
                lorem += 1
        at += 1
    return at, flags, lorem


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
    first, stop, chars = state[FIRST_BYTE], state[END_BYTE], state[CHARS_AT_STOP] - state[CHARS_AT_FIRST]
    flags = state[FLAGS] | _end_flags(data, first, stop, state[LAST], state[ENDS_WELL] != 0)
    flags |= LONG_WORD if state[LONGEST_RUN] > LONG_WORD_CHARS else 0
    flags |= SHORT if chars <= SHORT_CHARS else 0
    flags |= SHOUTED if 2 * state[UPPER_CHARS] > chars else 0
    flags |= DIGITS_ONLY if state[DIGIT_CHARS] == chars else 0
    if state[DIGIT_CHARS] and _is_counter(data, first, stop, table):
        flags |= COUNTER
    lines.starts[n] = first
    lines.stops[n] = stop
    lines.chars[n] = chars
    lines.flags[n] = flags
    lines.hashes[n] = _hash_bytes(data, first, stop)


@kernel
def _read_line(data: Any, at: Any, end: Any, table: Any, state: Any, counts: Any) -> Any:
    """Read one line into ``state``, and count what is in it; return the start of the next line."""
    for i in range(len(state)):
        state[i] = 0
    state[FIRST_BYTE] = -1
    while at < end and data[at] != LINE_FEED:
        code, size, entry = entry_at(data, at, end, table)
        if state[DOTS] and code != FULL_STOP:
            counts[ELLIPSES] += state[DOTS] // 3
            state[DOTS] = 0
        if entry & IS_SPACE:
            _read_space(state, counts)
            at += size
            continue
        if state[FIRST_BYTE] < 0:
            state[FIRST_BYTE], state[CHARS_AT_FIRST] = at, state[N_CHARS]
            state[FLAGS] |= BULLETED if entry & IS_BULLET else 0
        if 0x61 <= code <= 0x7A:
            at = _read_lower(data, at, end, state, counts)
            continue
        if entry & (IS_LETTER | IS_NUMBER):
            _read_letter(data, at, end, code, entry, state, counts)
        elif entry & IS_TERMINAL or code == ELLIPSIS:
            _read_terminal(code, state, counts)
        elif not _is_closer(code):
            _read_sign(data, at, end, code, state, counts)
        at += size
        state[LAST] = code
        state[N_CHARS] += 1
        state[RUN] += 1
        state[END_BYTE], state[CHARS_AT_STOP] = at, state[N_CHARS]
    state[LONGEST_RUN] = max(state[LONGEST_RUN], state[RUN])
    counts[CHARS] += state[N_CHARS] + (at < end)
    counts[NEWLINES] += at < end
    counts[ELLIPSES] += state[DOTS] // 3
    counts[SENTENCES] += state[HAS_WORD]
    counts[LETTERS] += state[LETTER_CHARS]
    counts[UPPERS] += state[UPPER_CHARS]
    counts[N_DIGITS] += state[DIGIT_CHARS]
    counts[LONGEST] = max(counts[LONGEST], state[LONGEST_RUN])
    return at + 1


@kernel
def _read_space(state: Any, counts: Any) -> None:
    """Read white space: it ends a run of other characters, and a sentence whose end mark came before it."""
    state[N_CHARS] += 1
    state[LONGEST_RUN] = max(state[LONGEST_RUN], state[RUN])
    state[RUN] = 0
    if state[PENDING]:
        counts[SENTENCES] += 1
        state[HAS_WORD] = state[PENDING] = 0


@kernel
def _read_lower(data: Any, at: Any, end: Any, state: Any, counts: Any) -> Any:
    """Read the letters a to z from ``at`` on; return the place behind them."""
    past, flags, lorem = _skip_lower(data, at, end, state[FLAGS], counts[LOREM])
    n = past - at
    state[FLAGS], counts[LOREM] = flags, lorem
    state[LETTER_CHARS] += n
    counts[ASCII_LETTERS] += n
    state[N_CHARS] += n
    state[RUN] += n
    state[LAST] = data[past - 1]
    state[HAS_WORD], state[ENDS_WELL], state[PENDING] = 1, 0, 0
    state[END_BYTE], state[CHARS_AT_STOP] = past, state[N_CHARS]
    return past


@kernel
def _read_letter(data: Any, at: Any, end: Any, code: Any, entry: Any, state: Any, counts: Any) -> None:
    """Read a letter or number."""
    state[LETTER_CHARS] += (entry & IS_LETTER) != 0
    state[UPPER_CHARS] += (entry & IS_UPPER) != 0
    state[DIGIT_CHARS] += (entry & IS_NUMBER) != 0
    state[HAS_WORD], state[ENDS_WELL], state[PENDING] = 1, 0, 0
    if 0x41 <= code <= 0x5A:
        counts[ASCII_LETTERS] += 1
        state[FLAGS] |= _phrase_flags(data, at, end, code | 0x20)
        if code == 0x4C and matches(data, at, end, _LOREM):
            counts[LOREM] += 1


@kernel
def _read_terminal(code: Any, state: Any, counts: Any) -> None:
    """Read a mark that can end a sentence; one outside of ASCII ends it without white space."""
    state[ENDS_WELL] = 1
    state[DOTS] += code == FULL_STOP
    counts[ELLIPSES] += code == ELLIPSIS
    if state[HAS_WORD] and code >= 0x80 and code != ELLIPSIS:
        counts[SENTENCES] += 1
        state[HAS_WORD] = 0
    state[PENDING] = state[HAS_WORD]


@kernel
def _read_sign(data: Any, at: Any, end: Any, code: Any, state: Any, counts: Any) -> None:
    """Read any other character."""
    state[ENDS_WELL] = state[PENDING] = 0
    counts[HASHES] += code == 0x23
    counts[CURLY] += code in (0x7B, 0x7D)
    if code == 0x5B and citation_end(data, at, end) >= 0:
        state[FLAGS] |= CITED
