"""Define the presets of ``filter``: rules with a date, and the words that they count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PresetRules = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """PresetRules under a name.

    Attributes:
        date: the day on which the rules were written down or read in the code of the system.
        dialect: the dialect whose signals the rules name; None for our signals.
        help: what the rules are.
        min_fired: how many limits a document must miss to be rejected.
        optional: columns that are null where the rows do not have them.
    """

    date: str
    rules: PresetRules
    help: str
    dialect: str | None = None
    min_fired: int = 1
    optional: tuple[str, ...] = ()


SPACED: PresetRules = {"script_share": {"max": 0.3}}
"""The texts to which limits on words apply that hold for scripts with spaces only."""

ENGLISH: PresetRules = {"ascii_letters": {"min": 0.995}, "language": ["en"]}
"""The texts to which limits for English apply. Without a column ``language``, letters decide: nearly all
languages but English use others than those of ASCII."""

_RUN_LIMITS: PresetRules = {
    **{f"top_{n}gram": {"max": limit} for n, limit in ((2, 0.20), (3, 0.18), (4, 0.16))},
    **{
        f"dup_{n}gram": {"max": limit}
        for n, limit in ((5, 0.15), (6, 0.14), (7, 0.13), (8, 0.12), (9, 0.11), (10, 0.10))
    },
}

_LINE_LIMITS: PresetRules = {
    "dup_line_frac": {"max": 0.30},
    "dup_para_frac": {"max": 0.30},
    "dup_line_char_frac": {"max": 0.20},
    "dup_para_char_frac": {"max": 0.20},
}

_GOPHER_QUALITY: PresetRules = {
    "words": {"min": 50, "max": 100_000},
    "mean_word_length": {"min": 3, "max": 10},
    "hash_ratio": {"max": 0.1},
    "ellipsis_ratio": {"max": 0.1},
    "bullet_lines": {"max": 0.9},
    "ellipsis_lines": {"max": 0.3},
    "alpha_words": {"min": 0.8},
    "stop_words": {"min": 2},
}

_SUMMED_QUALITY: PresetRules = {
    "words": {"min": 50, "max": 100_000},
    "symbol_ratio": {"max": 0.1},
    "bullet_lines": {"max": 0.9},
    "ellipsis_lines": {"max": 0.3},
    "alpha_words": {"min": 0.8},
    "stop_words": {"min": 2},
}

_WEB: PresetRules = {
    "newline_ratio": {"max": 0.063},
    "unique_words": {"max": 0.75, "where": ENGLISH},
    "upper_ratio": {"max": 0.058, "where": ENGLISH},
    "symbol_ratio": {"max": 0.0032},
    "top_2gram": {"max": 0.056, "where": SPACED},
    "alpha_words": {"min": 0.94},
    "stop_word_ratio": {"min": 0.11, "where": ENGLISH},
    "short_lines": {"max": 0.45, "where": SPACED},
    "dup_line_frac": {"max": 0.30, "weight": 4},
    "dup_line_char_frac": {"max": 0.20, "weight": 4},
    "top_3gram": {"max": 0.18, "where": SPACED, "weight": 4},
    "dup_5gram": {"max": 0.15, "where": SPACED, "weight": 4},
    "dup_10gram": {"max": 0.10, "where": SPACED, "weight": 4},
}
"""Chosen by ``training.filter_rules``, except for the last five: limits of Gopher on repetition, each of
which rejects alone."""

_C4_PAGES: PresetRules = {"lorem_ipsum": {"max": 0}, "curly_brackets": {"max": 0}}

_DATATROVE: PresetRules = {
    "dup_para_frac": {"max": 0.30},
    "dup_para_char_frac": {"max": 0.20},
    "dup_line_frac": {"max": 0.30},
    "dup_line_char_frac": {"max": 0.20},
    **_RUN_LIMITS,
    **_GOPHER_QUALITY,
}

PRESETS: Mapping[str, Preset] = {
    "web": Preset(
        date="2026-11-28",
        help="Rules of our own for pages of the web: a document is rejected if it misses four limits, "
        "or one on repetition. Limits for English apply to English only, and limits on words to scripts with "
        "spaces.",
        rules=_WEB,
        min_fired=4,
        optional=("language",),
    ),
    "gopher": Preset(
        date="2026-11-28",
        help="The rules on quality and repetition of Gopher, by our signals.",
        rules={**_GOPHER_QUALITY, **_LINE_LIMITS, **_RUN_LIMITS},
    ),
    "gopher-dclm": Preset(
        date="2025-09-08",
        help="The rules of Gopher as DCLM (361714b) applies them: all copies are duplicates.",
        dialect="dclm",
        rules={
            **_SUMMED_QUALITY,
            "mean_word_length": {"min": 3, "max": 10},
            **_LINE_LIMITS,
            **_RUN_LIMITS,
        },
    ),
    "gopher-dolma-v2": Preset(
        date="2025-09-18",
        help="The rules of Gopher as dolma (669f534, `gopher_v2`) applies them: median length of words.",
        dialect="dolma-v2",
        rules={
            **_SUMMED_QUALITY,
            "median_word_length": {"min": 3, "max": 10},
            **_RUN_LIMITS,
            "dup_line_frac": {"max": 0.30},
            "dup_line_char_frac": {"max": 0.30},
        },
    ),
    "redpajama-signals": Preset(
        date="2024-12-07",
        help="The limits of Gopher on repeated runs, by the signals of RedPajama-v2 (6d2cee9).",
        dialect="redpajama-v2",
        rules=_RUN_LIMITS,
    ),
    "c4": Preset(
        date="2026-11-28",
        help="The rules of C4 with the values of TensorFlow Datasets, by our words. Drops lines. "
        "C4's list of bad words and its language detector are not part of it.",
        dialect="c4",
        rules={"characters": {"max": 190_000}, **_C4_PAGES, "sentences": {"min": 3}},
    ),
    "refinedweb-lines": Preset(
        date="2025-09-08",
        help="The line rules of RefinedWeb as DCLM (361714b) has them, by our words. Drops lines, and "
        "a document that would lose more than 5 % of its words.",
        dialect="refinedweb",
        rules={"removed_words": {"max": 0.05}},
    ),
    "gopher-datatrove-0.10": Preset(
        date="2026-08-13",
        help="The rules of Gopher on repetition, then on quality, as datatrove 0.10 (a649de79) applies them "
        "to English. Needs the extra `spacy`.",
        dialect="datatrove-0.10",
        rules=_DATATROVE,
    ),
    "fineweb": Preset(
        date="2026-08-13",
        help="FineWeb as datatrove 0.10 (a649de79) builds it: Gopher, C4 without the rule on the ends of "
        "lines, FineWeb's own rules. Drops lines. Columns of the stage `language` count if they are there. "
        "Needs the extra `spacy`.",
        dialect="fineweb",
        rules={
            "language": ["en"],
            "language_score": {"min": 0.65},
            **_DATATROVE,
            **_C4_PAGES,
            "sentences": {"min": 5},
            "line_punct": {"min": 0.12},
            "short_lines": {"max": 0.67},
            "char_dup": {"max": 0.01},
            "newline_ratio": {"max": 0.3},
        },
        optional=("language", "language_score"),
    ),
}
