"""Count what ledgers say of duplicates and of measured values; reads columns, never rows as objects."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from builder.operations.overview.binning import binned
from builder.operations.overview.facts import Duplicates
from builder.registry import stage_class

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from builder.card.facts import StageFacts
    from builder.operations.overview.ledger_rows import Audit

NEAR = "dedup_near"
MAX_LIMITS = 24
"""Limits whose values are drawn: those that dropped the most records."""

_SIZES = (
    (2, "2 records"),
    (3, "3"),
    (4, "4"),
    (5, "5"),
    (10, "6 to 10"),
    (100, "11 to 100"),
    (1000, "101 to 1,000"),
)
_NUMBER = r"^-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"


@dataclass(slots=True)
class LimitValues:
    """The numbers of the records that one limit dropped."""

    limits: dict[str, int] = field(default_factory=dict)
    values: list[NDArray[np.float64]] = field(default_factory=list)
    n: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerNumbers:
    """Similarities by stage, and measured values by stage and reason."""

    similarities: dict[str, list[NDArray[np.float64]]]
    limits: dict[tuple[str, str], LimitValues]


def read_numbers(audit: Audit) -> LedgerNumbers:
    """Read all ledgers once."""
    similarities: dict[str, list[NDArray[np.float64]]] = {}
    limits: dict[tuple[str, str], LimitValues] = {}
    columns = ["outcome", "stage", "reason", "value", "limit", "similarity"]
    for batch in audit.ledger(columns):
        dropped = batch.filter(pc.not_equal(batch["outcome"], "kept"))
        merged = dropped.filter(pc.is_valid(dropped["similarity"]))
        for stage in pc.unique(merged["stage"]).to_pylist():
            some = merged["similarity"].filter(pc.equal(merged["stage"], stage))
            similarities.setdefault(stage, []).append(some.to_numpy(zero_copy_only=False))
        both = pc.and_(pc.is_valid(dropped["value"]), pc.is_valid(dropped["limit"]))
        _add_limits(limits, dropped.filter(pc.and_(both, pc.equal(dropped["outcome"], "rejected"))))
    return LedgerNumbers(similarities=similarities, limits=limits)


def _add_limits(limits: dict[tuple[str, str], LimitValues], batch: pa.RecordBatch) -> None:
    """Add the records whose value is a number."""
    rows = batch.filter(pc.match_substring_regex(batch["value"], _NUMBER))
    if not rows.num_rows:
        return
    keys = pa.table([rows["stage"], rows["reason"]], ["stage", "reason"])
    for key in keys.group_by(["stage", "reason"]).aggregate([]).to_pylist():
        mine = pc.and_(pc.equal(rows["stage"], key["stage"]), pc.equal(rows["reason"], key["reason"]))
        some = rows.filter(mine)
        one = limits.setdefault((key["stage"], key["reason"]), LimitValues())
        one.n += some.num_rows
        one.values.append(some["value"].cast(pa.float64()).to_numpy(zero_copy_only=False))
        for count in pc.value_counts(some["limit"]).to_pylist():
            if len(one.limits) < MAX_LIMITS:
                one.limits[count["values"]] = one.limits.get(count["values"], 0) + count["counts"]


def find_duplicates(audit: Audit, numbers: LedgerNumbers, stages: Sequence[StageFacts]) -> Duplicates | None:
    """Return what was merged; None if no stage merges and nothing was merged."""
    kinds = {stage.name: stage.kind for stage in stages}
    near = [name for name, kind in kinds.items() if kind == NEAR]
    merged = [name for name, kind in kinds.items() if kind.startswith("dedup_")]
    sizes = _cluster_sizes(audit)
    if not merged and not len(sizes):
        return None
    thresholds = tuple(
        (stage.name, float(str(stage.options.get("threshold", _default_threshold()))))
        for stage in stages
        if stage.kind == NEAR
    )
    found = [one for name in near for one in numbers.similarities.get(name, ())]
    low = min([0.5, *(t for _, t in thresholds)])
    edges = [round(low + i * (1 - low) / 50, 6) for i in range(51)]
    similarities = binned({"merged": np.concatenate(found)}, edges=edges) if found else None
    return Duplicates(
        merged=int(sizes.sum() - len(sizes)) if len(sizes) else 0,
        similarities=similarities,
        thresholds=thresholds,
        sizes=_named_sizes(sizes),
        largest=int(sizes.max()) if len(sizes) else 0,
    )


def _cluster_sizes(audit: Audit) -> NDArray[np.int64]:
    """Return the number of records of each cluster, with its keeper: int64[n_clusters]."""
    keepers = [
        pc.drop_null(batch["kept_id"].filter(pc.equal(batch["outcome"], "merged")))
        for batch in audit.ledger(["outcome", "kept_id"])
    ]
    if not keepers:
        return np.empty(0, np.int64)
    counts = pc.value_counts(pa.chunked_array(keepers, pa.string()))
    found: NDArray[np.int64] = pc.struct_field(counts, "counts").to_numpy(zero_copy_only=False) + 1
    return found


def _named_sizes(sizes: NDArray[np.int64]) -> tuple[tuple[str, int], ...]:
    named = []
    before = 1
    for most, name in _SIZES:
        if n := int(((sizes > before) & (sizes <= most)).sum()):
            named.append((name, n))
        before = most
    if n := int((sizes > before).sum()):
        named.append(("more than 1,000", n))
    return tuple(named)


def _default_threshold() -> float:
    import dataclasses

    (field_of,) = (one for one in dataclasses.fields(stage_class(NEAR)) if one.name == "threshold")
    return float(field_of.default)  # type: ignore[arg-type]
