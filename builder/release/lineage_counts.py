"""Count the records of a version and of all versions that it builds on, each with its newest outcome."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from builder.history.ledger_counts import add_version, count_rows, statement_of, totals_document
from builder.history.ledgers import LedgerHistory

if TYPE_CHECKING:
    from collections.abc import Mapping

    from builder.domain.manifest import Manifest
    from builder.history.ledger_counts import LedgerCounts
    from builder.history.lineage import Lineage

OF_LINEAGE = "lineage"
"""The key of a manifest's counts over all versions; absent in a version that builds on no other one."""


def lineage_counts(
    lineage: Lineage, *, rows: LedgerCounts, replaced: LedgerCounts
) -> dict[str, dict[str, Any]]:
    """Return the manifest's entry of a version that builds on a lineage; nothing if they are not known.

    Args:
        rows: the rows of the version's ledger.
        replaced: what earlier ledgers state of records that have a row in this ledger too.
    """
    before = counts_up_to(lineage.manifest) or _from_ledgers(lineage)
    return {OF_LINEAGE: add_version(before, rows=rows, replaced=replaced)} if before else {}


def counts_up_to(manifest: Manifest) -> Mapping[str, Any] | None:
    """Return the counts of a version and all versions that it builds on; None in a manifest without them."""
    counts = manifest.counts
    if OF_LINEAGE in counts:
        found: Mapping[str, Any] = counts[OF_LINEAGE]
        return found
    if "sources" not in counts:
        return None
    names = ("records", "kept", "rejected", "merged", "failed", "reasons", "sources")
    return {"versions": 1, **{name: counts[name] for name in names}}


def _from_ledgers(lineage: Lineage) -> dict[str, Any] | None:
    """Add up the ledgers of versions whose manifests have no counts by source; None without a ledger."""
    history = LedgerHistory.of(lineage)
    if not history.is_complete:
        return None
    total: LedgerCounts = Counter()
    for number, path in enumerate(history.paths()):
        ledger = pq.read_table(path, columns=["record_id", "source", "outcome", "stage", "reason"])
        total.update(count_rows(ledger))
        n_restated = lineage.corpus.manifest(history.versions[number]).counts.get("restated", 0)
        if n_restated:
            ids = ledger["record_id"].slice(max(0, ledger.num_rows - n_restated))  # a purge deletes rows
            earlier = LedgerHistory(history.corpus, history.versions[:number])
            named = pc.field("record_id").isin(pa.array(ids.to_pylist(), pa.string()))
            total.subtract(map(statement_of, earlier.latest(named)))
    return totals_document(+total, versions=len(history.versions))
