"""Measure as other systems do, where their words, lines or formulas differ from ours.

Each dialect has the signals of one system, under the names of ours. The formulas were checked document by
document against the decisions of the systems' own functions.
"""

from __future__ import annotations

import string
import unicodedata
from dataclasses import dataclass, replace
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from builder.domain.text_buffers import text_buffers
from builder.kernels.quality import places as at
from builder.kernels.quality.characters import characters
from builder.kernels.quality.measure import SPLIT, UAX_29, measure_batch
from builder.stages.quality.datatrove import edit_as_fineweb, measure_gopher
from builder.stages.quality.line_rules import edit_as_c4, edit_as_refinedweb
from builder.stages.quality.signals import STOP_WORDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from builder.stages.quality.line_table import LineEdits

    Measure = Callable[[pa.Array], Mapping[str, pa.Array]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemDialect:
    """The signals of one system.

    Attributes:
        names: the signals that it measures in its own way.
        words: what its words are, for the docs.
        measure: measures a column of texts without nulls.
        edit: edits such a column and measures it on the way; None if the system does not edit texts.
        needs_spacy: whether the words are those of spaCy.
    """

    names: tuple[str, ...]
    words: str
    measure: Measure
    edit: Callable[[pa.Array], LineEdits] | None = None
    needs_spacy: bool = False

    def values(self, texts: pa.Array) -> Mapping[str, pa.Array]:
        """Measure a column of texts; a null text has null signals."""
        if texts.null_count == len(texts):
            return {name: pa.nulls(len(texts), pa.float64()) for name in self.names}
        measured = self.measure(texts.fill_null(""))
        if not texts.null_count:
            return measured
        return _null_where_missing(measured, texts)

    def edits(self, texts: pa.Array) -> LineEdits:
        """Edit a column of texts; a null text stays null and has null signals."""
        if self.edit is None:
            raise TypeError(f"this dialect does not edit texts: {self.words}")
        found = self.edit(texts.fill_null(""))
        if not texts.null_count:
            return found
        is_there = texts.is_valid().to_numpy(zero_copy_only=False)
        values = _null_where_missing(found.values, texts)
        return replace(found, changed=found.changed & is_there, values=values)


def _null_where_missing(values: Mapping[str, pa.Array], texts: pa.Array) -> Mapping[str, pa.Array]:
    return {
        name: pc.if_else(texts.is_valid(), column, pa.scalar(None, column.type))
        for name, column in values.items()
    }


LENGTHS = {"top": (2, 3, 4), "dup": (5, 6, 7, 8, 9, 10)}


def _ngrams(rows: NDArray[np.int64], *, top: str, dup: str, total: bool = False) -> dict[str, pa.Array]:
    """Return the signals of repeated runs.

    Args:
        top: the value of ``TOP_VALUES`` to take.
        dup: the value of ``DUP_VALUES`` to take.
        total: whether runs are compared with the sum over all runs, and a run that occurs once counts.
    """
    found: dict[str, pa.Array] = {}
    chars = rows[:, at.WORD_CHARS]
    for n in LENGTHS["top"]:
        place = at.TOP + (n - 2) * len(at.TOP_VALUES)
        over = rows[:, place + at.TOP_VALUES.index(top)]
        if total:
            once = rows[:, place + at.TOP_VALUES.index("count")] < 2
            over = np.where(once, rows[:, place + at.TOP_VALUES.index("first_run")], over)
        found[f"top_{n}gram"] = _share(over, chars)
    for n in LENGTHS["dup"]:
        place = at.DUP + (n - 5) * len(at.DUP_VALUES)
        under = rows[:, place + at.DUP_VALUES.index("total")] if total else chars
        found[f"dup_{n}gram"] = _share(rows[:, place + at.DUP_VALUES.index(dup)], under)
    return found


def _share(over: NDArray[np.int64], under: NDArray[np.int64]) -> pa.Array:
    return pa.array(np.round(over / np.maximum(under, 1), 6), mask=under == 0)


def _rows(texts: pa.Array, kind: int) -> NDArray[np.int64]:
    data, offsets = text_buffers(texts)
    none = np.zeros(0, np.uint64)
    return measure_batch(data, offsets, table=characters(), stop_words=none, kind=kind)[0]


def _columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, pa.Array]:
    return {name: pa.array([row[name] for row in rows]) for name in rows[0]} if rows else {}


def _ratio(over: float, under: int) -> float | None:
    return round(over / under, 6) if under else None


# -- DCLM ---------------------------------------------------------------------------------------------------


def _measure_dclm(texts: pa.Array) -> Mapping[str, pa.Array]:
    rows = _rows(texts, UAX_29)
    found = {
        "dup_line_frac": _share(rows[:, at.DUP_LINES_ALL], rows[:, at.LINE_COUNT]),
        "dup_para_frac": _share(rows[:, at.DUP_PARAS_ALL], rows[:, at.PARAGRAPHS]),
        "dup_line_char_frac": _share(rows[:, at.DUP_LINE_CHARS_ALL], rows[:, at.LINE_CHARS]),
        "dup_para_char_frac": _share(rows[:, at.DUP_PARA_CHARS_ALL], rows[:, at.LINE_CHARS]),
    }
    quality = _columns([_dclm_quality(text) for text in texts.to_pylist()])
    return {**quality, **found, **_ngrams(rows, top="times_longest", dup="all")}


def _dclm_quality(text: str) -> dict[str, Any]:
    words = text.split()
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    symbols = sum(text.count(one) for one in ("#", "...", ". . .", "…"))
    return {
        "words": sum(word[0].isalnum() for word in words),
        "mean_word_length": _ratio(sum(map(len, words)), len(words)),
        "symbol_ratio": _ratio(symbols, len(words)),
        "bullet_lines": _ratio(sum(line.startswith(("●", "•", "*", "-")) for line in lines), len(lines)),
        "ellipsis_lines": _ratio(sum(line.endswith(("...", ". . .", "…")) for line in lines), len(lines)),
        "alpha_words": _ratio(sum(any(c.isalpha() for c in word) for word in words), len(words)),
        "stop_words": sum(word.lower() in STOP_WORDS for word in words),
    }


# -- dolma --------------------------------------------------------------------------------------------------


def _measure_dolma(texts: pa.Array) -> Mapping[str, pa.Array]:
    rows = _rows(texts, SPLIT)
    found = {
        "dup_line_frac": _share(rows[:, at.DUP_LINES_ALL], rows[:, at.LINE_COUNT]),
        "dup_line_char_frac": _share(rows[:, at.DUP_LINE_CHARS_ALL], rows[:, at.WORD_CHARS]),
    }
    quality = _columns([_dolma_quality(text) for text in texts.to_pylist()])
    return {**quality, **_ngrams(rows, top="times_earliest", dup="summed", total=True), **found}


def _dolma_quality(text: str) -> dict[str, Any]:
    words = text.split()
    lines = text.split("\n")
    return {
        "words": len(words),
        "median_word_length": float(median(map(len, words))) if words else None,
        "symbol_ratio": _ratio(sum("#" in word or "…" in word for word in words), len(words)),
        "bullet_lines": _ratio(sum(line.startswith(("*", "-")) for line in lines), len(lines)),
        "ellipsis_lines": _ratio(sum(line.endswith("…") for line in lines), len(lines)),
        "alpha_words": _ratio(sum(any(c.isalpha() for c in word) for word in words), len(words)),
        "stop_words": sum(word in STOP_WORDS for word in words),
    }


# -- RedPajama-v2 -------------------------------------------------------------------------------------------

_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


def _measure_redpajama(texts: pa.Array) -> Mapping[str, pa.Array]:
    normal = [_normalised(text) for text in texts.to_pylist()]
    rows = _rows(pa.array(normal, pa.large_string()), SPLIT)
    return _ngrams(rows, top="times_earliest", dup="all")


def _normalised(text: str) -> str:
    return unicodedata.normalize("NFD", " ".join(text.translate(_NO_PUNCTUATION).lower().split()))


# -- systems that edit, and datatrove ------------------------------------------------------------------------


def _measure_by(edit: Callable[[pa.Array], LineEdits]) -> Measure:
    return lambda texts: edit(texts).values


_RUNS = (*(f"top_{n}gram" for n in LENGTHS["top"]), *(f"dup_{n}gram" for n in LENGTHS["dup"]))
_QUALITY = ("words", "symbol_ratio", "bullet_lines", "ellipsis_lines", "alpha_words", "stop_words")

_LINES = ("dup_line_frac", "dup_para_frac", "dup_line_char_frac", "dup_para_char_frac")
_C4 = ("lorem_ipsum", "curly_brackets", "sentences")
_DATATROVE = (
    *_LINES,
    *_RUNS,
    "words",
    "mean_word_length",
    "hash_ratio",
    "ellipsis_ratio",
    "bullet_lines",
    "ellipsis_lines",
    "alpha_words",
    "stop_words",
)

DIALECTS: Mapping[str, SystemDialect] = {
    "dclm": SystemDialect(
        names=(
            *_QUALITY,
            "mean_word_length",
            *_LINES,
            *_RUNS,
        ),
        words="repetition: words of UAX 29 that begin with a letter or digit; quality: `str.split`",
        measure=_measure_dclm,
    ),
    "dolma-v2": SystemDialect(
        names=(*_QUALITY, "median_word_length", "dup_line_frac", "dup_line_char_frac", *_RUNS),
        words="`str.split`",
        measure=_measure_dolma,
    ),
    "redpajama-v2": SystemDialect(
        names=_RUNS,
        words="`str.split` of the text in lower case, without ASCII punctuation, in normal form D",
        measure=_measure_redpajama,
    ),
    "c4": SystemDialect(
        names=_C4,
        words="`words-1`, in the lines that are left when a rule looks at them",
        measure=_measure_by(edit_as_c4),
        edit=edit_as_c4,
    ),
    "refinedweb": SystemDialect(
        names=("removed_words",),
        words="`words-1`",
        measure=_measure_by(edit_as_refinedweb),
        edit=edit_as_refinedweb,
    ),
    "datatrove-0.10": SystemDialect(
        names=_DATATROVE,
        words="tokens of spaCy's English tokenizer",
        measure=measure_gopher,
        needs_spacy=True,
    ),
    "fineweb": SystemDialect(
        names=(*_DATATROVE, *_C4, "line_punct", "short_lines", "char_dup", "newline_ratio"),
        words="tokens of spaCy's English tokenizer; the lines after those that C4's rules drop",
        measure=_measure_by(edit_as_fineweb),
        edit=edit_as_fineweb,
        needs_spacy=True,
    ),
}
