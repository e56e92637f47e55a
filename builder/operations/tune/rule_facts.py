"""The facts of a stage with limits: values of signals, and what each limit removes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from builder.operations.tune.documents import ShownDocument
    from builder.operations.tune.estimates import Estimated, Scores

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
"""The quantiles of a signal that are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantiles:
    """The values of a signal in the documents of one language; ``language`` is None for all documents.

    Attributes:
        n_null: documents without a value. They meet every limit.
        values: the quantiles of ``QUANTILES``; empty without a value.
    """

    language: str | None
    n_documents: int
    n_null: int
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalFacts:
    """The values of one signal or column.

    Attributes:
        quantiles: of all documents, and by language; empty for texts.
        counts: the most frequent values; empty for numbers.
        auc: how well the signal separates the labels; None without labels.
    """

    name: str
    quantiles: tuple[Quantiles, ...] = ()
    counts: tuple[tuple[str | None, int], ...] = ()
    auc: Estimated | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A bound, and what the stage would remove with it.

    Attributes:
        bound: the bound; None for no limit.
        alone: documents that do not meet this limit.
        together: documents that the stage would remove with all its limits.
        scores: what the limit alone does to the labelled documents; None without labels.
    """

    bound: float | None
    alone: int
    together: int
    is_current: bool = False
    scores: Scores | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A bound that the labels suggest, and why."""

    bound: float
    alone: int
    together: int
    scores: Scores
    max_lost: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitFacts:
    """One limit of a stage.

    Attributes:
        name: the signal or column.
        limit: ``min``, ``max``, ``in`` or ``not_in``; ``any`` for a group.
        applies: the documents to which the limit applies and that have a value.
        alone: documents that do not meet the limit.
        only: documents that the stage removes and would keep without this limit.
        settings: what ``--set`` needs to change the bound, with ``{bound}`` in its place; empty if the limit
            is not a value of its own in the recipe.
        removed: documents that do not meet the limit, nearest to it.
        kept: documents that meet it, nearest to it.
    """

    code: str
    name: str
    limit: str
    bound: Any
    condition: str
    applies: int
    alone: int
    only: int
    options: tuple[Option, ...]
    settings: tuple[str, ...]
    removed: tuple[ShownDocument, ...]
    kept: tuple[ShownDocument, ...]
    scores: Scores | None = None
    suggestion: Suggestion | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFacts:
    """A stage with limits: what came to it, and what it removes.

    Attributes:
        n_removed: documents that the limits remove together.
        least_fired: how many limits a document must miss to be removed.
        mode: what the stage does with them.
        n_labels: labelled documents that came to the stage, by label.
        scores: what all limits together do to them; None without labels.
    """

    stage: str
    kind: str
    place: str
    n_documents: int
    n_removed: int
    least_fired: int
    mode: str
    signals: tuple[SignalFacts, ...]
    limits: tuple[LimitFacts, ...]
    n_labels: Mapping[str, int] | None = None
    scores: Scores | None = None
