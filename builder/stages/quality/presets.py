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
        optional: columns that rules name in ``where``, and that are null where there is no such column.
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
    "line_punct": {"min": 0.43},
    "words": {"min": 150},
    "letter_ratio": {"min": 0.76, "where": SPACED},
    "ellipsis_lines": {"max": 0},
    "upper_ratio": {"max": 0.052},
    "top_2gram": {"max": 0.04, "where": SPACED},
    "stop_word_ratio": {"min": 0.12, "where": ENGLISH},
    "ellipsis_ratio": {"max": 0.0015},
    "unique_words": {"max": 0.69, "where": SPACED},
    "short_lines": {"max": 0.34, "where": SPACED},
    "all_caps_words": {"max": 0.037, "where": SPACED},
}

PRESETS: Mapping[str, Preset] = {
    "web": Preset(
        date="2026-11-28",
        help="Rules of our own for pages of the web: a document is rejected if it misses five limits.",
        rules=_WEB,
        min_fired=5,
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
}
