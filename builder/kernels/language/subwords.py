"""Find the rows of a text in a fastText model: its words, their character n-grams, and n-grams of words.

A text is read as fastText reads a line. Blanks and control characters separate words. A word that begins
with ``__label__`` is skipped. The token ``</s>`` ends the text; it is added once at the end. The n-grams of a
word are those of ``<word>``, by characters; a single character at a border does not count. FNV-1a with 32
bits hashes them, over signed bytes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from builder.kernels.bits import count_ones
from builder.kernels.jit import kernel
from builder.kernels.language.model import LANES, MAX_GRAM, ROOM_BYTES, ROOM_ROWS

_BASIS = np.uint32(2166136261)
_PRIME = np.uint32(16777619)
_BEGIN, _END = np.uint8(ord("<")), np.uint8(ord(">"))
_LABEL = np.frombuffer(b"__label__", np.uint8)
_LAST = np.frombuffer(b"</s>", np.uint8)
_N_LABEL, _N_LAST = len(_LABEL), len(_LAST)
_LAST_HASH = 3617362777
"""Hash of the token ``</s>``."""

_WORD_FACTOR = np.uint64(116049371)
_LONGEST = ROOM_BYTES - 2
"""Bytes of the longest word that is copied with its borders; longer words are read where they are."""


@kernel
def _hash_byte(h: Any, byte: Any) -> Any:
    """Continue a hash by one byte, as a signed number."""
    return np.uint32((h ^ np.uint32(np.int32(np.int8(byte)))) * _PRIME)


@kernel
def _hash_bytes(data: Any, at: Any, end: Any) -> Any:
    h = _BASIS
    for i in range(at, end):
        h = _hash_byte(h, data[i])
    return h


@kernel
def _is_blank(byte: Any) -> Any:
    """Return whether fastText ends a word at this byte."""
    return byte <= 32 and (byte == 32 or (9 <= byte <= 13) or byte == 0)


@kernel
def _begins_with(data: Any, at: Any, end: Any, start: Any, n: Any) -> Any:
    if end - at < n:
        return False
    is_same, i = True, 0
    while is_same and i < n:
        is_same = data[at + i] == start[i]
        i += 1
    return is_same


@kernel
def find_word(vocabulary: Any, h: Any, data: Any, at: Any, end: Any) -> Any:
    """Return the entry of a word, or -1."""
    mask = np.int64(len(vocabulary.slots) - 1)
    slot = np.int64(h) & mask
    while True:
        entry = np.int64(vocabulary.slots[slot])
        if entry < 0:
            return np.int64(-1)
        if vocabulary.hashes[entry] == h:
            first = vocabulary.ends[entry]
            n = vocabulary.ends[entry + 1] - first
            is_same = n == end - at
            i = 0
            while is_same and i < n:
                is_same = vocabulary.data[first + i] == data[at + i]
                i += 1
            if is_same:
                return entry
        slot = (slot + 1) & mask


@kernel
def _push_bucket(buckets: Any, hash_: Any, rows: Any, n_rows: Any) -> Any:
    """Append the row of a hash, if its bucket has one; return the number of rows."""
    h = np.uint64(hash_)
    at = h - ((h * np.uint64(buckets.reciprocal)) >> np.uint64(buckets.shift)) * np.uint64(buckets.n_buckets)
    while at >= np.uint64(buckets.n_buckets):
        at -= np.uint64(buckets.n_buckets)
    group = np.int64(at >> np.uint64(6))
    place = at & np.uint64(63)
    bits = buckets.bits[group, 0]
    before = bits & ((np.uint64(1) << place) - np.uint64(1))
    # no branch, because it cannot be predicted; without a row, the next push overwrites what this writes
    rows[n_rows] = np.int32(np.int64(buckets.bits[group, 1]) + count_ones(before))
    return n_rows + np.int64((bits >> place) & np.uint64(1))


@kernel
def _push_grams(
    data: Any, at: Any, stop: Any, end: Any, first: Any, last: Any,
    layout: Any, buckets: Any, rows: Any, n_rows: Any,
) -> Any:  # fmt: skip
    """Append the rows of the n-grams that begin in ``data[at:stop]`` and end at ``end`` or before.

    Args:
        first: the position of the left border of the word, or -1.
        last: the position after its right border, or -1.
    """
    for i in range(at, stop):
        if (data[i] & 0xC0) == 0x80:
            continue
        h = _BASIS
        j = i
        n = 0
        while j < end and n < layout.max_chars:
            h = _hash_byte(h, data[j])
            j += 1
            while j < end and (data[j] & 0xC0) == 0x80:
                h = _hash_byte(h, data[j])
                j += 1
            n += 1
            if n >= layout.min_chars and not (n == 1 and (i == first or j == last)):
                n_rows = _push_bucket(buckets, h, rows, n_rows)
    return n_rows


@kernel
def _push_short(data: Any, at: Any, end: Any, model: Any, room: Any, n_rows: Any) -> Any:
    """Append the rows of the n-grams of a word that fits into the buffer with its borders."""
    n = end - at
    room.word[0] = _BEGIN
    for i in range(n):
        room.word[i + 1] = data[at + i]
    room.word[n + 1] = _END
    return _push_grams(room.word, 0, n + 2, n + 2, 0, n + 2, model.layout, model.buckets, room.rows, n_rows)


@kernel
def _push_long(data: Any, at: Any, end: Any, model: Any, room: Any, n_rows: Any) -> Any:
    """Append the rows of the n-grams of a long word; only its two ends are copied with a border."""
    layout, buckets, word = model.layout, model.buckets, room.word
    reach = 4 * MAX_GRAM  # bytes of the longest n-gram
    word[0] = _BEGIN
    for i in range(reach):
        word[i + 1] = data[at + i]
    n_rows = _push_grams(word, 0, 1, reach + 1, 0, -1, layout, buckets, room.rows, n_rows)
    place = at
    while place < end - reach:
        stop = min(place + ROOM_BYTES, end - reach)
        n_rows = _push_grams(data, place, stop, end, -1, -1, layout, buckets, room.rows, n_rows)
        n_rows = _add_full(model, room, n_rows)
        place = stop
    for i in range(reach):
        word[i] = data[end - reach + i]
    word[reach] = _END
    return _push_grams(word, 0, reach + 1, reach + 1, -1, reach + 1, layout, buckets, room.rows, n_rows)


@kernel
def _push_word(data: Any, at: Any, end: Any, entry: Any, model: Any, room: Any, n_rows: Any) -> Any:
    """Append the rows of a word, which must not be a label: its own row, and those of its n-grams."""
    if entry >= 0:
        room.rows[n_rows] = model.vocabulary.rows[entry]
        n_rows += 1
    if model.layout.max_chars > 0:
        if end - at <= _LONGEST:
            n_rows = _push_short(data, at, end, model, room, n_rows)
        else:
            n_rows = _push_long(data, at, end, model, room, n_rows)
    return n_rows


@kernel
def _add_rows(matrix: Any, rows: Any, n_rows: Any, sums: Any) -> Any:
    """Add rows of the matrix to ``sums``.

    Single precision, one row after another, as fastText adds them; so scores are the same on every machine.
    """
    for block in range(0, len(sums), LANES):
        a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = np.float32(0)
        b0 = b1 = b2 = b3 = b4 = b5 = b6 = b7 = np.float32(0)
        for i in range(n_rows):
            row = np.int64(rows[i])
            a0 += matrix[row, block]
            a1 += matrix[row, block + 1]
            a2 += matrix[row, block + 2]
            a3 += matrix[row, block + 3]
            a4 += matrix[row, block + 4]
            a5 += matrix[row, block + 5]
            a6 += matrix[row, block + 6]
            a7 += matrix[row, block + 7]
            b0 += matrix[row, block + 8]
            b1 += matrix[row, block + 9]
            b2 += matrix[row, block + 10]
            b3 += matrix[row, block + 11]
            b4 += matrix[row, block + 12]
            b5 += matrix[row, block + 13]
            b6 += matrix[row, block + 14]
            b7 += matrix[row, block + 15]
        sums[block] += a0
        sums[block + 1] += a1
        sums[block + 2] += a2
        sums[block + 3] += a3
        sums[block + 4] += a4
        sums[block + 5] += a5
        sums[block + 6] += a6
        sums[block + 7] += a7
        sums[block + 8] += b0
        sums[block + 9] += b1
        sums[block + 10] += b2
        sums[block + 11] += b3
        sums[block + 12] += b4
        sums[block + 13] += b5
        sums[block + 14] += b6
        sums[block + 15] += b7


@kernel
def _add_full(model: Any, room: Any, n_rows: Any) -> Any:
    """Add the collected rows if there are many, and return how many remain; count them in ``sums``."""
    if n_rows < ROOM_ROWS:
        return n_rows
    _add_rows(model.matrices.rows, room.rows, n_rows, room.sums)
    room.counts[0] += n_rows
    return np.int64(0)


@kernel
def _push_word_grams(window: Any, first: Any, n_words: Any, model: Any, room: Any, n_rows: Any) -> Any:
    """Append the rows of the n-grams of words that begin with word ``first`` of a text.

    Args:
        window: uint64[MAX_GRAM], the hash of word ``i`` at ``i % MAX_GRAM``.
        n_words: number of words that are known; n-grams end before it.
    """
    h = window[first % MAX_GRAM]
    for j in range(first + 1, min(n_words, first + model.layout.max_words)):
        h = np.uint64(h * _WORD_FACTOR) + window[j % MAX_GRAM]
        bucket = h % np.uint64(model.buckets.n_buckets)
        n_rows = _push_bucket(model.buckets, bucket, room.rows, n_rows)
    return n_rows


@kernel
def _push_all_word_grams(data: Any, start: Any, end: Any, model: Any, room: Any, n_rows: Any) -> Any:
    """Append the rows of all n-grams of words of a text; they follow the rows of all words."""
    n_words = 0
    reach = model.layout.max_words
    at = start
    is_open = True
    while is_open:
        while at < end and _is_blank(data[at]):
            at += 1
        stop = at
        while stop < end and not _is_blank(data[stop]):
            stop += 1
        is_open = at < stop and not (stop - at == _N_LAST and _begins_with(data, at, stop, _LAST, _N_LAST))
        h = _hash_bytes(data, at, stop) if is_open else np.uint32(_LAST_HASH)
        is_label = is_open and _is_label(
            data, at, stop, find_word(model.vocabulary, h, data, at, stop), model
        )
        if not is_label:
            room.words[n_words % MAX_GRAM] = np.uint64(np.int64(np.int32(h)))
            n_words += 1
            if n_words >= reach:
                n_rows = _push_word_grams(room.words, n_words - reach, n_words, model, room, n_rows)
                n_rows = _add_full(model, room, n_rows)
        at = stop
    for first in range(max(n_words - reach + 1, 0), n_words):
        n_rows = _push_word_grams(room.words, first, n_words, model, room, n_rows)
    return n_rows


@kernel
def _is_label(data: Any, at: Any, end: Any, entry: Any, model: Any) -> Any:
    """Return whether fastText takes a token for a label, which is not part of the text."""
    if entry >= 0:
        return model.vocabulary.rows[entry] < 0
    return _begins_with(data, at, end, _LABEL, _N_LABEL)


@kernel
def add_text(data: Any, start: Any, end: Any, model: Any, room: Any) -> Any:
    """Write the sum of all rows of a text to ``room.sums``; return the number of rows."""
    room.sums[:] = 0
    room.counts[0] = 0
    n_rows = np.int64(0)
    at = start
    while True:
        while at < end and _is_blank(data[at]):
            at += 1
        if at >= end:
            break
        h = _BASIS
        stop = at
        while stop < end and not _is_blank(data[stop]):
            h = _hash_byte(h, data[stop])
            stop += 1
        if stop - at == _N_LAST and _begins_with(data, at, stop, _LAST, _N_LAST):
            break
        entry = find_word(model.vocabulary, h, data, at, stop)
        if not _is_label(data, at, stop, entry, model):
            n_rows = _push_word(data, at, stop, entry, model, room, n_rows)
            n_rows = _add_full(model, room, n_rows)
        at = stop
    if model.vocabulary.end_row >= 0:
        room.rows[n_rows] = model.vocabulary.end_row
        n_rows += 1
    if model.layout.max_words > 1:
        n_rows = _push_all_word_grams(data, start, end, model, room, n_rows)
    _add_rows(model.matrices.rows, room.rows, n_rows, room.sums)
    return room.counts[0] + n_rows
