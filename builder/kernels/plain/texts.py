"""Clean the texts of a batch: the only kernel that a batch calls."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from builder.kernels.jit import kernel
from builder.kernels.plain.classes import name_classes
from builder.kernels.plain.cutting import cut_units, is_flat
from builder.kernels.plain.features import describe_units
from builder.kernels.plain.layout import U_END, U_START
from builder.kernels.plain.removal import (
    SPAN_END,
    SPAN_START,
    append_bytes,
    choose_units,
    list_spans,
    write_kept,
)
from builder.kernels.plain.statistics import hash_of_words, hash_title, measure_units


class Choice(NamedTuple):
    """Working memory for what is decided on the units of one text.

    Attributes:
        title: uint64[MAX_TITLE_HASHES].
        scores: int32[n], the probability that a unit is main text, in 1/1000.
        words: int64[n], words of each unit.
        steps: uint8[n], how ``choose_runs`` came to a unit.
        classes: uint8[n].
        buckets: int64[CERTAIN + 1].
        left: uint16[UNITS_AT_ONCE].
        votes: int64[N_LEARNED].
    """

    title: Any
    scores: Any
    words: Any
    steps: Any
    classes: Any
    buckets: Any
    left: Any
    votes: Any


class CleanedTexts(NamedTuple):
    """The results for the texts of one batch.

    Attributes:
        text: uint8[n_bytes], the cleaned texts, end to end.
        offsets: int64[n_texts + 1], where each one begins.
        removed: int64[n_texts], bytes in removed spans.
        spans: int64[n_spans, N_SPAN].
    """

    text: Any
    offsets: Any
    removed: Any
    spans: Any


@kernel
def read_units(
    data: Any, start: Any, end: Any, title: Any, vocabulary: Any, memory: Any, title_words: Any
) -> Any:
    """Cut a text into units and describe them; return their number.

    If ``memory`` has too little room for so many units, nothing but their number is right.

    Args:
        data: uint8[n_bytes], UTF-8.
        start: the first byte of the text.
        end: its end.
        title: uint8[n], the title of the page; if empty, the first unit counts as the title.
        vocabulary: int8[1 << VOCABULARY_BITS].
        memory: ``Units``, overwritten.
        title_words: uint64[MAX_TITLE_HASHES], overwritten.
    """
    flat = is_flat(data, start, end)
    n = cut_units(data, start, end, flat, memory.units, memory.steps)
    if n == 0 or n > len(memory.units):
        return n
    if len(title):
        n_title = hash_title(title, 0, len(title), title_words)
    else:
        n_title = hash_title(data, memory.units[0, U_START], memory.units[0, U_END], title_words)
    measure_units(data, n, title_words, n_title, vocabulary, memory)
    describe_units(n, flat, memory)
    return n


@kernel
def clean_texts(
    data: Any,
    ranges: Any,
    titles: Any,
    title_ends: Any,
    model: Any,
    memory: Any,
    rows: Any,
    at: Any,
    out: Any,
) -> Any:
    """Clean texts from ``at[0]`` on, and return 0; or the units or spans that a text needs room for.

    Args:
        data: uint8[n_bytes], UTF-8 of all texts.
        ranges: int64[n_texts, 2], the first byte of each text, and its end.
        titles: uint8[n], the titles of the pages, end to end.
        title_ends: int64[n_texts], where the title of each page ends.
        model: trees, vocabulary, ``ClassWords``, and the limits of the cut.
        memory: ``Units``.
        rows: ``Choice``.
        at: int64[2], the next text, and the number of spans; changed in place.
        out: ``CleanedTexts``, overwritten.
    """
    trees, vocabulary, learned, limits = model
    out.offsets[0] = 0
    for row in range(at[0], len(ranges)):
        start = ranges[row, 0]
        end = ranges[row, 1]
        title = titles[title_ends[row - 1] if row > 0 else 0 : title_ends[row]]
        n = read_units(data, start, end, title, vocabulary, memory, rows.title)
        needed = max(n, at[1] + n)
        if n > len(memory.units) or needed > len(out.spans):
            return needed
        key = hash_of_words(title, 0, len(title)) if len(title) else np.uint64(0)
        choose_units(n, memory, trees, limits, key, rows)
        name_classes(data, n, memory, learned, rows.votes, rows.classes)
        o = out.offsets[row]
        before = at[1]
        at[1] = list_spans(n, memory, rows.scores, rows.classes, row, out.spans, before)
        removed = np.int64(0)
        for k in range(before, at[1]):
            removed += out.spans[k, SPAN_END] - out.spans[k, SPAN_START]
        out.removed[row] = removed
        if at[1] == before:
            o = append_bytes(data, start, end, out.text, o)
        else:
            o = write_kept(data, start, end, is_flat(data, start, end), n, memory, rows.classes, out.text, o)
        out.offsets[row + 1] = o
        at[0] = row + 1
    return 0


@kernel
def copy_spans(data: Any, spans: Any, n: Any, max_chars: Any, out: Any, offsets: Any, chars: Any) -> None:
    """Copy the texts of spans, at most ``max_chars`` characters of each.

    Args:
        data: uint8[n_bytes], UTF-8.
        spans: int64[n_spans, N_SPAN].
        n: how many of them count.
        max_chars: characters that are copied at most.
        out: uint8[n_out], overwritten.
        offsets: int64[n + 1], overwritten.
        chars: int64[n], the characters of each span, overwritten.
    """
    o = 0
    offsets[0] = 0
    for i in range(n):
        start = spans[i, SPAN_START]
        end = spans[i, SPAN_END]
        text = data[start:end]
        n_chars = np.int64(0)
        for k in range(len(text)):
            n_chars += (text[k] & 0xC0) != 0x80
        chars[i] = n_chars
        if n_chars > max_chars:
            n_chars = np.int64(0)
            end = start
            while n_chars <= max_chars:
                n_chars += (data[end] & 0xC0) != 0x80
                end += 1
            end -= 1
        o = append_bytes(data, start, end, out, o)
        offsets[i + 1] = o
