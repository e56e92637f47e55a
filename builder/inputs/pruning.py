"""``--prune``: remove the rows of missing inputs.

Records of other inputs may have been merged into a removed document. Their inputs are read again, and only
these records are processed: each one is published, or merged into another document.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from builder.domain.document_ids import DocumentIds, parse_id
from builder.history.index import open_arrow
from builder.history.ledgers import LedgerHistory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from builder.history.lineage import Lineage
    from builder.inputs.inputs import Input


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What is removed together with missing inputs, and what is read again.

    Attributes:
        documents: ids of the published documents whose own record was in a missing input.
        freed: ids of the records of other inputs that were merged into these documents.
        reread: source and path of the inputs that contain the freed records.
        keys: the keys of the freed records, 16 bytes each.
    """

    documents: frozenset[bytes]
    freed: frozenset[str]
    reread: frozenset[tuple[str, str]]
    keys: frozenset[bytes]


def find_pruned(lineage: Lineage, missing: Sequence[Input]) -> Pruned:
    """Find the documents of missing inputs, and the records of other inputs that were merged into them."""
    names = {(one.source, one.path) for one in missing}
    history = LedgerHistory.of(lineage)
    records = history.latest(
        pc.field("path").isin(pa.array(sorted({path for _, path in names}), pa.string())),
        is_meant=lambda row: (row["source"], row["path"]) in names,
        columns=["record_id", "source", "path", "outcome", "document_id"],
    )
    documents = {
        parse_id(row["document_id"]) for row in records if row["outcome"] == "kept" and row["document_id"]
    }
    documents &= set(lineage.locate(DocumentIds.from_bytes(documents)))
    freed = [
        row
        for row in history.under(one.hex() for one in documents)
        if (row["source"], row["path"]) not in names
    ]
    record_ids = frozenset(row["record_id"] for row in freed)
    return Pruned(
        documents=frozenset(documents),
        freed=record_ids,
        reread=frozenset((row["source"], row["path"]) for row in freed),
        keys=frozenset(_keys(lineage, record_ids)),
    )


def _keys(lineage: Lineage, record_ids: frozenset[str]) -> list[bytes]:
    """Look up the keys of records; the rows of ``records.arrow`` are in the order of the build's ledger."""
    wanted = pa.array(sorted(record_ids), pa.string())
    keys: list[bytes] = []
    for folder, segment in zip(lineage.folders, lineage.segments, strict=True):
        path = lineage.corpus.ledger_file(segment.version)
        if not path.exists() or not len(wanted):
            continue
        records = open_arrow(folder / "records.arrow")["key"]
        ids = pq.read_table(path, columns=["record_id"])["record_id"].slice(0, len(records))
        at = np.flatnonzero(pc.is_in(ids, value_set=wanted).to_numpy())
        keys += records.take(pa.array(at)).to_pylist()
    return keys
