"""Write new ledger rows for records of earlier builds whose outcome a build has changed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from builder.domain.ledger import LEDGER_SCHEMA
from builder.domain.row_numbers import FirstOrPast
from builder.history.ledger_counts import statement_of
from builder.history.ledgers import LedgerHistory
from builder.release.edits import Edits, Removal

if TYPE_CHECKING:
    from builder.history.ledger_counts import LedgerCounts
    from builder.history.lineage import Lineage
    from builder.pipeline.run import ChainResult
    from builder.release.outcomes import RowOutcomes

RECRAWLED = "The page was fetched again with a different text, which replaces this one."


def removal_of(row: int, row_outcomes: RowOutcomes, chain_result: ChainResult) -> Removal:
    """Return why a published row is removed: its newer page, ``row`` of the first spool, is not kept."""
    merges = row_outcomes.merges
    into = int(merges.into[row])
    if into != -1:
        own = int(row_outcomes.positions(FirstOrPast(np.asarray([into])))[0])
        return Removal(
            outcome="merged",
            stage=merges.stages[merges.by[row]],
            reason=merges.reasons[merges.by[row]],
            message="A newer page of this URL was merged.",
            merged_into=row_outcomes.id_table[own],
            kept_id=row_outcomes.kept_id(row),
            similarity=None if np.isnan(merges.similarity[row]) else float(merges.similarity[row]),
        )
    late = chain_result.late.filter(pc.equal(chain_result.late["_row"], row)).to_pylist()[0]
    return Removal(
        outcome="rejected",
        stage=late["stage"],
        reason=late["reason"],
        message=f"A newer page of this URL was rejected: {late['message'] or late['reason']}",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerUpdates:
    """New ledger rows for records of earlier builds.

    Attributes:
        replaced: what earlier ledgers state of these records, and of those that this build has read again.
    """

    rows: pa.Table = field(default_factory=LEDGER_SCHEMA.empty_table)
    replaced: LedgerCounts = field(default_factory=Counter)


def find_ledger_updates(
    lineage: Lineage, edits: Edits, *, excluding: frozenset[str] = frozenset()
) -> LedgerUpdates:
    """Return a ledger row for each record of an earlier build whose outcome changed.

    If a row is removed, the records that were merged into it change too: the document that now represents
    the row represents them as well, or no document does. If a row is replaced, only its own record changes:
    records that were merged into the old text stay merged.

    Args:
        excluding: ids of records that the build has read again; the ledger has a row for them already.
    """
    wanted = {key.hex(): key for key in (*edits.removed, *edits.replaced)}
    if not wanted:
        return LedgerUpdates()
    rows = []
    replaced: LedgerCounts = Counter()
    for row in LedgerHistory.of(lineage).under(wanted):
        key = wanted[row["kept_id"]]
        if row["record_id"] in excluding:
            replaced[statement_of(row)] += 1
        elif key in edits.removed:
            rows.append(_removed(row, edits.removed[key]))
            replaced[statement_of(row)] += 1
        elif row["outcome"] == "kept":
            rows.append(_replaced(row, stage=edits.replaced_by))
            replaced[statement_of(row)] += 1
    return LedgerUpdates(rows=pa.Table.from_pylist(rows, schema=LEDGER_SCHEMA), replaced=replaced)


_NOT_PUBLISHED: dict[str, None] = {"document_id": None, "split": None, "shard": None, "pointer": None}


def _removed(row: dict[str, Any], removal: Removal) -> dict[str, Any]:
    """Return the new row of a record whose document is removed. A merged record keeps its stage and pair."""
    outcome = {
        "outcome": removal.outcome,
        "stage": removal.stage,
        "reason": removal.reason,
        "message": removal.message,
        "merged_into": removal.merged_into.hex() if removal.merged_into else None,
        "kept_id": removal.kept_id.hex() if removal.kept_id else None,
        "similarity": removal.similarity,
    }
    if row["outcome"] == "kept":
        return row | _NOT_PUBLISHED | outcome | {"document_id": row["document_id"]}
    if removal.kept_id is not None:
        return row | {"kept_id": removal.kept_id.hex()}
    if removal.outcome == "rejected" and removal.stage in TAKES_MERGED:
        return row | _NOT_PUBLISHED | outcome
    return row | {"kept_id": None, "reason": "keeper_rejected"}


TAKES_MERGED = frozenset({"takedown", "source"})
"""Stages that reject a document together with the records that were merged into it."""


def _replaced(row: dict[str, Any], *, stage: str) -> dict[str, Any]:
    return (
        row
        | _NOT_PUBLISHED
        | {
            "outcome": "merged",
            "stage": stage,
            "reason": "same_url",
            "message": RECRAWLED,
            "merged_into": row["document_id"],
            "kept_id": row["document_id"],
            "similarity": None,
        }
    )
