"""Count the rows of ledgers by source, outcome, stage and reason, and add the counts of versions up."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, TypeAlias

from builder.domain.ledger import OUTCOMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pyarrow as pa

Statement: TypeAlias = "tuple[str, str, str | None, str | None]"
"""What a ledger row states of a record: source, outcome, stage and reason."""
LedgerCounts: TypeAlias = "Counter[Statement]"

_COLUMNS = ("source", "outcome", "stage", "reason")


def count_rows(table: pa.Table) -> LedgerCounts:
    """Count the rows of a ledger."""
    groups = table.select(_COLUMNS).group_by(list(_COLUMNS)).aggregate([([], "count_all")])
    columns = (groups[name].to_pylist() for name in (*_COLUMNS, "count_all"))
    return Counter({(*statement,): n for *statement, n in zip(*columns, strict=True)})


def statement_of(row: Mapping[str, Any]) -> Statement:
    """Return what a ledger row states."""
    return row["source"], row["outcome"], row["stage"], row["reason"]


def by_outcome(counts: LedgerCounts) -> Counter[str]:
    """Add up by outcome."""
    return _added((outcome, n) for (_, outcome, _, _), n in counts.items())


def by_reason(counts: LedgerCounts) -> Counter[tuple[str, str, str]]:
    """Add up by outcome, stage and reason; rows without a reason are left out."""
    return _added(
        ((outcome, stage, reason), n)
        for (_, outcome, stage, reason), n in counts.items()
        if stage is not None and reason is not None
    )


def _added(pairs: Iterable[tuple[Any, int]]) -> Counter[Any]:
    total: Counter[Any] = Counter()
    for key, n in pairs:
        total[key] += n
    return total


def nested_reasons(counts: LedgerCounts) -> dict[str, dict[str, dict[str, int]]]:
    """Return the counts by outcome, stage and reason, nested and sorted."""
    document: dict[str, dict[str, dict[str, int]]] = {}
    for (outcome, stage, reason), n in sorted(by_reason(counts).items()):
        document.setdefault(outcome, {}).setdefault(stage, {})[reason] = n
    return document


def counts_by_source(counts: LedgerCounts) -> dict[str, dict[str, int]]:
    """Return the records of each source and their outcomes, sorted by source.

    >>> counts_by_source(Counter({("feed", "kept", None, None): 2, ("feed", "failed", "jsonl", "broken"): 1}))
    {'feed': {'records': 3, 'kept': 2, 'rejected': 0, 'merged': 0, 'failed': 1}}
    """
    document: dict[str, dict[str, int]] = {}
    for (source, outcome, _, _), n in sorted(counts.items(), key=lambda item: item[0][:2]):
        one = document.setdefault(source, dict.fromkeys(("records", *OUTCOMES), 0))
        one["records"] += n
        one[outcome] += n
    return document


def totals_document(counts: LedgerCounts, *, versions: int) -> dict[str, Any]:
    """Return the counts over the records of one or more versions, as a manifest stores them."""
    outcomes = by_outcome(counts)
    return {
        "versions": versions,
        "records": counts.total(),
        **{name: outcomes[name] for name in OUTCOMES},
        "reasons": nested_reasons(counts),
        "sources": counts_by_source(counts),
    }


def add_version(totals: Mapping[str, Any], *, rows: LedgerCounts, replaced: LedgerCounts) -> dict[str, Any]:
    """Add one version to the counts over the versions before it.

    Args:
        rows: the rows of the version's ledger.
        replaced: what earlier ledgers state of records that have a row in this ledger too.
    """
    total = _sum(totals, totals_document(rows, versions=1), sign=1)
    total = _sum(total, totals_document(replaced, versions=0), sign=-1)
    return {name: _without_zeros(value) if name == "reasons" else value for name, value in total.items()}


def _sum(one: Mapping[str, Any], other: Mapping[str, Any], *, sign: int) -> dict[str, Any]:
    total = dict(one)
    for name, value in other.items():
        if isinstance(value, dict):
            total[name] = _sum(total.get(name, {}), value, sign=sign)
        else:
            total[name] = total.get(name, 0) + sign * value
    return {name: total[name] for name in ((*one, *sorted(set(total) - set(one))))}


def _without_zeros(counts: Mapping[str, Any]) -> dict[str, Any]:
    inner = {name: _without_zeros(n) if isinstance(n, dict) else n for name, n in counts.items()}
    return {name: n for name, n in inner.items() if n}
