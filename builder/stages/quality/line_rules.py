"""Take lines out of texts as C4 and RefinedWeb do, by our words.

The order of the rules is part of each definition: rules on a page look at the lines that are left there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from builder.kernels.quality.lines import LONG_WORD_CHARS
from builder.kernels.quality.places import MIN_LINE_WORDS
from builder.stages.quality.line_table import LineEdits, LineTable, no_line_kinds
from builder.stages.quality.measuring import measure_signals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

CITATION = r"\[[0-9]*\]|\[edit\]|\[citation needed\]"
"""References of an encyclopedia, as C4 removes them."""

MAX_PART_WORDS = 10
"""Lines with more words keep the phrases that RefinedWeb removes from lines."""

_CHUNK_LINES = 1 << 16
"""Lines that are measured at once, because all counts of a line take 700 bytes."""

_PHRASES = r"(?i)items in cart|^\s*sign-in|read more\.\.\.\s*$"


def edit_as_c4(texts: pa.Array) -> LineEdits:
    """Drop lines and references as C4 does, and measure what its rules on pages look at.

    ``lorem_ipsum`` and ``curly_brackets`` count lines, ``sentences`` those of the lines that stay.
    """
    table = LineTable.of(texts).stripped()
    table = table.where(_matches(table.lines, r"\S"))
    cleaned = pc.replace_substring_regex(table.lines, CITATION, "")
    measured = _measure_lines(
        cleaned, ["words", "sentences", "lorem_ipsum", "javascript_lines", "policy_lines"]
    )
    counts = {name: _integers(column) for name, column in measured.items()}
    longest = _integers(_measure_lines(table.lines, ["longest_word"])["longest_word"])
    ends_well = _matches(cleaned, r'[.?!"]$') & ~_matches(cleaned, r"\.\.\.$")
    kinds = no_line_kinds(len(table.docs))
    _take(kinds, longest > LONG_WORD_CHARS, "long_word")
    _take(kinds, ~ends_well, "no_end_mark")
    _take(kinds, counts["words"] < MIN_LINE_WORDS, "few_words")
    lorem = _left(kinds) & (counts["lorem_ipsum"] > 0)
    _take(kinds, counts["javascript_lines"] > 0, "javascript")
    curly = _left(kinds) & _matches(cleaned, r"\{")
    _take(kinds, counts["policy_lines"] > 0, "policy")
    left = _left(kinds)
    values = {
        "lorem_ipsum": pa.array(table.count(lorem)),
        "curly_brackets": pa.array(table.count(curly)),
        "sentences": pa.array(table.sum(np.where(left, counts["sentences"], 0))),
    }
    _take(kinds, _changed(cleaned, table.lines), "citation")
    edited = table.with_lines(cleaned).where(left).joined()
    return LineEdits(
        texts=edited,
        changed=_changed(edited, texts.cast(pa.large_string())),
        taken_out=table.taken_out(kinds),
        values=values,
    )


def edit_as_refinedweb(texts: pa.Array) -> LineEdits:
    """Drop lines of upper case, digits, counters and single words; ``removed_words`` is their share.

    Blank lines stay, because they separate paragraphs. Three phrases leave short lines.
    """
    table = LineTable.of(texts)
    measured = _measure_lines(table.lines, ["words", "lines", "upper_lines", "digit_lines", "counter_lines"])
    words = _integers(measured["words"])
    kinds = no_line_kinds(len(table.docs))
    for name, kind in (
        ("upper_lines", "upper_case"),
        ("digit_lines", "digits"),
        ("counter_lines", "counter"),
    ):
        _take(kinds, pc.fill_null(measured[name], 0.0).to_numpy(zero_copy_only=False) > 0, kind)
    _take(kinds, (words < 2) & (_integers(measured["lines"]) > 0), "few_words")
    left = _left(kinds)
    cleaned = table.lines
    has_phrase = left & (words <= MAX_PART_WORDS) & _matches(cleaned, _PHRASES)
    if has_phrase.any():
        without = pc.replace_substring_regex(cleaned, _PHRASES, "")
        cleaned = pc.if_else(pa.array(has_phrase), without, cleaned)
        _take(kinds, has_phrase, "phrase")
    before = table.sum(words)
    after = table.sum(np.where(left, _integers(_measure_lines(cleaned, ["words"])["words"]), 0))
    share = np.round(1 - after / np.maximum(before, 1), 6)  # 1 if lines without a word were all there was
    edited = table.with_lines(cleaned).where(left).joined()
    texts = texts.cast(pa.large_string())
    changed = table.count(~left | has_phrase) > 0
    return LineEdits(
        texts=pc.if_else(pa.array(changed), edited, texts),
        changed=changed,
        taken_out=table.taken_out(kinds),
        values={"removed_words": pa.array(share, mask=(before == 0) & ~changed)},
    )


def _measure_lines(lines: pa.Array, names: Sequence[str]) -> dict[str, pa.Array]:
    """Measure each line as a text of its own, in bounded memory."""
    starts = range(0, max(len(lines), 1), _CHUNK_LINES)
    parts = [measure_signals(lines.slice(start, _CHUNK_LINES), names) for start in starts]
    return {name: pa.concat_arrays([part[name] for part in parts]) for name in names}


def _take(kinds: NDArray[np.object_], gone: NDArray[np.bool_], kind: str) -> None:
    """Give a kind to lines that have none."""
    kinds[gone & _left(kinds)] = kind


def _left(kinds: NDArray[np.object_]) -> NDArray[np.bool_]:
    left: NDArray[np.bool_] = kinds == np.array(None)
    return left


def _integers(column: pa.Array) -> NDArray[np.int64]:
    found: NDArray[np.int64] = column.to_numpy(zero_copy_only=False).astype(np.int64)
    return found


def _matches(lines: pa.Array, pattern: str) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = pc.match_substring_regex(lines, pattern).to_numpy(zero_copy_only=False)
    return found.astype(np.bool_)


def _changed(lines: pa.Array, others: pa.Array) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = pc.not_equal(lines, others).to_numpy(zero_copy_only=False)
    return found.astype(np.bool_)
