"""Decide which documents the options of ``language`` exclude."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from builder.errors import Fault
from builder.registry import nearest
from builder.stages.identification.findings import UNKNOWN_LANGUAGE

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from builder.stages.identification.findings import Findings

DEFAULT = "default"
"""The key of ``min_score`` for languages that it does not name."""

USUAL_SCORE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of a stage.

    Attributes:
        keep: the languages that are kept; None for all.
        min_scores: the minimum score by language; ``default`` is that of all others.
        min_share: the minimum share; 0 if shares do not count.
    """

    keep: tuple[str, ...] | None
    min_scores: Mapping[str, float]
    min_share: float
    min_letters: int
    drops_unknown: bool

    @classmethod
    def of(cls, stage: Any) -> Limits:
        """Read the options of the stage ``language``."""
        score = stage.min_score
        if score is None:
            score = USUAL_SCORE if stage.keep is not None else 0.0
        is_by_language = isinstance(score, Mapping)
        usual = USUAL_SCORE if stage.keep is not None else 0.0
        return cls(
            keep=None if stage.keep is None else tuple(stage.keep),
            min_scores={DEFAULT: usual, **score} if is_by_language else {DEFAULT: score},
            min_share=stage.min_share if stage.by == "paragraph" and stage.keep is not None else 0.0,
            min_letters=stage.min_letters,
            drops_unknown=stage.unknown == "drop",
        )

    def faults(self, findings: Findings, languages: Sequence[str]) -> dict[int, dict[str, Any]]:
        """Return why each excluded row is rejected: the first limit that it does not meet."""
        rows = zip(languages, findings.scores.tolist(), findings.shares.tolist(), strict=True)
        found: dict[int, dict[str, Any]] = {}
        for row, (language, score, share) in enumerate(rows):
            if language == UNKNOWN_LANGUAGE:
                fault = self._unknown(int(findings.n_letters[row]))
            else:
                fault = self._excluded(language, score, share)
            if fault is not None:
                found[row] = fault
        return found

    def _unknown(self, n_letters: int) -> dict[str, Any] | None:
        if not self.drops_unknown:
            return None
        message = f"the text has {n_letters:,} letters"
        if n_letters >= self.min_letters:
            message += ", and more digits and signs than letters"
        return {"reason": "unknown_language", "value": UNKNOWN_LANGUAGE, "message": message}

    def _excluded(self, language: str, score: float, share: float) -> dict[str, Any] | None:
        message = f"language {language}, score {score:g}"
        least = self.min_scores.get(language, self.min_scores[DEFAULT])
        if self.keep is not None and language not in self.keep:
            reason, value, limit = "other_language", language, ", ".join(self.keep)
        elif score < least:
            reason, value, limit = "low_language_score", f"{score:g}", f"{least:g}"
        elif share < self.min_share:
            reason, value, limit = "low_language_share", f"{share:g}", f"{self.min_share:g}"
        else:
            return None
        return {"reason": reason, "value": value, "limit": limit, "message": message}


def limit_faults(
    keep: Sequence[str] | None, min_score: float | Mapping[str, float] | None, *, labels: Collection[str]
) -> list[Fault]:
    """Return a fault for each language that the model does not know, and for each score outside of 0 to 1."""
    faults = [] if keep is None or keep else [_fault("keep names no language", "name one, or remove keep")]
    by_language = min_score if isinstance(min_score, Mapping) else {}
    for option, names in (("keep", keep or ()), ("min_score", by_language)):
        for name in names:
            if name not in labels and (option, name) != ("min_score", DEFAULT):
                what = f"{option} names the language {name!r}, which the model does not know"
                faults.append(_fault(what, nearest(name, sorted(labels))))
    for name, score in by_language.items():
        if isinstance(score, bool) or not isinstance(score, (int, float)) or not 0 <= score <= 1:
            faults.append(_fault(f"min_score of {name} is {score!r}", "give a number between 0 and 1"))
    return faults


def _fault(what: str, advice: str) -> Fault:
    return Fault(where="language", what=what, advice=advice)
