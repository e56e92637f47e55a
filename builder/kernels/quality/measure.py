"""Count all that the signals of a document are computed from, in one pass over a batch of documents.

All results are integers, except the sum for the entropy. Formulas are in ``builder.stages.quality.signals``.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from builder.kernels.bits import mix
from builder.kernels.jit import kernel
from builder.kernels.quality.characters import IS_ALONE, IS_LETTER, IS_LOWER, IS_UPPER
from builder.kernels.quality.copies import (
    covered,
    find_copies,
    lengthen,
    most_frequent,
    skipped_over,
    sum_before,
    summed,
)
from builder.kernels.quality.lines import (
    BULLETED,
    C4_END,
    COUNTER,
    DIGITS_ONLY,
    ELLIPSIS_END,
    LONG_WORD,
    SHORT,
    SHOUTED,
    TERMINAL_END,
    read_lines,
)
from builder.kernels.quality.phrases import JAVASCRIPT, POLICY
from builder.kernels.quality.places import (
    ALL_PARTS,
    ALONE_WORDS,
    ALPHA_WORDS,
    DUP,
    DUP_LINE_CHARS,
    DUP_LINE_CHARS_ALL,
    DUP_LINES,
    DUP_LINES_ALL,
    DUP_PARA_CHARS,
    DUP_PARA_CHARS_ALL,
    DUP_PARAS,
    DUP_PARAS_ALL,
    LINE_CHARS,
    MIN_LINE_WORDS,
    N_BULLETED,
    N_C4_END,
    N_COUNTER,
    N_DIGITS_ONLY,
    N_ELLIPSIS_END,
    N_FEW_WORDS,
    N_JAVASCRIPT,
    N_LONG_WORD,
    N_POLICY,
    N_SHORT,
    N_SHOUTED,
    N_STOP_WORDS,
    N_TERMINAL_END,
    N_VALUES,
    OF_LINES,
    OF_REPEATS,
    OF_SYSTEMS,
    PARAGRAPHS,
    RULED_WORDS,
    SHOUTED_WORDS,
    STOP_WORDS_SEEN,
    TOP,
    UNIQUE_WORDS,
    WORD_CHARS,
    WORDS,
)
from builder.kernels.quality.room import room_for
from builder.kernels.quality.words import find_words, split_words

if TYPE_CHECKING:
    from numpy.typing import NDArray

WORDS_1, UAX_29, SPLIT = 0, 1, 2
"""Kinds of words: ``words-1``; the words of UAX 29 that begin with a letter or number; ``str.split``."""

_ROOM = 1 << 14, 1 << 12
"""Words and lines that fit into ``room`` at first."""


@kernel
def _line_counts(lines: Any, n_lines: Any, words: Any, n_words: Any, row: Any) -> None:
    """Count the lines by their flags, and the words in lines that the rules of RefinedWeb drop."""
    k = 0
    for i in range(n_lines):
        flags, n_here = lines.flags[i], 0
        while k < n_words and words.starts[k] < lines.stops[i]:
            n_here += 1
            k += 1
        row[LINE_CHARS] += lines.chars[i]
        row[N_BULLETED] += (flags & BULLETED) != 0
        row[N_ELLIPSIS_END] += (flags & ELLIPSIS_END) != 0
        row[N_TERMINAL_END] += (flags & TERMINAL_END) != 0
        row[N_C4_END] += (flags & C4_END) != 0
        row[N_SHORT] += (flags & SHORT) != 0
        row[N_JAVASCRIPT] += (flags & JAVASCRIPT) != 0
        row[N_POLICY] += (flags & POLICY) != 0
        row[N_LONG_WORD] += (flags & LONG_WORD) != 0
        row[N_SHOUTED] += (flags & SHOUTED) != 0
        row[N_DIGITS_ONLY] += (flags & DIGITS_ONLY) != 0
        row[N_COUNTER] += (flags & COUNTER) != 0
        row[N_FEW_WORDS] += n_here < MIN_LINE_WORDS
        if flags & (SHOUTED | DIGITS_ONLY | COUNTER) or n_here < 2:
            row[RULED_WORDS] += n_here


@kernel
def _duplicate_lines(lines: Any, n_lines: Any, n_paragraphs: Any, copies: Any, row: Any) -> None:
    """Count the lines and paragraphs that have copies; paragraphs replace the lines in ``lines``."""
    find_copies(lines.hashes, n_lines, copies)
    for i in range(n_lines):
        j = copies.first[i]
        if copies.counts[j] > 1:
            row[DUP_LINES_ALL] += 1
            row[DUP_LINE_CHARS_ALL] += lines.chars[i]
        if j != i:
            row[DUP_LINES] += 1
            row[DUP_LINE_CHARS] += lines.chars[i]
    for i in range(n_lines):
        p = lines.paragraphs[i]
        if i and lines.paragraphs[i - 1] == p:
            lines.hashes[p] = mix(mix(lines.hashes[p]) + lines.hashes[i])
            lines.chars[p] += lines.chars[i]
        else:
            lines.hashes[p] = lines.hashes[i]
            lines.chars[p] = lines.chars[i]
    find_copies(lines.hashes, n_paragraphs, copies)
    for p in range(n_paragraphs):
        j = copies.first[p]
        if copies.counts[j] > 1:
            row[DUP_PARAS_ALL] += 1
            row[DUP_PARA_CHARS_ALL] += lines.chars[p]
        if j != p:
            row[DUP_PARAS] += 1
            row[DUP_PARA_CHARS] += lines.chars[p]


@kernel
def _word_counts(words: Any, n_words: Any, stop_words: Any, row: Any) -> None:
    """Count words by their properties."""
    seen, n_stop_words, some = np.int64(0), 0, np.uint64(0)
    for k in range(len(stop_words)):
        some |= np.uint64(1) << (stop_words[k] & np.uint64(63))
    word_chars, alpha, shouted, alone = np.int64(0), 0, 0, 0
    for i in range(n_words):
        flags = words.flags[i]
        word_chars += words.chars[i]
        alpha += (flags & IS_LETTER) != 0
        shouted += (flags & (IS_UPPER | IS_LOWER)) == IS_UPPER
        alone += (flags & IS_ALONE) != 0
        if (some >> (words.hashes[i] & np.uint64(63))) & np.uint64(1):
            for k in range(len(stop_words)):
                if words.hashes[i] == stop_words[k]:
                    n_stop_words += 1
                    seen |= np.int64(1) << k
    row[WORD_CHARS], row[ALPHA_WORDS], row[SHOUTED_WORDS] = word_chars, alpha, shouted
    row[ALONE_WORDS], row[N_STOP_WORDS] = alone, n_stop_words
    while seen:
        row[STOP_WORDS_SEEN] += seen & 1
        seen >>= 1


@kernel
def measure_repeats(words: Any, n_words: Any, copies: Any, parts: Any, row: Any) -> Any:
    """Measure equal runs of words; return the sum of ``c ln c`` over the counts ``c`` of words."""
    sum_before(words.chars, n_words, copies.before)
    n_different, n_places = find_copies(words.hashes, n_words, copies)
    row[UNIQUE_WORDS] = n_different
    entropy = 0.0
    for i in range(n_words):
        if copies.first[i] == i and copies.counts[i] > 1:
            n = copies.counts[i]
            entropy += copies.logs[n] if n < len(copies.logs) else n * math.log(n)
    for n in range(2, 11):
        n_places = lengthen(copies, n_places)
        if n <= 4:
            at = TOP + (n - 2) * 5
            longest, earliest, most = most_frequent(copies, n_places, n)
            row[at + 3] = most
            row[at + 4] = copies.before[n] if n_words >= n else 0
            if longest >= 0:
                row[at] = covered(copies, n_places, n, False, longest)
                row[at + 1] = (copies.before[longest + n] - copies.before[longest]) * most
                row[at + 2] = (copies.before[earliest + n] - copies.before[earliest]) * most
        elif n_words >= n:
            at = DUP + (n - 5) * 5
            row[at] = covered(copies, n_places, n, True, -1)
            row[at + 1] = covered(copies, n_places, n, False, -1)
            if parts & OF_SYSTEMS:
                row[at + 2] = _skipped(copies, n_places, n)
                row[at + 3] = summed(copies, n_places, n)
                row[at + 4] = _of_all_runs(copies.before, n_words, n)
    return entropy


@kernel
def _of_all_runs(before: Any, n_words: Any, n: Any) -> Any:
    """Return the code points of all runs of ``n`` words; a word counts once for each run that it is in."""
    total = np.int64(0)
    for i in range(n):
        total += before[n_words - i] - before[i]
    return total


@kernel
def _skipped(copies: Any, n_places: Any, n: Any) -> Any:
    """Call ``skipped_over``, and restore the counts that it uses up."""
    total = skipped_over(copies, n_places, n)
    for k in range(n_places):
        copies.counts[copies.first[copies.places[k]]] = 2
    return total


@kernel
def measure_document(
    data: Any,
    start: Any,
    end: Any,
    kind: Any,
    parts: Any,
    stop_words: Any,
    table: Any,
    room: Any,
    row: Any,
) -> Any:
    """Measure one document.

    Returns:
        The number of words and of lines, and the sum for the entropy. If the words or lines do not fit
        into ``room``, ``row`` is not complete.
    """
    for i in range(len(row)):
        row[i] = 0
    words, lines = room.words, room.lines
    n_words = (
        split_words(data, start, end, table, words)
        if kind == SPLIT
        else find_words(data, start, end, table, kind == UAX_29, words)
    )
    n_lines = read_lines(data, start, end, table, lines, row) if parts & OF_LINES else 0
    if n_words > len(words.hashes) or n_lines > len(lines.hashes):
        return n_words, n_lines, 0.0
    row[WORDS] = n_words
    _word_counts(words, n_words, stop_words, row)
    if parts & OF_LINES:
        _line_counts(lines, n_lines, words, n_words, row)
        _duplicate_lines(lines, n_lines, row[PARAGRAPHS], room.copies, row)
    entropy = measure_repeats(words, n_words, room.copies, parts, row) if parts & OF_REPEATS else 0.0
    return n_words, n_lines, entropy


@kernel
def measure_some(
    data: Any,
    offsets: Any,
    first: Any,
    kind: Any,
    parts: Any,
    stop_words: Any,
    table: Any,
    room: Any,
    rows: Any,
    sums: Any,
    needed: Any,
) -> Any:
    """Measure documents from ``first`` on; return the number of the first that does not fit into ``room``.

    Args:
        rows: int64[n_docs, N_VALUES].
        sums: float64[n_docs].
        needed: int64[2], the words and lines of that document.
    """
    for i in range(first, len(offsets) - 1):
        n_words, n_lines, sums[i] = measure_document(
            data, offsets[i], offsets[i + 1], kind, parts, stop_words, table, room, rows[i]
        )
        if n_words > len(room.words.hashes) or n_lines > len(room.lines.hashes):
            needed[0], needed[1] = n_words, n_lines
            return i
    return len(offsets) - 1


def measure_batch(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    *,
    table: Any,
    stop_words: NDArray[np.uint64],
    kind: int = WORDS_1,
    parts: int = ALL_PARTS,
    seed: int = 0,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Measure the documents of a batch.

    Args:
        data: uint8[n_bytes], the UTF-8 of all documents.
        offsets: int64[n_docs + 1].
        table: the table of ``characters()``.
        stop_words: uint64[at most 60], the hashes of stop words.
        kind: the kind of words.
        parts: what to measure.
        seed: where keys are in hash tables; no result depends on it. A text cannot be written against a seed
            that its author does not know.

    Returns:
        int64[n_docs, N_VALUES], and float64[n_docs]: the sum of ``c ln c`` over the counts of words.
    """
    n_docs = len(offsets) - 1
    rows, sums = np.zeros((n_docs, N_VALUES), np.int64), np.zeros(n_docs)
    needed, done, size = np.zeros(2, np.int64), 0, _ROOM
    room = room_for(*size, seed=seed)
    while True:
        done = measure_some(data, offsets, done, kind, parts, stop_words, table, room, rows, sums, needed)
        if done >= n_docs:
            return rows, sums
        size = max(size[0], int(needed[0])), max(size[1], int(needed[1]))
        room = room_for(*size, seed=seed)
