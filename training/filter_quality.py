"""Estimate how good the rules of ``training.filter_rules`` are, next to those of published systems.

    python -m training.filter_quality LABELS.jsonl

Nested cross-validation: for each fold, rules and settings are chosen on the other folds alone. The score of a
text is the number of rules that fire. The bootstrap draws texts, whose score is the mean over the repeats.

The other score is that of Gopher, C4 and FineWeb together: the rules of ``gopher-datatrove-0.10``, ``c4`` and
``fineweb`` that fire, each rule once. Without the extra ``spacy`` it is that of ``gopher`` and ``c4``, and of
FineWeb's limits, by our words.

With ``--preset`` the program prints the same for the preset ``web`` as it is, for labels that nothing was
chosen on.
"""

from __future__ import annotations

import argparse
from importlib import util
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from builder.stages.quality.dialects import DIALECTS
from builder.stages.quality.evidence import gather_evidence
from builder.stages.quality.presets import PRESETS
from builder.stages.quality.rules import read_rules
from builder.stages.quality.signals import SIGNALS
from training.filter_rules import MAX_LOST, auc, best_settings, choose, folds_of, read_labels, signed_values

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from numpy.typing import NDArray

N_FOLDS, N_REPEATS, N_DRAWS = 10, 5, 2_000
ALLOWED = 0.05
"""The share of texts to keep that a filter may reject, when filters are compared."""

_OWN = ("line_punct", "short_lines", "char_dup", "newline_ratio")


def fired_by(texts: list[str], rules: Mapping[str, Any], dialect: str | None = None) -> NDArray[np.int64]:
    """Return int64[n_texts], the weights of the rules that fire on each text."""
    conditions = read_rules(rules)[0]
    names = list(dict.fromkeys(name for one in conditions for name in one.names()))
    own = DIALECTS[dialect] if dialect else None
    measured = [name for name in names if name in SIGNALS or (own and name in own.names)]
    batch = pa.record_batch({"text": pa.array(texts, pa.large_string())})
    values = gather_evidence(batch, names, measured=measured, text="text", dialect=own).values
    fired: NDArray[np.int64] = np.sum([one.fires(values) * one.weight for one in conditions], axis=0)
    return fired


def published(texts: list[str]) -> tuple[str, NDArray[np.int64]]:
    """Return a name and int64[n_texts], how many rules of Gopher, C4 and FineWeb together fire."""
    c4 = fired_by(texts, PRESETS["c4"].rules, "c4")
    fineweb = PRESETS["fineweb"].rules
    if util.find_spec("spacy"):
        rules = {name: rule for name, rule in fineweb.items() if not name.startswith("language")}
        return "gopher, c4 and fineweb, words of spaCy", c4 + fired_by(texts, rules, "fineweb")
    limits = {name: fineweb[name] for name in _OWN}
    gopher = fired_by(texts, PRESETS["gopher"].rules)
    return "gopher, c4 and fineweb, our words", c4 + gopher + fired_by(texts, limits)


def removed_at_most(scores: NDArray[np.float64], keep: NDArray[np.bool_]) -> float:
    """Return the share of texts to drop above the least score that ``ALLOWED`` of those to keep reach."""
    limits = np.unique(np.append(scores, scores.max() + 1))
    fitting = [limit for limit in limits if (scores[keep] >= limit).mean() <= ALLOWED]
    return float((scores[~keep] >= min(fitting)).mean())


def print_comparison(
    ours: NDArray[np.float64], others: NDArray[np.float64], keep: NDArray[np.bool_], *, name: str
) -> None:
    """Print AUC and removed texts of two scores, with bootstrap intervals of 95 %."""
    rng = np.random.default_rng(0)
    drawn = []
    for _ in range(N_DRAWS):
        rows = rng.integers(0, len(keep), len(keep))
        if keep[rows].any() and not keep[rows].all():
            drawn.append([auc(ours[rows], keep[rows]), auc(others[rows], keep[rows])])
    found = np.array(drawn)
    for label, scores, values in (("web", ours, found[:, 0]), (name, others, found[:, 1])):
        low, high = np.quantile(values, (0.025, 0.975))
        removed = removed_at_most(scores, keep)
        print(
            f"{label}: AUC {auc(scores, keep):.3f} [{low:.3f}, {high:.3f}], removes {removed:.1%} of drop "
            f"where at most {ALLOWED:.0%} of keep are lost; one rule fires on "
            f"{(scores[keep] > 0).mean():.1%} of keep and {(scores[~keep] > 0).mean():.1%} of drop"
        )
    low, high = np.quantile(found[:, 0] - found[:, 1], (0.025, 0.975))
    print(f"difference in AUC: {auc(ours, keep) - auc(others, keep):.3f} [{low:.3f}, {high:.3f}]")


def validate(
    values: NDArray[np.float64], keep: NDArray[np.bool_], seed: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return what nested cross-validation finds for each text: the rules that fire, and the verdict."""
    rng = np.random.default_rng(seed)
    folds = folds_of(keep, N_FOLDS, rng)
    scores, rejected = np.zeros(len(keep), np.int64), np.zeros(len(keep), np.bool_)
    for fold in range(N_FOLDS):
        train, test = folds != fold, folds == fold
        settings, least = best_settings(values[train], keep[train], rng)
        scores[test] = choose(values[train], keep[train], settings).fired(values[test])
        rejected[test] = scores[test] >= least
    return scores, rejected


def main() -> None:
    """Print the quality by nested cross-validation, or that of the preset."""
    parser = argparse.ArgumentParser(prog="python -m training.filter_quality", description=main.__doc__)
    parser.add_argument("labels", type=Path, help="labelled texts")
    parser.add_argument("--preset", action="store_true", help="measure the preset on labels of other texts")
    given = parser.parse_args()
    texts, keep = read_labels(given.labels)
    name, others = published(texts)
    if given.preset:
        web = PRESETS["web"]
        ours = fired_by(texts, web.rules)
        _print_verdicts("web", ours >= web.min_fired, keep, ours)
        print_comparison(ours.astype(float), others.astype(float), keep, name=name)
        return
    values = signed_values(texts)
    total = np.zeros(len(keep))
    for seed in range(N_REPEATS):
        scores, rejected = validate(values, keep, seed)
        _print_verdicts(f"seed {seed}", rejected, keep, scores)
        total += scores
    print(f"rules must reject at most {MAX_LOST:.0%} of keep where they are chosen")
    print_comparison(total / N_REPEATS, others.astype(float), keep, name=name)


def _print_verdicts(
    name: str, rejected: NDArray[np.bool_], keep: NDArray[np.bool_], scores: NDArray[np.int64]
) -> None:
    print(
        f"{name}: AUC {auc(scores.astype(float), keep):.3f}, rejects {rejected[keep].mean():.1%} of keep, "
        f"{rejected[~keep].mean():.1%} of drop",
        flush=True,
    )


if __name__ == "__main__":
    main()
