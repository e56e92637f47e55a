"""What each limit of ``filter`` and ``language`` removes, and what another limit would remove."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from builder.operations.tune.bounds import bounds_to_try, suggested_bound
from builder.operations.tune.documents import ShownDocument, nearest_documents, sampled_documents
from builder.operations.tune.estimates import Scores, area_under_curve, score_labels
from builder.operations.tune.labels import DROP_LABEL, KEEP_LABEL
from builder.operations.tune.rule_facts import (
    QUANTILES,
    LimitFacts,
    Option,
    Quantiles,
    RuleFacts,
    SignalFacts,
    Suggestion,
)
from builder.operations.tune.taps import VALUE
from builder.stages.quality.rules import Condition

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from builder.stages.quality.rules import Alternatives

MAX_LANGUAGES = 5
"""Languages whose quantiles are shown: those with the most documents. All others are one group."""
MAX_VALUES = 20
"""Values of a column of texts that are counted one by one."""
_NO_SIGNAL = 0.5
"""The area under the curve of a signal that says nothing about the labels."""

OTHERS = "other"
NO_LANGUAGE = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """The labelled rows of a stage: int64[n], their numbers, and bool[n], who is to drop."""

    rows: NDArray[np.int64]
    is_drop: NDArray[np.bool_]

    def score(self, removed: NDArray[np.bool_]) -> Scores:
        """Compare what is removed, bool[n_rows], with the labels."""
        return score_labels(removed[self.rows], self.is_drop)

    def label(self, row: int) -> str | None:
        """Return the label of a row; None without one."""
        at = np.flatnonzero(self.rows == row)
        return (DROP_LABEL if self.is_drop[at[0]] else KEEP_LABEL) if len(at) else None


@dataclass(frozen=True, kw_only=True)
class RuleAnalysis:
    """Tries limits on the rows that came to a stage.

    Attributes:
        settings: for each condition, what sets its bound; empty if nothing does.
        max_lost: the share of the documents labelled ``keep`` that a suggested limit may lose.
        n_shown: documents to show on each side of a limit.
    """

    rows: pa.Table
    conditions: Sequence[Condition | Alternatives]
    least_fired: int
    settings: Sequence[tuple[str, ...]]
    labelled: Labelled | None
    max_lost: float
    n_shown: int

    @property
    def values(self) -> dict[str, pa.Array]:
        """The values of signals and columns, by name."""
        names = [name for name in self.rows.column_names if name.startswith(VALUE)]
        return {name.removeprefix(VALUE): _flat(self.rows[name]) for name in names}

    def facts(self, *, stage: str, kind: str, place: str, mode: str) -> RuleFacts:
        """Return what the stage and each of its limits remove."""
        values = self.values
        fired = np.zeros((len(self.conditions), self.rows.num_rows), np.int64)
        for number, one in enumerate(self.conditions):
            fired[number] = one.weight * one.fires(values)
        weight = fired.sum(axis=0)
        removed = weight >= self.least_fired
        limits = [
            self._limit(number, values, fired[number], weight) for number in range(len(self.conditions))
        ]
        n_drop = int(self.labelled.is_drop.sum()) if self.labelled else 0
        return RuleFacts(
            stage=stage,
            kind=kind,
            place=place,
            n_documents=self.rows.num_rows,
            n_removed=int(removed.sum()),
            least_fired=self.least_fired,
            mode=mode,
            signals=tuple(self._signal(name, column) for name, column in values.items()),
            limits=tuple(limits),
            n_labels={KEEP_LABEL: len(self.labelled.rows) - n_drop, DROP_LABEL: n_drop}
            if self.labelled
            else None,
            scores=self.labelled.score(removed) if self.labelled else None,
        )

    # -- signals ---------------------------------------------------------------------------------------

    def _signal(self, name: str, column: pa.Array) -> SignalFacts:
        numbers = _numbers(column)
        if numbers is None:
            counts = pc.value_counts(column.cast(pa.large_string())).to_pylist()
            pairs = sorted(
                ((one["values"], one["counts"]) for one in counts), key=lambda p: (-p[1], str(p[0]))
            )
            return SignalFacts(name=name, counts=tuple(pairs[:MAX_VALUES]))
        languages = _language_groups(self.rows["language"])
        found = [_quantiles(None, numbers)]
        if len(set(languages)) > 1:
            order = [one for one in dict.fromkeys(_by_count(languages)) if one not in (OTHERS, NO_LANGUAGE)]
            order += [one for one in (OTHERS, NO_LANGUAGE) if one in set(languages)]
            found += [_quantiles(one, numbers[languages == one]) for one in order]
        auc = None
        if self.labelled:
            auc = area_under_curve(numbers[self.labelled.rows], self.labelled.is_drop)
        return SignalFacts(name=name, quantiles=tuple(found), auc=auc)

    # -- limits ----------------------------------------------------------------------------------------

    def _limit(
        self, number: int, values: Mapping[str, pa.Array], fired: NDArray[np.int64], weight: NDArray[np.int64]
    ) -> LimitFacts:
        one = self.conditions[number]
        is_fired = fired > 0
        without = weight - fired
        removed = weight >= self.least_fired
        only = removed & (without < self.least_fired)
        numbers = _numbers(values[one.name]) if isinstance(one, Condition) else None
        options: list[Option] = []
        suggestion = None
        applies = np.ones(self.rows.num_rows, np.bool_)
        if isinstance(one, Condition):
            applies = _applies(one, values)
            if numbers is not None and one.limit in ("min", "max"):
                options = self._options(one, values, without, numbers[applies])
                suggestion = self._suggestion(one, values, without, numbers, applies)
        return LimitFacts(
            code=one.code,
            name=one.name if isinstance(one, Condition) else "any",
            limit=one.limit if isinstance(one, Condition) else "any",
            bound=one.bound if isinstance(one, Condition) else None,
            condition=_where_text(one),
            applies=int(applies.sum()),
            alone=int(is_fired.sum()),
            only=int(only.sum()),
            options=tuple(options),
            settings=self.settings[number],
            removed=self._shown(one, values, numbers, is_fired),
            kept=self._shown(one, values, numbers, applies & ~is_fired),
            scores=self.labelled.score(is_fired) if self.labelled else None,
            suggestion=suggestion,
        )

    def _options(
        self,
        one: Condition,
        values: Mapping[str, pa.Array],
        without: NDArray[np.int64],
        numbers: NDArray[np.float64],
    ) -> list[Option]:
        known = numbers[np.isfinite(numbers)]
        tried = bounds_to_try(known, limit=one.limit, current=one.bound)
        return [self._option(one, bound, values, without) for bound in tried]

    def _option(
        self,
        one: Condition,
        bound: float,
        values: Mapping[str, pa.Array],
        without: NDArray[np.int64],
    ) -> Option:
        fires = replace(one, bound=bound).fires(values)
        return Option(
            bound=bound,
            alone=int(fires.sum()),
            together=int((without + one.weight * fires >= self.least_fired).sum()),
            is_current=bound == one.bound,
            scores=self.labelled.score(fires) if self.labelled else None,
        )

    def _suggestion(
        self,
        one: Condition,
        values: Mapping[str, pa.Array],
        without: NDArray[np.int64],
        numbers: NDArray[np.float64],
        applies: NDArray[np.bool_],
    ) -> Suggestion | None:
        if self.labelled is None:
            return None
        auc = area_under_curve(numbers[self.labelled.rows], self.labelled.is_drop)
        separates = auc.low > _NO_SIGNAL if one.limit == "min" else auc.high < _NO_SIGNAL
        if not separates:
            return None
        keeps = self.labelled.rows[~self.labelled.is_drop]
        known = numbers[keeps[applies[keeps]]]
        bound = suggested_bound(
            known[np.isfinite(known)], n_keep=len(keeps), limit=one.limit, max_lost=self.max_lost
        )
        if bound is None:
            return None
        option = self._option(one, bound, values, without)
        if option.scores is None or not option.scores.n_drop:
            return None
        return Suggestion(
            bound=bound,
            alone=option.alone,
            together=option.together,
            scores=option.scores,
            max_lost=self.max_lost,
        )

    def _shown(
        self,
        one: Condition | Alternatives,
        values: Mapping[str, pa.Array],
        numbers: NDArray[np.float64] | None,
        among: NDArray[np.bool_],
    ) -> tuple[ShownDocument, ...]:
        if isinstance(one, Condition) and numbers is not None and one.limit in ("min", "max"):
            rows = nearest_documents(self.rows, numbers, among, bound=float(one.bound), n=self.n_shown)
        else:
            rows = sampled_documents(self.rows, among, n=self.n_shown)
        shown = []
        for row in rows:
            value = values[one.name][row].as_py() if isinstance(one, Condition) else one.value(values, row)
            label = self.labelled.label(row) if self.labelled else None
            shown.append(
                ShownDocument(
                    record=self.rows["record"][row].as_py(),
                    url=self.rows["url"][row].as_py(),
                    value=value,
                    text=self.rows["excerpt"][row].as_py(),
                    label=label,
                )
            )
        return tuple(shown)


def _flat(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)


def _numbers(column: pa.Array) -> NDArray[np.float64] | None:
    """Return the values as numbers, NaN for null; None for texts."""
    kind = column.type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        return None
    return np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)


def _applies(one: Condition, values: Mapping[str, pa.Array]) -> NDArray[np.bool_]:
    """Return bool[n_rows], the documents that have a value and that the conditions of ``where`` name."""
    found = values[one.name].is_valid().to_numpy(zero_copy_only=False)
    for needed in one.where:
        found = found & ~needed.fires(values)
    return np.asarray(found, dtype=np.bool_)


def _where_text(one: Condition | Alternatives) -> str:
    if not isinstance(one, Condition):
        return one.limit_text()
    return " and ".join(
        f"{needed.name} {needed.limit_text()}" if isinstance(needed, Condition) else needed.limit_text()
        for needed in one.where
    )


def _language_groups(column: pa.ChunkedArray) -> NDArray[Any]:
    """Return the language of each row; rare ones are one group."""
    names = np.array([one or NO_LANGUAGE for one in column.to_pylist()], dtype=object)
    often = [one for one in _by_count(names) if one != NO_LANGUAGE][:MAX_LANGUAGES]
    return np.array([one if one in {*often, NO_LANGUAGE} else OTHERS for one in names], dtype=object)


def _by_count(names: NDArray[Any]) -> list[str]:
    found, counts = np.unique(names.astype(str), return_counts=True)
    return [str(found[i]) for i in sorted(range(len(found)), key=lambda i: (-counts[i], found[i]))]


def _quantiles(language: str | None, numbers: NDArray[np.float64]) -> Quantiles:
    known = numbers[np.isfinite(numbers)]
    values = np.quantile(known, QUANTILES, method="lower").tolist() if len(known) else []
    return Quantiles(
        language=language,
        n_documents=len(numbers),
        n_null=len(numbers) - len(known),
        values=tuple(values),
    )
