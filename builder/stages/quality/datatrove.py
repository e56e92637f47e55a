"""Measure and edit as datatrove 0.10 does for English: Gopher, C4 without end marks, FineWeb.

A null signal rejects nothing. Where datatrove drops a text because it is empty, ``words`` is 0 here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from builder.domain.text_buffers import text_buffers
from builder.kernels.quality import places as at
from builder.kernels.quality.characters import IS_TERMINAL, characters
from builder.kernels.quality.lines import LONG_WORD_CHARS
from builder.kernels.quality.measure import SPLIT, measure_batch
from builder.kernels.quality.places import SHORT_CHARS
from builder.stages.quality.line_rules import CITATION
from builder.stages.quality.line_table import AT_ANY_LINE_END, LineEdits, LineTable, no_line_kinds
from builder.stages.quality.signals import POLICIES, STOP_WORDS
from builder.stages.quality.spacy_words import count_sentences, spacy_words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_CONTROLS = frozenset(map(chr, [*range(9), 11, 12, *range(13, 32), *range(127, 160)]))
_SIGNS = frozenset(
    "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~«´»–—’“”„…∶━►、。〈〉《》「」【】！％（），．１：；？～"
)
_LATER_MARKS = frozenset(
    map(chr, (0x2024, 0x2CF9, 0x2CFA, 0x2CFB, 0x2E60, 0x2E61, 0x1B4E, 0x1B4F, 0x1B7F, 0xFE12, 0xFE15, 0xFE16,
              0x113D4, 0x113D5, 0x16D6E, 0x16D6F))
)  # fmt: skip
_KHMER_MARKS = frozenset(map(chr, (0x17D6, 0x17D9, 0x17DA)))
LEAST_WORDS = 3
"""FineWeb uses C4's rule on short lines with this limit, and not the rule on the ends of lines."""


def terminal_marks() -> frozenset[str]:
    """Return the characters that end a sentence for datatrove: those of Unicode 15, and three of Khmer."""
    table = characters()
    codes = (
        (block << 7) | low
        for block, leaf in enumerate(table.blocks.tolist())
        for low in np.flatnonzero(table.leaves[leaf << 7 : (leaf + 1) << 7] & IS_TERMINAL).tolist()
    )
    return (frozenset(map(chr, codes)) - _LATER_MARKS) | _KHMER_MARKS


_MARKS = terminal_marks()
_ENDS = tuple(sorted(_MARKS))
_PUNCTUATION = _MARKS | _SIGNS | _CONTROLS


def measure_gopher(texts: pa.Array) -> Mapping[str, pa.Array]:
    """Measure the signals of Gopher's rules on quality and repetition."""
    strings = texts.to_pylist()
    words = [spacy_words(text) for text in strings]
    quality = [_quality(text, some) for text, some in zip(strings, words, strict=True)]
    lines = [_duplicates(text) for text in strings]
    return {**_columns(lines), **_runs(strings, words), **_columns(quality)}


def edit_as_fineweb(texts: pa.Array) -> LineEdits:
    """Measure Gopher's signals, then drop lines as FineWeb uses C4, then measure FineWeb's signals."""
    found = dict(measure_gopher(texts))
    edits = _edit_as_c4(texts)
    edited = [_fineweb(text, spacy_words(text)) for text in edits.texts.to_pylist()]
    found |= {**edits.values, **_columns(edited)}
    return LineEdits(texts=edits.texts, changed=edits.changed, taken_out=edits.taken_out, values=found)


def measure_fineweb(texts: pa.Array) -> Mapping[str, pa.Array]:
    """Measure the signals of FineWeb's own rules."""
    return _columns([_fineweb(text, spacy_words(text)) for text in texts.to_pylist()])


def _quality(text: str, words: Sequence[str]) -> dict[str, Any]:
    real = [word for word in words if not _PUNCTUATION.issuperset(word)]
    lines = text.splitlines()
    return {
        "words": len(real),
        "mean_word_length": _ratio(sum(map(len, real)), len(real)),
        "hash_ratio": _ratio(text.count("#"), len(words)),
        "ellipsis_ratio": _ratio(text.count("...") + text.count("…"), len(words)),
        "bullet_lines": _ratio(sum(line.lstrip().startswith(("•", "-")) for line in lines), len(lines)),
        "ellipsis_lines": _ratio(sum(line.rstrip().endswith(("...", "…")) for line in lines), len(lines)),
        "alpha_words": _ratio(sum(any(map(str.isalpha, word)) for word in words), len(words)),
        "stop_words": len(set(STOP_WORDS).intersection(words)),
    }


def _duplicates(text: str) -> dict[str, float | None]:
    paragraphs, lines = re.split(r"\n{2,}", text.strip()), re.split(r"\n+", text)
    (n_paras, para_chars), (n_lines, line_chars) = _later_copies(paragraphs), _later_copies(lines)
    return {
        "dup_para_frac": _ratio(n_paras, len(paragraphs)),
        "dup_para_char_frac": _ratio(para_chars, len(text)),
        "dup_line_frac": _ratio(n_lines, len(lines)),
        "dup_line_char_frac": _ratio(line_chars, len(text)),
    }


def _later_copies(parts: Sequence[str]) -> tuple[int, int]:
    """Return the number and the characters of second and later copies."""
    seen: set[str] = set()
    number = chars = 0
    for part in parts:
        if part in seen:
            number, chars = number + 1, chars + len(part)
        seen.add(part)
    return number, chars


def _runs(texts: Sequence[str], words: Sequence[Sequence[str]]) -> dict[str, pa.Array]:
    """Return the signals of repeated runs of words; the denominator is the text with its white space.

    The most frequent run counts with the spaces between its words, also if it occurs once.
    """
    data, offsets = text_buffers(pa.array([" ".join(some) for some in words], pa.large_string()))
    none = np.zeros(0, np.uint64)
    rows = measure_batch(data, offsets, table=characters(), stop_words=none, kind=SPLIT)[0]
    chars = np.array([len(text) for text in texts], np.int64)
    n_words = np.array([len(some) for some in words], np.int64)
    found: dict[str, pa.Array] = {}
    for n in (2, 3, 4):
        place = at.TOP + (n - 2) * len(at.TOP_VALUES)
        count = np.maximum(rows[:, place + at.TOP_VALUES.index("count")], 1)
        once = rows[:, place + at.TOP_VALUES.index("first_run")]
        often = rows[:, place + at.TOP_VALUES.index("times_earliest")]
        over = np.where(n_words < n, 0, np.where(count < 2, once, often) + (n - 1) * count)
        found[f"top_{n}gram"] = _shares(over, chars)
    for n in range(5, 11):
        place = at.DUP + (n - 5) * len(at.DUP_VALUES) + at.DUP_VALUES.index("skipped")
        found[f"dup_{n}gram"] = _shares(rows[:, place], chars)
    return found


def _fineweb(text: str, words: Sequence[str]) -> dict[str, Any]:
    lines = [line for line in text.split("\n") if line.strip()]
    return {
        "line_punct": _ratio(sum(line.endswith(_ENDS) for line in lines), len(lines)),
        "short_lines": _ratio(sum(len(line) <= SHORT_CHARS for line in lines), len(lines)),
        "char_dup": _ratio(_later_copies(lines)[1], len(text) - text.count("\n")),
        "newline_ratio": _ratio(text.count("\n"), len(words)),
    }


def _edit_as_c4(texts: pa.Array) -> LineEdits:
    table = LineTable.of(texts, line_ends=AT_ANY_LINE_END).stripped()
    cleaned = pc.replace_substring_regex(table.lines, CITATION, "")
    kinds = no_line_kinds(len(table.docs))
    lorem, curly, sentences = (np.zeros(len(kinds), np.int64) for _ in range(3))
    for i, (line, whole) in enumerate(zip(cleaned.to_pylist(), table.lines.to_pylist(), strict=True)):
        words, lower = whole.split(), line.lower()
        if any(len(word) > LONG_WORD_CHARS for word in words):
            kinds[i] = "long_word"
        elif len(words) < LEAST_WORDS:
            kinds[i] = "few_words"
        elif "lorem ipsum" in lower:
            lorem[i] = 1
        elif "javascript" in lower:
            kinds[i] = "javascript"
        elif "{" in line:
            curly[i] = 1
        elif any(one in lower for one in POLICIES):
            kinds[i] = "policy"
        else:
            sentences[i] = count_sentences(line)
    left = kinds == np.array(None)
    kinds[left & pc.not_equal(cleaned, table.lines).to_numpy(zero_copy_only=False).astype(bool)] = "citation"
    edited = pc.utf8_trim_whitespace(table.with_lines(cleaned).where(left).joined())
    return LineEdits(
        texts=edited,
        changed=pc.not_equal(edited, texts.cast(pa.large_string()))
        .to_numpy(zero_copy_only=False)
        .astype(bool),
        taken_out=table.taken_out(kinds),
        values={
            "lorem_ipsum": pa.array(table.sum(lorem)),
            "curly_brackets": pa.array(table.sum(curly)),
            "sentences": pa.array(table.sum(sentences)),
        },
    )


def _columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, pa.Array]:
    return {name: pa.array([row[name] for row in rows]) for name in rows[0]} if rows else {}


def _ratio(over: float, under: int) -> float | None:
    return round(over / under, 6) if under else None


def _shares(over: Any, under: Any) -> pa.Array:
    return pa.array(np.round(over / np.maximum(under, 1), 6), mask=under == 0)
