"""Define the signals of a document: names, formulas, and the systems that the formulas come from.

A signal is a count, or a ratio of two counts. Counts are integers. A ratio is a float64 that is rounded to
six digits, and rules compare it as it is stored. A ratio without a denominator is null.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from builder.kernels.quality import places as at
from builder.registry import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

_DIGITS = 6
"""Digits after the decimal point of a ratio."""

STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")
"""The stop words of Gopher."""

POLICIES = (
    "terms of use",
    "privacy policy",
    "cookie policy",
    "uses cookies",
    "use of cookies",
    "use cookies",
)
"""Phrases of the lines that C4 drops because they concern rules of the site."""

ENTROPY = "word_entropy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One signal.

    Attributes:
        over: the counts that are added up.
        under: the count to divide by; None for a count.
        help: the formula in words.
        source: where the formula comes from.
    """

    name: str
    over: tuple[int, ...]
    under: int | None
    help: str
    source: str

    @property
    def type(self) -> pa.DataType:
        """The type of the column."""
        return pa.int64() if self.under is None and self.over else pa.float64()


def _counts(source: str, **entries: tuple[int, str]) -> list[Signal]:
    return [
        Signal(name=name, over=(over,), under=None, help=text, source=source)
        for name, (over, text) in entries.items()
    ]


def _ratios(source: str, under: int, what: str, **entries: tuple[int | tuple[int, ...], str]) -> list[Signal]:
    return [
        Signal(
            name=name,
            over=over if isinstance(over, tuple) else (over,),
            under=under,
            help=f"{text} / {what}",
            source=source,
        )
        for name, (over, text) in entries.items()
    ]


def _top(n: int) -> Signal:
    return Signal(
        name=f"top_{n}gram",
        over=(at.TOP + (n - 2) * len(at.TOP_VALUES),),
        under=at.WORD_CHARS,
        help=f"characters of words in the most frequent run of {n} words / characters of words; "
        "0 if no run occurs twice; of equally frequent runs the longest counts",
        source="Gopher",
    )


def _dup(n: int, *, is_all: bool) -> Signal:
    copies = "all copies" if is_all else "second and later copies"
    return Signal(
        name=f"dup_{n}gram" + ("_all" if is_all else ""),
        over=(at.DUP + (n - 5) * len(at.DUP_VALUES) + is_all,),
        under=at.WORD_CHARS,
        help=f"characters of words in {copies} of runs of {n} words / characters of words",
        source="DCLM, RedPajama-v2" if is_all else "Gopher",
    )


_ALL = (
    *_counts(
        "RedPajama-v2",
        characters=(at.CHARS, "code points of the text"),
        lines=(at.LINE_COUNT, "lines that are not blank"),
        paragraphs=(at.PARAGRAPHS, "paragraphs: lines without a blank line between them"),
        sentences=(
            at.SENTENCES,
            "runs with a letter or number, up to an end mark and white space, or to the end of the line",
        ),
    ),
    *_counts(
        "Gopher",
        words=(at.WORDS, "words by the rule `words-1`"),
        stop_words=(at.STOP_WORDS_SEEN, f"different words among {', '.join(STOP_WORDS)}, in any case"),
    ),
    *_ratios(
        "Gopher",
        at.WORDS,
        "words",
        mean_word_length=(at.WORD_CHARS, "code points of words"),
        hash_ratio=(at.HASHES, "`#`"),
        ellipsis_ratio=(at.ELLIPSES, "`...` and `…`"),
        alpha_words=(at.ALPHA_WORDS, "words with a letter"),
    ),
    *_ratios(
        "DCLM, RedPajama-v2", at.WORDS, "words", symbol_ratio=((at.HASHES, at.ELLIPSES), "`#`, `...` and `…`")
    ),
    *_ratios(
        "Gopher",
        at.LINE_COUNT,
        "lines",
        bullet_lines=(at.N_BULLETED, "lines that begin with a bullet, a dash or `*`"),
        ellipsis_lines=(at.N_ELLIPSIS_END, "lines that end with `...`, `…` or `. . .`"),
        dup_line_frac=(at.DUP_LINES, "second and later copies of lines"),
    ),
    *_ratios(
        "DCLM",
        at.LINE_COUNT,
        "lines",
        dup_line_frac_all=(at.DUP_LINES_ALL, "lines that occur more than once"),
    ),
    *_ratios(
        "Gopher",
        at.PARAGRAPHS,
        "paragraphs",
        dup_para_frac=(at.DUP_PARAS, "second and later copies of paragraphs"),
    ),
    *_ratios(
        "DCLM",
        at.PARAGRAPHS,
        "paragraphs",
        dup_para_frac_all=(at.DUP_PARAS_ALL, "paragraphs that occur more than once"),
    ),
    *_ratios(
        "Gopher",
        at.LINE_CHARS,
        "characters of lines",
        dup_line_char_frac=(at.DUP_LINE_CHARS, "characters in second and later copies of lines"),
        dup_para_char_frac=(at.DUP_PARA_CHARS, "characters in second and later copies of paragraphs"),
    ),
    *_ratios(
        "DCLM",
        at.LINE_CHARS,
        "characters of lines",
        dup_line_char_frac_all=(at.DUP_LINE_CHARS_ALL, "characters in lines that occur more than once"),
        dup_para_char_frac_all=(at.DUP_PARA_CHARS_ALL, "characters in paragraphs that occur more than once"),
    ),
    *(_top(n) for n in (2, 3, 4)),
    *(_dup(n, is_all=False) for n in range(5, 11)),
    *(_dup(n, is_all=True) for n in range(5, 11)),
    *_counts(
        "C4",
        longest_word=(at.LONGEST, "characters of the longest run without white space"),
        curly_brackets=(at.CURLY, "`{` and `}`"),
        lorem_ipsum=(at.LOREM, "`lorem ipsum`, in any case"),
        javascript_lines=(at.N_JAVASCRIPT, "lines with `javascript`, in any case"),
        policy_lines=(
            at.N_POLICY,
            f"lines with {', '.join(f'`{one}`' for one in POLICIES)}, in any case",
        ),
    ),
    *_ratios(
        "C4",
        at.LINE_COUNT,
        "lines",
        sentence_lines=(at.N_C4_END, 'lines that end with `.`, `?`, `!` or `"`, and not with `...`'),
        few_word_lines=(at.N_FEW_WORDS, f"lines with fewer than {at.MIN_LINE_WORDS} words"),
    ),
    *_ratios(
        "FineWeb",
        at.LINE_COUNT,
        "lines",
        line_punct=(
            at.N_TERMINAL_END,
            "lines that end with a mark that ends a sentence, in any script, or with an ellipsis",
        ),
        short_lines=(at.N_SHORT, f"lines with at most {at.SHORT_CHARS} characters"),
    ),
    *_ratios(
        "FineWeb",
        at.LINE_CHARS,
        "characters of lines",
        char_dup=(at.DUP_LINE_CHARS, "characters in second and later copies of lines"),
    ),
    *_ratios("FineWeb", at.WORDS, "words", newline_ratio=(at.NEWLINES, "line ends")),
    *_ratios(
        "RefinedWeb",
        at.LINE_COUNT,
        "lines",
        upper_lines=(at.N_SHOUTED, "lines in which over half of the characters are upper-case letters"),
        digit_lines=(at.N_DIGITS_ONLY, "lines of digits only"),
        counter_lines=(at.N_COUNTER, "lines that only count, such as `3 comments`"),
    ),
    *_ratios(
        "RefinedWeb",
        at.WORDS,
        "words",
        line_rule_words=(
            at.RULED_WORDS,
            "words in lines of upper case, of digits, of counters, and of fewer than two words",
        ),
    ),
    *_ratios(
        "RedPajama-v2",
        at.WORDS,
        "words",
        all_caps_words=(at.SHOUTED_WORDS, "words in upper case"),
        stop_word_ratio=(at.N_STOP_WORDS, "stop words"),
        unique_words=(at.UNIQUE_WORDS, "different words, in lower case"),
        script_share=(at.ALONE_WORDS, "words of one character of a script without spaces"),
    ),
    Signal(
        name=ENTROPY,
        over=(),
        under=at.WORDS,
        help="entropy of the words in lower case, with the natural logarithm",
        source="RedPajama-v2",
    ),
    *_ratios(
        "RedPajama-v2, BigScience",
        at.CHARS,
        "characters",
        curly_ratio=(at.CURLY, "`{` and `}`"),
        lorem_ratio=(at.LOREM, "`lorem ipsum`"),
        letter_ratio=(at.LETTERS, "letters"),
        upper_ratio=(at.UPPERS, "upper-case letters"),
        digit_ratio=(at.N_DIGITS, "numbers"),
    ),
    *_ratios("builder", at.LETTERS, "letters", ascii_letters=(at.ASCII_LETTERS, "letters of ASCII")),
)

SIGNALS: Mapping[str, Signal] = {one.name: one for one in _ALL}
"""All signals, by name."""


_OF_WORDS = frozenset(
    {
        at.WORDS,
        at.WORD_CHARS,
        at.ALPHA_WORDS,
        at.N_STOP_WORDS,
        at.STOP_WORDS_SEEN,
        at.SHOUTED_WORDS,
        at.ALONE_WORDS,
    }
)


def needed_parts(names: Iterable[str]) -> int:
    """Return the parts of the kernel's work that some signals need.

    >>> needed_parts(["words", "alpha_words"])
    0
    """
    parts = 0
    for signal in (SIGNALS[name] for name in names):
        for place in (*signal.over, *(() if signal.under is None else (signal.under,))):
            if place >= at.TOP or place == at.UNIQUE_WORDS:
                parts |= at.OF_REPEATS
            elif place not in _OF_WORDS:
                parts |= at.OF_LINES
        parts |= at.OF_REPEATS if signal.name == ENTROPY else 0
    return parts


def values_of(
    names: Sequence[str], rows: NDArray[np.int64], sums: NDArray[np.float64], *, missing: NDArray[np.bool_]
) -> dict[str, pa.Array]:
    """Return the columns of some signals.

    Args:
        rows: int64[n_docs, N_VALUES], see ``builder.kernels.quality.measure``.
        sums: float64[n_docs], the sums for the entropy.
        missing: bool[n_docs], the rows without a text, whose signals are null.
    """
    return {name: _values(SIGNALS[name], rows, sums, missing) for name in names}


def _values(
    signal: Signal, rows: NDArray[np.int64], sums: NDArray[np.float64], missing: NDArray[np.bool_]
) -> pa.Array:
    if signal.under is None:
        return pa.array(rows[:, signal.over[0]], pa.int64(), mask=missing)
    under = rows[:, signal.under]
    some = np.maximum(under, 1)
    if signal.name == ENTROPY:
        ratio = np.log(some) - sums / some
    else:
        ratio = rows[:, list(signal.over)].sum(axis=1) / some
    return pa.array(np.round(ratio, _DIGITS) + 0.0, pa.float64(), mask=missing | (under == 0))


def unknown_signal(name: str, *, columns: Sequence[str] = ()) -> tuple[str, str]:
    """Return what is wrong with a name that is not a signal, and the advice.

    Args:
        columns: other names that would be right.
    """
    return f"no signal is called {name!r}", nearest(name, [*SIGNALS, *columns])
