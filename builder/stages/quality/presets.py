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
    """

    date: str
    rules: PresetRules
    help: str
    dialect: str | None = None


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

PRESETS: Mapping[str, Preset] = {
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
