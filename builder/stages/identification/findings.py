"""Identify the languages of texts, by document or by paragraph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from builder.kernels.language.letters import character_classes, count_letters
from builder.kernels.language.model import make_room
from builder.kernels.language.scores import two_best
from builder.stages.identification.pieces import Pieces

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from builder.stages.identification.model import LanguageModel

UNKNOWN_LANGUAGE = "und"
"""The language of a text whose language is not known (ISO 639-2)."""

SCORE_DIGITS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What was found about some texts.

    Attributes:
        labels: int64[n_texts], the label of each text; -1 if its language is not known.
        seconds: int64[n_texts], the second label, or -1.
        scores: float64[n_texts], rounded; 0 without a label.
        shares: float64[n_texts], the share of the label's characters, rounded; 0 without a label.
        n_letters: int64[n_texts].
        scripts: the script with the most letters of each text, or None.
    """

    labels: NDArray[np.int64]
    seconds: NDArray[np.int64]
    scores: NDArray[np.float64]
    shares: NDArray[np.float64]
    n_letters: NDArray[np.int64]
    scripts: list[str | None]


def identify_documents(
    data: NDArray[np.uint8],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    *,
    model: LanguageModel,
    min_letters: int,
) -> Findings:
    """Identify the language of each text as a whole."""
    labels, scores = _two_best(data, starts, ends, model=model)
    letters, scripts = _letters(data, starts, ends)
    labels[_is_unknown(letters, labels, min_letters=min_letters)] = -1
    scores[labels[:, 0] < 0] = 0
    return Findings(
        labels=labels[:, 0],
        seconds=labels[:, 1],
        scores=_rounded(scores[:, 0]),
        shares=(labels[:, 0] >= 0).astype(np.float64),
        n_letters=letters[:, 0],
        scripts=scripts,
    )


def identify_paragraphs(
    data: NDArray[np.uint8],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    *,
    model: LanguageModel,
    min_letters: int,
) -> Findings:
    """Identify the language of each piece of a text; the language with the most characters wins.

    The share of a language is its share of all characters of the text, also of pieces in no known language.
    The score is the mean of the scores of its pieces, weighted by characters.
    """
    pieces = Pieces.of(data, starts, ends)
    labels, scores = _two_best(data, pieces.starts, pieces.ends, model=model)
    piece_letters, _ = _letters(data, pieces.starts, pieces.ends)
    labels[_is_unknown(piece_letters, labels, min_letters=min_letters)] = -1
    letters, scripts = _letters(data, starts, ends)
    n = len(starts)
    best, second = np.full((2, n), -1, np.int64)
    score, share = np.zeros((2, n))
    bounds = np.searchsorted(pieces.texts, np.arange(n + 1))
    for text in np.flatnonzero(np.diff(bounds)):
        here = slice(bounds[text], bounds[text + 1])
        chars, found = pieces.chars[here], labels[here, 0]
        by_label = np.bincount(found + 1, weights=chars, minlength=2)[1:]
        if not by_label.any():
            continue
        best[text] = top = np.argmax(by_label)
        share[text] = by_label[top] / chars.sum()
        score[text] = np.sum(scores[here, 0] * chars * (found == top)) / by_label[top]
        by_label[top] = 0
        second[text] = np.argmax(by_label) if by_label.any() else -1
    return Findings(
        labels=best,
        seconds=second,
        scores=_rounded(score),
        shares=np.round(share, SCORE_DIGITS),
        n_letters=letters[:, 0],
        scripts=scripts,
    )


def _two_best(
    data: NDArray[np.uint8],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    *,
    model: LanguageModel,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    labels, scores = np.empty((len(starts), 2), np.int32), np.empty((len(starts), 2), np.float64)
    two_best(data, starts, ends, model.arrays, make_room(model.arrays), labels, scores)
    return labels.astype(np.int64), scores


def _letters(
    data: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> tuple[NDArray[np.int64], list[str | None]]:
    classes = character_classes()
    letters = np.empty((len(starts), 4), np.int64)
    count_letters(data, starts, ends, classes.table, np.empty(256, np.int64), letters)
    return letters, [classes.scripts[number] for number in letters[:, 3].tolist()]


def _is_unknown(
    letters: NDArray[np.int64], labels: NDArray[np.int64], *, min_letters: int
) -> NDArray[np.bool_]:
    """Return bool[n_texts]: too few letters, more digits and signs than letters and marks, or no label.

    With ``min_letters=0`` only a text without a label is unknown.
    """
    is_unknown: NDArray[np.bool_] = labels[:, 0] < 0
    if min_letters > 0:
        n_letters, n_marks, n_signs = letters[:, 0], letters[:, 1], letters[:, 2]
        is_unknown |= (n_letters < min_letters) | (n_signs > n_letters + n_marks)
    return is_unknown


def _rounded(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round scores as they are published; limits are compared with these numbers."""
    return np.minimum(np.round(scores, SCORE_DIGITS), 1.0)
