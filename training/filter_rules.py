"""Choose the rules of the preset ``web`` on labelled texts, and print them.

    python -m training.filter_rules LABELS.jsonl

The file has one JSON object a line: ``text``, and ``label``, 1 for a text to keep and 0 for one to drop.
``training.filter_quality`` estimates how good such rules are.

The score of a text is the number of rules that fire. A rule is a limit on one signal. Its limit is the value
that ``tail`` of the texts to keep are beyond, rounded towards fewer texts. Rules are added one by one, as
long as each raises the area under the curve (AUC) of the score.
"""

from __future__ import annotations

import argparse
import itertools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from builder.stages.quality.measuring import measure_signals
from builder.stages.quality.presets import ENGLISH, SPACED
from builder.stages.quality.rules import read_rules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

N_FOLDS, N_REPEATS = 5, 3
MAX_LOST = 0.04
"""The share of labelled texts to keep that the filter may reject; so it rejects at most 5 % of others."""

MIN_GAIN = 0.002
"""The least gain in AUC for which a rule is added."""

CANDIDATES: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "stop_word_ratio": ("min", ENGLISH),
    "words": ("min", {}),
    "word_entropy": ("min", SPACED),
    "line_punct": ("min", {}),
    "sentence_lines": ("min", ENGLISH),
    "letter_ratio": ("min", ENGLISH),
    "alpha_words": ("min", {}),
    "upper_ratio": ("max", ENGLISH),
    "unique_words": ("max", ENGLISH),
    "newline_ratio": ("max", {}),
    "digit_ratio": ("max", {}),
    "symbol_ratio": ("max", {}),
    "all_caps_words": ("max", SPACED),
    "few_word_lines": ("max", SPACED),
    "short_lines": ("max", SPACED),
    "ellipsis_ratio": ("max", {}),
    "ellipsis_lines": ("max", {}),
    "top_2gram": ("max", SPACED),
    "char_dup": ("max", {}),
    "dup_5gram": ("max", SPACED),
    "mean_word_length": ("max", ENGLISH),
    "line_rule_words": ("max", SPACED),
}
"""Signals, the side on which bad texts are, and the texts for which a limit can hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What cross-validation chooses.

    Attributes:
        tail: the share of texts to keep beyond a limit.
        most: the greatest number of rules.
        lift: how many times as many texts to drop as texts to keep must be beyond a limit.
    """

    tail: float
    most: int
    lift: float


GRID = tuple(
    Settings(tail=tail, most=most, lift=lift)
    for tail, most, lift in itertools.product((0.05, 0.08, 0.12, 0.16, 0.2), (6, 8, 10, 12), (1.5, 2.5))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Rules, as numbers of candidates and limits of their signed values."""

    rules: tuple[int, ...]
    limits: NDArray[np.float64]

    def fired(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return int64[n_texts], the number of rules that fire."""
        chosen = list(self.rules)
        fired: NDArray[np.int64] = (values[:, chosen] > self.limits[chosen]).sum(axis=1)
        return fired


def auc(scores: NDArray[np.float64], keep: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the share of pairs in which the text to drop has the higher score; ties count half.

    Args:
        scores: float64[n_texts, ...].
    """
    drop, kept = scores[~keep][:, None], scores[keep][None]
    found: NDArray[np.float64] = (drop > kept).mean(axis=(0, 1)) + 0.5 * (drop == kept).mean(axis=(0, 1))
    return found


def signed_values(texts: list[str]) -> NDArray[np.float64]:
    """Return float64[n_texts, n_candidates]: the higher, the worse.

    A value is ``-inf`` where the signal is null, or a limit on it does not apply to the text.
    """
    needed = [*CANDIDATES, *SPACED, "ascii_letters"]
    columns = measure_signals(pa.array(texts, pa.large_string()), needed)
    columns["language"] = pa.nulls(len(texts), pa.string())
    values = []
    for name, (side, where) in CANDIDATES.items():
        column = columns[name].to_numpy(zero_copy_only=False) * (1.0 if side == "max" else -1.0)
        for condition in read_rules(where)[0]:
            column[condition.fires(columns)] = -np.inf
        values.append(np.nan_to_num(column, nan=-np.inf))
    return np.stack(values, axis=1)


def rounded(limits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round signed limits up to two significant digits, so that fewer texts are beyond them."""
    unit = 10.0 ** (np.floor(np.log10(np.maximum(np.abs(limits), 1e-9))) - 1)
    with np.errstate(invalid="ignore"):
        found: NDArray[np.float64] = np.round(np.ceil(limits / unit - 1e-9) * unit, 9) + 0.0
    return np.where(np.isfinite(limits), found, limits)


def choose(values: NDArray[np.float64], keep: NDArray[np.bool_], settings: Settings) -> Chosen:
    """Choose rules on labelled texts."""
    limits = rounded(np.quantile(values[keep], 1 - settings.tail, axis=0, method="higher"))
    fired = values > limits
    of_drop, of_keep = fired[~keep].mean(axis=0), fired[keep].mean(axis=0)
    is_open = of_drop > settings.lift * np.maximum(of_keep, 1 / keep.sum())
    rules: list[int] = []
    score, best = np.zeros(len(keep)), 0.5
    while len(rules) < settings.most:
        gains = np.where(is_open, auc(score[:, None] + fired, keep), -1.0)
        one = int(np.argmax(gains))
        if gains[one] <= best + MIN_GAIN:
            break
        rules.append(one)
        is_open[one], score, best = False, score + fired[:, one], gains[one]
    return Chosen(rules=tuple(rules), limits=limits)


def folds_of(keep: NDArray[np.bool_], n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return int64[n_texts], folds in which both labels have their shares."""
    folds = np.zeros(len(keep), np.int64)
    for label in (True, False):
        rows = np.flatnonzero(keep == label)
        folds[rng.permutation(rows)] = np.arange(len(rows)) % n
    return folds


def held_out(
    values: NDArray[np.float64], keep: NDArray[np.bool_], settings: Settings, folds: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return int64[n_texts], the rules that fire on each text, chosen without its fold."""
    scores = np.zeros(len(keep), np.int64)
    for fold in np.unique(folds):
        train = folds != fold
        scores[~train] = choose(values[train], keep[train], settings).fired(values[~train])
    return scores


def best_settings(
    values: NDArray[np.float64], keep: NDArray[np.bool_], rng: np.random.Generator
) -> tuple[Settings, int]:
    """Choose settings by cross-validation, and how many rules must fire for a text to be rejected."""
    repeats = [folds_of(keep, N_FOLDS, rng) for _ in range(N_REPEATS)]
    scores = [[held_out(values, keep, settings, folds) for folds in repeats] for settings in GRID]
    best = int(np.argmax([np.mean([auc(one.astype(float), keep) for one in some]) for some in scores]))
    return GRID[best], least_fired(scores[best], keep)


def least_fired(scores: list[NDArray[np.int64]], keep: NDArray[np.bool_]) -> int:
    """Return the least number of rules that reject at most ``MAX_LOST`` of the texts to keep."""
    lost = [np.mean([(one[keep] >= n).mean() for one in scores]) for n in range(1, len(CANDIDATES) + 2)]
    return 1 + next(i for i, share in enumerate(lost) if share <= MAX_LOST)


def read_labels(path: Path) -> tuple[list[str], NDArray[np.bool_]]:
    """Return the texts, and whether they are to be kept."""
    rows = [json.loads(line) for line in path.read_bytes().splitlines()]
    return [row["text"] for row in rows], np.array([row["label"] == 1 for row in rows])


def main() -> None:
    """Print the rules."""
    parser = argparse.ArgumentParser(prog="python -m training.filter_rules", description=__doc__)
    parser.add_argument("labels", type=Path, help="labelled texts")
    given = parser.parse_args()
    texts, keep = read_labels(given.labels)
    values = signed_values(texts)
    settings, least = best_settings(values, keep, np.random.default_rng(0))
    chosen = choose(values, keep, settings)
    print(f"{settings}, min_fired={least}")
    for one in chosen.rules:
        name, (side, where) = list(CANDIDATES.items())[one]
        limit = chosen.limits[one] * (1 if side == "max" else -1)
        print(json.dumps({name: {side: round(float(limit), 9), **({"where": where} if where else {})}}))


if __name__ == "__main__":
    main()
